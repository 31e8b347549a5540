"""Secrets that are kept in AWS Secrets Manager, read when the first of them is needed and kept for the life of the process.

A place is an ARN and, behind a #, which member of its JSON: `arn:aws:secretsmanager:…:secret:quartermaster-dev-app#password`.
"""

import json
import time
from threading import Lock
from typing import Any, NamedTuple

from core.aws import Unavailable, secret_value

AGAIN = 1.0  # seconds: what was read within them is not read anew


class Read(NamedTuple):
    value: str
    at: float


_read: dict[str, Read] = {}
_lock = Lock()  # threads of a process that begin together ask once


def secret(place: str, member: str, *, endpoint_url: str = "", other_than: Any = None) -> Any:
    """Its member. With `other_than`, which did not serve, it is read anew if it is still that. Raises core.aws.Unavailable."""
    arn, _, named = place.partition("#")
    with _lock:
        read = _read.get(arn)
        if read is None or (
            other_than is not None and _member(arn, read.value, named or member) == other_than
            and time.monotonic() - read.at >= AGAIN
        ):
            read = _read[arn] = Read(secret_value(arn, endpoint_url=endpoint_url), time.monotonic())
    return _member(arn, read.value, named or member)


def _member(arn: str, text: str, name: str) -> Any:
    try:
        return json.loads(text)[name]
    except (ValueError, TypeError, KeyError):
        raise Unavailable(f"The secret {arn} is no JSON object with the member {name!r}.") from None

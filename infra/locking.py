"""One deployer of a stage at a time: an object in its bucket of packages, which S3 writes only where there is none."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from infra.aws import Aws, Refused, is_absent

KEY = "deploying.json"
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@contextmanager
def held(aws: Aws, bucket: str, stage: str, doing: str, *, broken: bool = False) -> Iterator[None]:
    """Raises Refused, naming who holds it. `broken`: whoever holds it is taken for gone."""
    mine = {"id": uuid4().hex, "who": _who(aws), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "doing": doing}
    _take(aws, bucket, stage, mine, broken=broken)
    try:
        yield
    finally:
        _let_go(aws, bucket, mine["id"])


def _who(aws: Aws) -> str:
    """A person or a role of AWS, and the machine."""
    arn = str(aws.client("sts").get_caller_identity()["Arn"])
    return f"{arn.rpartition(':')[2]} on {socket.gethostname()}"


def _take(aws: Aws, bucket: str, stage: str, mine: dict[str, str], *, broken: bool) -> None:
    client = aws.client("s3")
    body = json.dumps(mine).encode()
    tag, theirs = _found(client, bucket) if broken else ("", {})
    condition = {"IfMatch": tag} if theirs else {"IfNoneMatch": "*"}
    try:
        client.put_object(Bucket=bucket, Key=KEY, Body=body, ContentType="application/json", **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] not in TAKEN and not is_absent(error):
            raise
        _, theirs = _found(client, bucket)
        raise Refused(
            f"{theirs.get('who', 'Somebody')} is busy with {stage} since {theirs.get('since', 'a moment ago')}"
            f" ({theirs.get('doing', 'and done by now')}): wait until that has ended. If it broke off, say ARGS=--break-lock."
        ) from error


def _let_go(aws: Aws, bucket: str, token: str) -> None:
    """Unless somebody has broken it meanwhile."""
    client = aws.client("s3")
    if _found(client, bucket)[1].get("id") == token:
        client.delete_object(Bucket=bucket, Key=KEY)


def _found(client: Any, bucket: str) -> tuple[str, dict[str, str]]:
    """Its tag, and who holds it since when; both empty where nobody does."""
    try:
        answer = client.get_object(Bucket=bucket, Key=KEY)
    except ClientError as error:
        if is_absent(error):
            return "", {}
        raise
    return str(answer["ETag"]), json.loads(answer["Body"].read())

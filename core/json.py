"""JSON by orjson: instants in UTC with a Z, amounts and ids as strings."""

from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise


def dumps(data: Any) -> bytes:
    return orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> str:
    if isinstance(value, Promise | Decimal):  # a translated message; an amount
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")

"""What a webhook says, once its signature has been found right: its payload, its id, its type, its headers."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import orjson

from notifications.verifying import Message, Recipe, header_of

LONGEST_ID, LONGEST_TYPE, LONGEST_HEADER = 255, 200, 500
MOST_HEADERS, MOST_FIELDS, LEVELS_AROUND = 40, 1000, 8
FORM, JSON = "application/x-www-form-urlencoded", re.compile(r"application/([\w.-]+\+)?json")
KEPT = re.compile(r"content-type|user-agent|(x|webhook)-[a-z0-9-]+")
# Secrets, and what proxies say of the way.
LEFT_OUT = re.compile(r"sign|secret|token|auth|key|hmac|cookie|password|forwarded|amzn|real-ip|client-ip")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def is_readable(kind: str) -> bool:
    """Nothing is taken for JSON."""
    return kind in ("", FORM) or JSON.fullmatch(kind) is not None


def payload_of(kind: str, body: bytes) -> Any:
    """A form as an object; text where it is no JSON, or JSON that we could not hold as it is."""
    text = body.decode("utf-8", "replace")
    if kind == FORM:
        try:
            return _form(text)
        except ValueError:
            return _storable(text)
    try:
        return _json(text)
    except (ValueError, RecursionError):
        return _storable(text)


def external_id_of(recipe: Recipe, message: Message, payload: Any) -> str:
    found = _printable(_at(recipe.external_id, message.headers, payload))
    if not found:
        return f"sha256:{sha256(message.body).hexdigest()}"
    return found if len(found) <= LONGEST_ID else f"sha256:{sha256(found.encode()).hexdigest()}"


def type_of(recipe: Recipe, message: Message, payload: Any) -> str:
    return _printable(_at(recipe.type, message.headers, payload))[:LONGEST_TYPE]


def kept_headers(recipe: Recipe, headers: Mapping[str, str]) -> dict[str, str]:
    """Those that a handler may need; neither a secret nor a signature."""
    read = {place.partition(":")[2].lower() for place in (recipe.external_id, recipe.type) if place.startswith("header:")}
    read.add(recipe.timestamp_header.lower())
    kept = {}
    for name, value in headers.items():
        name = name.lower()
        wanted = name in read or (KEPT.fullmatch(name) and not LEFT_OUT.search(name))
        if wanted and name != recipe.signature_header.lower():
            kept[name] = UNPRINTABLE.sub("\ufffd", value)[:LONGEST_HEADER]
    return dict(sorted(kept.items())[:MOST_HEADERS])


def _form(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS):
        name, value = _storable(name), _storable(value)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _json(text: str) -> Any:
    """orjson refuses half surrogates, and writes less deep than it reads; it would make a long number a float."""
    found = orjson.loads(text)
    if "\\u0000" in text:
        raise ValueError("The database stores no NUL.")
    json.loads(text, parse_int=_whole, parse_float=_finite)
    _write_around(found)
    return found


def _write_around(found: Any) -> None:
    """An event holds it, an envelope holds the event, and an answer may hold the envelope."""
    for _ in range(LEVELS_AROUND):
        found = [found]
    try:
        orjson.dumps(found)
    except orjson.JSONEncodeError as error:
        raise ValueError("too deep") from error


def _whole(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
        raise ValueError("too long a number")
    return 0


def _finite(digits: str) -> float:
    if abs(float(digits)) == float("inf"):
        raise ValueError("too large a number")
    return 0.0


def _at(place: str, headers: Mapping[str, str], payload: Any) -> str:
    if not place.startswith("body:"):
        return header_of(place, headers)
    found = payload
    for step in place.removeprefix("body:").split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return ""
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("\ufffd", text).strip()


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd")

"""Names in camelCase for those who ask: `Accept: application/json; names=camel`.

The API's own names are in snake_case. Asked so, it takes and gives `baseUnit` for `base_unit`: in the bodies of requests
(core.parsing), in answers and problems, in the names of parameters, and in what `fields`, `sort` and `expand` name. Names
that are data (keys of custom fields, what an event holds) stay as they are.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
from django.http import QueryDict
from django.utils.cache import patch_vary_headers

from core.conditions import GZIPPED
from core.json import dumps
from core.naming import DATA, camel, renamed, snake
from core.problems import json_response, problem
from core.routing import API

KINDS = ("application/json", "application/problem+json")
CAMEL = ".camel"  # ends the tag of such an answer
NAMING = ("fields", "sort", "expand")  # parameters whose values are names
OPEN = ("cf.", "attr.")  # begin parameters that end in a name of the organization's

_ASKED = re.compile(r"(?:application/(?:problem\+)?json|\*/\*)\s*;[^,]*\bnames\s*=\s*\"?([^\s,;\"]+)", re.I)


def names_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Outside the scope, so that what is kept of a request (idempotency) is in one way of writing."""

    def handle(request: Any) -> Any:
        accept = request.META.get("HTTP_ACCEPT", "")
        if "names" not in accept or not request.path_info.startswith(f"/{API}"):
            return get_response(request)
        asked = {name.lower() for name in _ASKED.findall(accept)}
        if unknown := asked - {"camel", "snake"}:
            return _refused(request, unknown.pop())
        if "camel" not in asked:
            return get_response(request)
        request.camel_names = True
        request.GET = _query(request.GET)
        _take_tags(request.META)
        response = get_response(request)
        _rename(response)
        return response

    return handle


def _refused(request: Any, name: str) -> Any:
    detail = f"Accept: names are camel or snake, not {name}."
    errors = [{"header": "Accept", "code": "invalid", "detail": detail}]
    request.request_id = str(uuid4())  # nobody has looked at the request yet
    response = json_response(problem(400, "invalid_header", detail, request=request, errors=errors))
    response.headers["X-Request-Id"] = request.request_id
    return response


def _query(given: QueryDict) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, values in given.lists():
        own = name if name.startswith(OPEN) else "__".join(snake(part) for part in name.split("__"))
        query.setlist(own, [_names(text) for text in values] if own in NAMING else values)
    return query


def _names(text: str) -> str:
    return re.sub(r"\w+", lambda found: snake(found[0]), text)


def _take_tags(meta: Any) -> None:
    """Tags of such answers are as the views know them; others stand for what is written otherwise, and match no read."""
    if (known := meta.get("HTTP_IF_NONE_MATCH", "")) and known.strip() != "*":
        tags = re.findall(r'(?:W/)?"[^"]*"', known)
        ours = [tag for tag in tags if tag.startswith("W/") or tag.removesuffix('"').removesuffix(GZIPPED).endswith(CAMEL)]
        meta["HTTP_IF_NONE_MATCH"] = ", ".join(ours).replace(CAMEL, "") or '""'
    if "HTTP_IF_MATCH" in meta:
        meta["HTTP_IF_MATCH"] = meta["HTTP_IF_MATCH"].replace(CAMEL, "")


def _rename(response: Any) -> None:
    if (tag := response.headers.get("ETag", "")).endswith('"'):
        response.headers["ETag"] = f'{tag[:-1]}{CAMEL}"'
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    if response.streaming or kind not in KINDS or not response.content:
        return
    response.content = dumps(renamed(_pointing(orjson.loads(response.content)), camel))
    response.headers["Content-Type"] = f"{kind}; names=camel"
    patch_vary_headers(response, ["Accept"])
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))


def _pointing(value: Any) -> Any:
    """With errors, also of rows of a bulk request, that point at fields and parameters as they are written here."""
    if isinstance(value, list):
        return [_pointing(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: inner if name in DATA else _pointing(inner) for name, inner in value.items()}
    if isinstance(found.get("pointer"), str):
        found["pointer"] = _pointer(found["pointer"])
    if isinstance(found.get("parameter"), str):
        found["parameter"] = camel(found["parameter"])
    return found


def _pointer(text: str) -> str:
    parts = text.split("/")
    data = next((number for number, part in enumerate(parts) if part in DATA), len(parts))
    return "/".join([*(camel(part) for part in parts[:data + 1]), *parts[data + 1:]])

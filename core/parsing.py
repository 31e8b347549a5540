"""JSON by orjson, which refuses what the database could not store or nobody should nest: half surrogates, a thousand levels."""

from typing import Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.naming import GivenTwice, renamed, snake


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            body = orjson.loads(_whole(stream))
            return renamed(body, snake) if _asked_for_camel(parser_context) else body
        except orjson.JSONDecodeError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        except GivenTwice as error:
            raise ParseError(str(error)) from error


def _whole(stream: Any) -> bytes:
    """Raises RequestDataTooBig; a request's `body` looks at its length, its `read` does not."""
    body: bytes = stream.body if hasattr(stream, "body") else stream.read()
    return body


def _asked_for_camel(context: Any) -> bool:
    """The request, and not the stream, which is another one once somebody has looked at the body."""
    request = (context or {}).get("request")
    return getattr(getattr(request, "_request", None), "camel_names", False)

"""JSON by orjson, which refuses what the database could not store or nobody should nest: half surrogates, a thousand levels."""

from typing import Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return orjson.loads(_whole(stream))
        except orjson.JSONDecodeError as error:
            raise ParseError(f"JSON parse error - {error}") from error


def _whole(stream: Any) -> bytes:
    """Raises RequestDataTooBig; a request's `body` looks at its length, its `read` does not."""
    body: bytes = stream.body if hasattr(stream, "body") else stream.read()
    return body

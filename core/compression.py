"""gzip for the API's answers. Those that hold a secret (no-store) are left as they are: BREACH guesses secrets from lengths."""

import secrets
from collections.abc import Callable
from gzip import GzipFile
from io import BytesIO
from typing import Any

from django.utils.cache import patch_vary_headers
from django.utils.text import compress_sequence

from core.conditions import GZIPPED

SMALLEST = 1024  # bytes: less fits a packet anyway
LEVEL = 1  # of JSON a list, 2 % of the length more than level 6, in a quarter of the time
PADDING = 50  # bytes at most, so that a length says less about what was compressed
KINDS = ("application/json", "application/problem+json", "text/csv", "application/vnd.oai")


def compression_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Outside the scope, so that no transaction waits for it. A strong ETag stays strong, and says `.gzip`."""

    def handle(request: Any) -> Any:
        response = get_response(request)
        if request.path_info.startswith("/api/") and _is_worth_it(response):
            patch_vary_headers(response, ["Accept-Encoding"])
            if _takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
                _compress(response)
        return response

    return handle


def _is_worth_it(response: Any) -> bool:
    headers = response.headers
    if "Content-Encoding" in headers or "no-store" in headers.get("Cache-Control", ""):
        return False
    if not headers.get("Content-Type", "").startswith(KINDS):
        return False
    return response.streaming or len(response.content) >= SMALLEST


def _takes_gzip(header: str) -> bool:
    for part in header.split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _compress(response: Any) -> None:
    if response.streaming:
        response.streaming_content = compress_sequence(response.streaming_content, max_random_bytes=PADDING)
        del response.headers["Content-Length"]
    else:
        response.content = _compressed(response.content)
        response.headers["Content-Length"] = str(len(response.content))
    response.headers["Content-Encoding"] = "gzip"
    if (tag := response.headers.get("ETag", "")).startswith('"'):
        response.headers["ETag"] = f'{tag[:-1]}{GZIPPED}"'


def _compressed(content: bytes) -> bytes:
    """The padding is the name of the file, which gzip keeps and nobody reads."""
    packed, name = BytesIO(), "x" * secrets.randbelow(PADDING)
    with GzipFile(filename=name, mode="wb", compresslevel=LEVEL, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()

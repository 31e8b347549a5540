"""Conditional requests by RFC 9110: the tags and times of answers, and what a request demands of them.

The tag of a row is "<version>-<hash>": the hash, because an answer also shows columns of other rows and varies with
?fields and ?expand; the version, because a writer means the row and not how it was shown. A row without a version has
the hash alone, and so has a list, weakly.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils.http import http_date, parse_http_date_safe
from rest_framework import exceptions

from core.problems import BadHeader

GZIPPED = ".gzip"  # ends the tag of an answer that core.compression has compressed
# Answers belong to one person, and are asked for again each time: a 304 costs little.
CACHING = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Organization"}

_TAGS = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*|\Z))+')
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


class PreconditionFailed(exceptions.APIException):
    """The row is not as the request's condition says. `extra` goes into the problem, `headers` on the answer."""

    status_code = 412

    def __init__(self, detail: str, code: str, *, version: int | None = None, tag: str = "") -> None:
        super().__init__(detail)
        self.default_code = code
        self.extra = {} if version is None else {"current_version": version}
        self.headers = {"ETag": tag} if tag else {}


class Tag(NamedTuple):
    weak: bool
    value: str  # without quotes

    @property
    def version(self) -> str:
        return self.value.partition("-")[0]


def tag_of(content: bytes, version: int | None = None) -> str:
    digest = sha256(content, usedforsecurity=False).hexdigest()[:12]
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def parse_tags(name: str, header: str) -> Sequence[Tag] | None:
    """None for `*`. Raises BadHeader."""
    if header.strip() == "*":
        return None
    if not _TAGS.fullmatch(header):
        raise BadHeader(name, f'{name}: give the ETag of an answer, as "7-1f2e3d4c5b6a" with its quotes, or *.')
    return [Tag(bool(weak), value.removesuffix(GZIPPED)) for weak, value in _TAG.findall(header)]


def refuse_stale(tags: Sequence[Tag] | None, current: str, version: int | None) -> None:
    """Raises PreconditionFailed unless a strong tag names the version; of a row without one, the whole tag."""
    if tags is None:
        return
    [(_, value)] = _TAG.findall(current)
    for tag in tags:
        if not tag.weak and (tag.value == value if version is None else tag.version == str(version)):
            return
    words = "The row has changed" if version is None else f"The row is at version {version} by now"
    weak = " A weak ETag never matches." if any(tag.weak for tag in tags) else ""
    raise PreconditionFailed(f"{words}: read it again, and decide anew.{weak}", "stale", version=version, tag=current)


def conditional(
    request: Any, content: bytes, tag: str, *, modified: datetime | None = None, headers: dict[str, str] | None = None,
) -> HttpResponse:
    """The JSON of a read, or 304 without it."""
    common = {"ETag": tag, **CACHING, **(headers or {})}
    if modified is not None:
        common["Last-Modified"] = http_date(modified.timestamp())
    if _is_known(request.META, tag, modified):
        return HttpResponse(status=304, headers=common)
    return HttpResponse(content, content_type="application/json", headers=common)


def _is_known(meta: Any, tag: str, modified: datetime | None) -> bool:
    if (header := meta.get("HTTP_IF_NONE_MATCH")) is not None:
        if header.strip() == "*":
            return True
        [(_, value)] = _TAG.findall(tag)
        return value in {value.removesuffix(GZIPPED) for _, value in _TAG.findall(header)}
    if modified is not None and (since := meta.get("HTTP_IF_MODIFIED_SINCE")):
        known = parse_http_date_safe(since)
        return known is not None and int(modified.timestamp()) <= known
    return False

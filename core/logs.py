"""What a line of the log tells: JSON for machines, text for people, and in both no secret and nothing of a person.

A line says by itself for whom the work is done: the scope knows it, and around a scope whoever opens one says so by `about`.
Addresses are told as routes, because a path may hold an id or a token.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings

from core.json import dumps
from core.metrics import embedded
from core.redaction import HIDDEN, without_secrets
from core.tenancy import Origin, active_scope, scope_is_open
from core.traces import trace_of

MOST_OF_A_STACK = 16_000  # characters; its end tells more than its beginning

# What PostgreSQL quotes of a row, and addresses of mail: [^\s] before the @ would be quadratic without a bound.
VALUES = re.compile(r"(DETAIL:|CONTEXT:|Failing row contains)[^\n]*")
MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")

_told: ContextVar[dict[str, Any] | None] = ContextVar("told", default=None)


@contextmanager
def about(**what: Any) -> Iterator[None]:
    """Each line that is written inside says so. Empty values are left out."""
    token = _told.set({**(_told.get() or {}), **_said(what)})
    try:
        yield
    finally:
        _told.reset(token)


def note(**what: Any) -> None:
    """From here to the end of the innermost `about`; without one, nothing."""
    if (told := _told.get()) is not None:
        told.update(_said(what))


def whose(organization_id: UUID, origin: Origin) -> dict[str, Any]:
    return {
        "organization_id": organization_id, "user_id": origin.actor_id, "api_key_id": origin.api_key_id,
        "request_id": origin.request_id, "trace_id": trace_of(origin.traceparent),
    }


def known() -> dict[str, Any]:
    told = dict(_told.get() or {})
    if scope_is_open():
        scope = active_scope()
        told |= _said(whose(scope.organization_id, scope.origin))
    return told


def _said(what: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in what.items() if value not in (None, "")}


def clean(text: str) -> str:
    return without_secrets(MAIL.sub(HIDDEN, VALUES.sub(rf"\1 {HIDDEN}", text)))


def route_of(request: Any) -> str:
    """The pattern of the address, such as /api/v1/products/{pk}/."""
    match = getattr(request, "resolver_match", None)
    if match is not None:
        return _readable(match.route)
    return "/static/" if request.path_info.startswith(settings.STATIC_URL) else "unknown"


@lru_cache(maxsize=2000)
def _readable(route: str) -> str:
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", route))
    return "/" + re.sub(r"[\^$\\]|/\?", "", route)


class Lines(logging.Formatter):
    """Text."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(self.without_path(record)))

    @staticmethod
    def without_path(record: logging.LogRecord) -> logging.LogRecord:
        """Django logs the path of what it refuses."""
        request = getattr(record, "request", None)
        if request is None or not isinstance(record.args, tuple):
            return record
        shown = logging.makeLogRecord(record.__dict__)
        shown.args = tuple(route_of(request) if value == request.path else value for value in record.args)
        return shown


class JSONLines(Lines):
    """One object a line. `extra={"members": {...}}` adds to it; `"metrics"` as well, in CloudWatch's embedded format."""

    def format(self, record: logging.LogRecord) -> str:
        record = self.without_path(record)
        members = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname, "logger": record.name, "message": clean(record.getMessage()),
            **known(), **getattr(record, "members", {}),
        }
        if record.exc_info and record.exc_info[0]:
            members["error"] = record.exc_info[0].__name__
            members["stack"] = clean(self.formatException(record.exc_info))[-MOST_OF_A_STACK:]
        if metrics := getattr(record, "metrics", None):
            members |= embedded(metrics, {})
        return dumps(members).decode()

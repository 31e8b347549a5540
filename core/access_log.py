"""A line of the log for each request, which is what its metrics are made of."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings

from core import logs
from core.metrics import Metric, emit

logger = logging.getLogger("core.requests")

type Handler = Callable[[Any], Any]

# Asked each few seconds by machines, of which nobody wants to read; and files.
QUIET = {"/healthz", "/readyz", "/metrics", "/static/"}

METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

_unseen: ContextVar[bool] = ContextVar("unseen", default=False)
_cold = [bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))]  # until a request has come


@contextmanager
def unseen() -> Iterator[None]:
    """For requests that we make ourselves, to warm up."""
    token = _unseen.set(True)
    try:
        yield
    finally:
        _unseen.reset(token)


def access_log_middleware(get_response: Handler) -> Handler:
    """The outermost, so that it sees what all others refuse, and how long they take."""

    def handle(request: Any) -> Any:
        if _unseen.get():
            return get_response(request)
        began = time.perf_counter()
        method = request.method if request.method in METHODS else "OTHER"
        with logs.about(method=method):
            response = get_response(request)
            _seen(method, request, response.status_code, time.perf_counter() - began)
        return response

    return handle


def _seen(method: str, request: Any, status: int, seconds: float) -> None:
    route, took = logs.route_of(request), round(seconds * 1000, 1)
    text, values = "%s %s %d, %.0f ms", (method, route, status, took)
    members: dict[str, Any] = {"route": route, "status": status, "duration_ms": took}
    if route in QUIET:
        logger.debug(text, *values, extra={"members": members})
        return
    if cold := _cold[0]:
        _cold[0] = False
        members["cold_start"] = True
    level = logging.ERROR if status >= 500 else logging.INFO
    if settings.METRICS != "emf":
        logger.log(level, text, *values, extra={"members": members})
        if settings.METRICS == "prometheus":
            _count(method, route, status, seconds)
        return
    metrics = {
        "Requests": Metric(1), "Errors": Metric(int(status >= 500)), "Refusals": Metric(int(400 <= status < 500)),
        "Duration": Metric(took, "Milliseconds"), "ColdStarts": Metric(int(cold)),
    }
    if settings.LOG_FORMAT == "json" and logger.isEnabledFor(level):
        logger.log(level, text, *values, extra={"members": members, "metrics": metrics})
    else:
        logger.log(level, text, *values, extra={"members": members})
        emit(metrics)


def _count(method: str, route: str, status: int, seconds: float) -> None:
    from core.prometheus import count_request  # noqa: PLC0415  # brings its library, for servers alone

    count_request(method, route, status, seconds)

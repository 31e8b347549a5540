"""What is told to those who operate: log lines on standard error, which what runs us keeps, and metrics."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

LOG_LEVEL = env("LOG_LEVEL", default="INFO")
FORMATS = {"text": "core.logs.Lines", "json": "core.logs.JSONLines"}


def log_format(unless_set: str) -> str:
    """LOG_FORMAT: lines of text for people, or JSON."""
    chosen: str = env("LOG_FORMAT", default=unless_set)
    if chosen not in FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT={chosen} is no format: say text or json, or leave it out.")
    return chosen


def logging(form: str) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": FORMATS[form], "fmt": "{asctime} {levelname} {name} {message}", "style": "{"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": LOG_LEVEL},
        "loggers": {
            "httpx2": {"level": "WARNING"},  # a line for each request, with an address that may hold a secret
            "zappa": {"level": "WARNING"},  # as well
            "django.request": {"level": "ERROR"},  # each refusal once more, beside the line of the request
        },
    }


LOG_FORMAT = log_format("text")
LOGGING = logging(LOG_FORMAT)


def metrics(unless_set: str) -> str:
    """METRICS: "emf" prints what CloudWatch makes metrics of; "prometheus" answers at /metrics; empty: none."""
    chosen: str = env("METRICS", default=unless_set)
    if chosen not in ("", "emf", "prometheus"):
        raise ImproperlyConfigured(f"METRICS={chosen} is no kind of metrics: say emf or prometheus, or leave it out.")
    return chosen


METRICS = metrics("")
METRICS_NAMESPACE = env("METRICS_NAMESPACE", default="Quartermaster")
# For Prometheus, PROMETHEUS_MULTIPROC_DIR names the folder in which the processes of a server count together.
METRICS_TOKEN = env("METRICS_TOKEN", default="")  # who asks for /metrics from elsewhere than this machine shows it
# How many of these events there were in a minute is a metric of this name.
METRICS_OF_EVENTS = {
    "order.placed": "OrdersPlaced", "order.packed": "OrdersPacked", "order.shipped": "OrdersShipped",
    "order.delivered": "OrdersDelivered", "order.cancelled": "OrdersCanceled", "order.failed": "OrdersFailed",
    "stock.low": "LowStock",
}

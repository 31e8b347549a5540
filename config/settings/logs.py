"""A line for each record, to the console: what runs us keeps it."""

from typing import Any

import environ

env = environ.Env()

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {"httpx2": {"level": "WARNING"}},  # a line for each request, with an address that may hold a secret
}

"""The product's handler, and what a test wants to know of the process that it runs in."""

import sys
from typing import Any

import uuid_utils
from django.db import connections

from config import on_lambda

CONNECTED = [connection.alias for connection in connections.all(initialized_only=True) if connection.connection]
BOTO = "boto3" in sys.modules
NOT_NEEDED = ("boto3", "jwt", "cryptography", "requests", "yaml", "werkzeug.serving", "drf_spectacular.openapi", "django.test")


def lambda_handler(event: Any, context: Any) -> Any:
    if event == {"test": "state"}:
        return {"connected": CONNECTED, "boto3": BOTO}
    if event == {"test": "woken"}:
        on_lambda.woken()
        return str(uuid_utils.uuid7())
    if event == {"test": "loaded"}:
        return [name for name in NOT_NEEDED if name in sys.modules]
    return on_lambda.lambda_handler(event, context)

"""What Lambda calls, whatever has come: the `lambda_handler` of zappa_settings.json.

Zappa's handler does the work. It is loaded with Django before the first event, and so is what the first request would load; no
connection, random state or time of then is kept, so that a snapshot of the process may be woken many times (SnapStart).
"""

import gc
import importlib
import io
import random
import shlex
import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import uuid_utils
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from core.access_log import unseen
from core.roles import refuse_wrong_role

# What Zappa, and the library of its answers, import for a developer's machine, and the name that they look for in it.
DEVELOPING = {"boto3": "Session", "botocore": "Session", "werkzeug.serving": "run_simple"}
# DRF takes them along where they are; who needs them imports them later.
NOT_YET = ("requests", "yaml", "uritemplate", "inflection")
UNDESCRIBED = "rest_framework.schemas.inspectors.ViewInspector"  # of views whose description has been written already
ALIVE = "/healthz"  # asks no database
QUEUE = "notifications.aws.queue"  # by name: a request needs nothing of it
ENTRIES = ("notifications.aws.clock", "notifications.aws.sweep", "notifications.aws.relay")
REFUSED = "/api/v1/products/"  # for want of credentials, after all that the middleware does


class Refused(RuntimeError):
    """The event is of no kind that the function takes. Code in events (Zappa's raw_command) is of none."""


class CommandFailed(RuntimeError):
    """What a command of manage.py says before it ends with 1 or 2."""


def _zappa() -> ModuleType:
    stand_ins = {name: ModuleType(name) for name in DEVELOPING if name not in sys.modules}
    for name, module in stand_ins.items():
        setattr(module, DEVELOPING[name], object)
        sys.modules[name] = module
    try:
        return importlib.import_module("zappa.handler")
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _request(path: str) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1", "userAgent": "warming"}
    return {
        "version": "2.0", "rawPath": path, "rawQueryString": "", "isBase64Encoded": False, "requestContext": {"http": http},
        "headers": {"host": settings.ALLOWED_HOSTS[0].lstrip("."), "accept": "application/json", "x-forwarded-proto": "https"},
    }


def woken() -> None:
    """Twins of one snapshot must not draw the same numbers: ids are random in part."""
    random.seed()
    uuid_utils.reseed_rng()


def _on_waking() -> None:
    try:
        hooks = importlib.import_module("snapshot_restore_py")
    except ImportError:  # Lambda's own Python has it, no other
        return
    hooks.register_after_restore(woken)


def lambda_handler(event: Any, context: Any) -> Any:
    """Raises Refused, where Zappa would be silent or would run what it is sent."""
    if event.get("version") == "2.0" and "rawPath" in event:
        _role_checked()
        return _answered(_handler.handler(_from_its_client(event), context))
    if event.get("detail-type") == "Scheduled Event":
        return _handler.handler(event, context)
    if any(record.get("eventSource") == "aws:sqs" for record in event.get("Records", [])):
        return import_string(QUEUE)(event, context)
    if manage := event.get("manage"):
        return {"output": _managed(manage, event.get("stdin", ""))}
    if event.get("command") in ENTRIES:
        return import_string(event["command"])(event, context)
    raise Refused(f"Nobody here takes {event.get('detail-type') or ', '.join(sorted(event)) or 'nothing'}.")


def _managed(command: str, given: str) -> str:
    """What a command of manage.py says; `given` is what it may read from standard input, such as a password."""
    said, before = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(given)
    try:
        call_command(*shlex.split(command), stdout=said, stderr=said, no_color=True)
    except CommandError as error:
        raise CommandFailed(f"{said.getvalue()}{error}") from error
    except SystemExit as end:  # it would end the function, and nobody would read what was said
        if end.code:
            raise CommandFailed(said.getvalue()) from end
    finally:
        sys.stdin = before
    return said.getvalue()


@cache
def _role_checked() -> None:
    """With the first request, which opens the connection anyway."""
    refuse_wrong_role("default")


def _from_its_client(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Zappa takes the client's address from a header, which anybody may write."""
    address = event["requestContext"]["http"]["sourceIp"]
    return {**event, "headers": {**event["headers"], "x-forwarded-for": address}}


def _answered(answer: dict[str, Any]) -> dict[str, Any]:
    """Zappa says each cookie twice. Its own answer to what Django did not answer is JSON within JSON, without a type."""
    if "headers" in answer:
        return {**answer, "cookies": list(dict.fromkeys(cookie.strip() for cookie in answer["cookies"]))}
    problem = '{"type": "about:blank", "title": "Internal Server Error", "status": 500, "code": "server_error"}'
    return {**answer, "headers": {"content-type": "application/problem+json"}, "body": problem, "isBase64Encoded": False}


def _loaded() -> Any:
    """Zappa's handler. What is loaded stays, so that nobody need look through it for garbage."""
    gc.disable()
    if settings.API_DESCRIPTION:
        settings.REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"] = UNDESCRIBED
    sys.modules.update(dict.fromkeys(NOT_YET))  # type: ignore[arg-type]  # None is how Python is told that there is none
    try:
        handler = _zappa().LambdaHandler()
        with unseen():
            for path in (ALIVE, REFUSED):
                handler.handler(_request(path), None)
    finally:
        for name in NOT_YET:
            del sys.modules[name]
    gc.freeze()
    gc.enable()
    return handler


_handler = _loaded()
_on_waking()

"""Every error of the API as RFC 9457 problem+json: the only place where exceptions and HTTP meet."""

import logging
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as ModelError
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from core import errors
from core.constraints import violated
from core.json import dumps
from core.logs import route_of

logger = logging.getLogger("core.requests")

CONTENT_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="api"'  # of each 401, by RFC 9110
STATUS_OF = {
    errors.Invalid: 400, errors.NotAuthenticated: 401, errors.Forbidden: 403, errors.NotFound: 404, errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooMany: 429,
}


def problem(
    status: int, code: str, detail: str, *, request: Any, errors: list[dict[str, str]] | None = None, **extra: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"urn:quartermaster:problem:{code}", "title": HTTPStatus(status).phrase, "status": status,
        "detail": detail, "code": code, "request_id": getattr(request, "request_id", ""), **extra,
    }
    if errors:
        body["errors"] = errors
    return body


def to_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None for what is our fault: Django then answers 500 through `server_error`."""
    request = context["request"]
    status, code, detail, fields = describe(error)
    if not status:
        return None
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    headers |= getattr(error, "headers", {})
    more = {**getattr(error, "extra", {}), **getattr(error, "members", {})}
    body = problem(status, code, detail, request=request._request, errors=fields, **more)
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


class MissingPermission(exceptions.PermissionDenied):
    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}, which you do not have here.")
        self.extra = {"missing_permission": permission}


class BadParameter(exceptions.ValidationError):
    """A query parameter is unknown or has a wrong value."""

    place = "parameter"

    def __init__(self, name: str, detail: str, code: str = "invalid") -> None:
        super().__init__(detail, code=code)
        self.parameter, self.sentence = name, detail


class BadHeader(BadParameter):
    """A header has a wrong value."""

    place = "header"


type Description = tuple[int, str, str, list[dict[str, str]]]


def describe(error: Exception) -> Description:
    """Status 0 where the error is not the caller's."""
    if isinstance(error, errors.DomainError):
        status = next((number for kind, number in STATUS_OF.items() if isinstance(error, kind)), 409)
        wrong = getattr(error, "fields", {})
        fields = [{"pointer": f"/{name}", "code": error.code, "detail": text} for name, text in wrong.items()]
        return status, error.code, error.detail, fields
    if isinstance(error, IntegrityError | DataError):
        return _constraint(error)
    if isinstance(error, BadParameter):
        fields = [{error.place: error.parameter, "code": "invalid", "detail": error.sentence}]
        return 400, f"invalid_{error.place}", error.sentence, fields
    if isinstance(error, exceptions.ValidationError):
        fields = list(_flatten(error.get_full_details(), ""))
        return 400, "invalid", _summary(fields), fields
    if isinstance(error, ModelError):
        fields = [
            {"pointer": f"/{name}", "code": "invalid", "detail": text}
            for name, texts in _messages(error).items() for text in texts
        ]
        return 400, "invalid", _summary(fields), fields
    if isinstance(error, Http404):
        return 404, "not_found", "There is no such row in this organization.", []
    if isinstance(error, PermissionDenied):
        return 403, "permission_denied", str(error) or "This is not allowed.", []
    if isinstance(error, RequestDataTooBig):
        return 413, "body_too_large", "The body is too large: send it in parts.", []
    if isinstance(error, exceptions.APIException):
        return error.status_code, str(error.default_code), str(error.detail), getattr(error, "fields", [])
    return 0, "", "", []


def _messages(error: ModelError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


def _constraint(error: Exception) -> Description:
    if (violation := violated(error)) is None:
        return 0, "", "", []
    fields = [{"pointer": f"/{name}", "code": violation.code, "detail": violation.detail} for name in violation.fields]
    return violation.status, violation.code, violation.detail, fields


def _flatten(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(details, dict) and set(details) == {"message", "code"} and not isinstance(details["message"], dict):
        yield {"pointer": pointer or "/", "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _flatten(inner, pointer if name == "non_field_errors" else f"{pointer}/{_escape(str(name))}")
    else:
        for index, inner in enumerate(details):
            row = isinstance(inner, dict) and set(inner) != {"message", "code"}
            yield from _flatten(inner, f"{pointer}/{index}" if row else pointer)


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _summary(fields: list[dict[str, str]]) -> str:
    first = fields[0]
    name = re.sub(r"^/", "", first.get("pointer", ""))
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    return f"{name}: {first['detail']}{more}" if name else f"{first['detail']}{more}"


def json_response(body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(dumps(body), status=body["status"], content_type=CONTENT_TYPE)


def _speaks_json(request: HttpRequest) -> bool:
    return re.match(settings.CORS_URLS_REGEX, request.path_info) is not None


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _speaks_json(request):
        return defaults.page_not_found(request, exception)
    return json_response(problem(404, "unknown_address", f"There is nothing at {request.path}.", request=request))


def server_error(request: HttpRequest) -> HttpResponse:
    logger.error("Request %s: %s %s failed", getattr(request, "request_id", "-"), request.method, route_of(request))
    if not _speaks_json(request):
        return defaults.server_error(request)
    detail = "Something went wrong on our side. Quote the request_id when you report it."
    return json_response(problem(500, "server_error", detail, request=request))

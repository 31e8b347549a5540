"""What stays closed to a member who has been let in: without the second factor, or in another's name."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse

from accounts.principal import Principal
from core.problems import json_response, problem

ENROL = (
    "second_factor_enrolment_required",
    "A second factor is required here, and you have none: enrol one at /api/v1/me/second-factors/, or in the admin.",
)
PROVE = (
    "second_factor_required",
    "A second factor is required here, and this sign-in did not show yours: sign in again.",
)


def refusal(request: Any, principal: Principal) -> Any:
    """The answer in place of the view's, or None."""
    if principal.acting and view_name(request) in settings.CLOSED_WHILE_IMPERSONATING:
        detail = "This is not open to you while you act for a member: end that first."
        return refused(request, "impersonating", detail)
    if principal.by_provider and view_name(request) in settings.CLOSED_TO_PROVIDERS:
        detail = "Your identity provider signed you in, so that this account is changed there."
        return refused(request, "signed_in_by_provider", detail)
    if principal.second_factor_missing and view_name(request) not in settings.OPEN_WITHOUT_SECOND_FACTOR:
        return refused(request, *(PROVE if principal.has_second_factor else ENROL))
    return None


def refused(request: Any, code: str, detail: str) -> Any:
    if request.path_info.startswith("/api/") or not request.principal.by_cookie:
        return json_response(problem(403, code, detail, request=request))
    if request.principal.acting:
        raise PermissionDenied(detail)
    messages.warning(request, "A second factor is required here.")
    return HttpResponseRedirect(reverse(settings.SECOND_FACTORS_PAGE))


def view_name(request: Any) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""

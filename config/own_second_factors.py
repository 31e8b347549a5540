"""The page of the account's menu where people enrol and remove second factors."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.credentials import PROVED
from accounts.models import User
from accounts.services import second_factors
from config.signing_in import credential_of, host_of
from core.errors import DomainError, Invalid


def view(site: Any) -> Callable[..., HttpResponse]:
    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    def second_factors_page(request: Any) -> HttpResponse:
        user = User.objects.get(pk=request.user.pk)
        shown: dict[str, Any] = {}
        if request.method == "POST":
            try:
                shown = _act(request, user)
            except DomainError as error:
                messages.error(request, error.detail)
            else:
                if not shown:
                    return HttpResponseRedirect(reverse("admin:second_factors"))
        request.current_app = site.name
        return TemplateResponse(request, "admin/second_factors.html", {
            **site.each_context(request), "title": "Your second factors", **_state(request, user), **shown,
        })

    return site.admin_view(second_factors_page)  # type: ignore[no-any-return]


def _act(request: Any, user: User) -> dict[str, Any]:
    """What the page shows besides; nothing: it is opened anew."""
    given, asked = request.POST, request.POST.get("do", "")
    if asked == "register":
        return _registration(request, user)
    if asked not in ACTIONS:
        raise Invalid("Choose one of the buttons.")
    second_factors.prove_again(
        user=user, origin=request.origin, proved=request.session.get(PROVED, False),
        password=given.get("password", ""), code=given.get("proof_code", ""),
    )
    return ACTIONS[asked](request, user)


def _prove(request: Any, user: User) -> dict[str, Any]:
    request.session[PROVED] = True
    messages.success(request, "You may go on.")
    return {}


def _activate(request: Any, user: User) -> dict[str, Any]:
    second_factors.totp_activate(user=user, token=request.POST.get("token", ""), code=request.POST.get("code", ""))
    request.session[PROVED] = True
    messages.success(request, "The authenticator app is enrolled. Make recovery codes now, in case you lose it.")
    return {}


def _registration(request: Any, user: User) -> dict[str, Any]:
    from accounts.services import webauthn  # noqa: PLC0415

    options, token = webauthn.register_begin(user=user, host=host_of(request))
    return {"registration": {"options": options, "token": token}}


def _register(request: Any, user: User) -> dict[str, Any]:
    from accounts.services import webauthn  # noqa: PLC0415

    given = request.POST
    webauthn.register_complete(
        user=user, host=host_of(request), token=given.get("token", ""), name=given.get("name", ""),
        credential=credential_of(given.get("credential", "")) or {},
    )
    request.session[PROVED] = True
    messages.success(request, "The security key is enrolled. Make recovery codes now, in case you lose it.")
    return {}


def _codes(request: Any, user: User) -> dict[str, Any]:
    return {"codes": second_factors.recovery_codes_generate(user=user)}


def _remove(request: Any, user: User) -> dict[str, Any]:
    wanted = request.POST.get("id", "")
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() else 0
    second_factors.authenticator_remove(user=user, authenticator_id=number)
    messages.success(request, "Removed.")
    return {}


ACTIONS = {"prove": _prove, "activate": _activate, "complete": _register, "codes": _codes, "remove": _remove}


def _state(request: Any, user: User) -> dict[str, Any]:
    rows = second_factors.authenticators_of(user.pk)
    proved, has = request.session.get(PROVED, False), bool(rows)
    types = {row.type for row in rows}
    setup = None
    if second_factors.TOTP not in types:
        token = request.POST.get("token", "") if request.POST.get("do") == "activate" else ""
        setup = _kept(user, token) or second_factors.totp_begin(user=user)
    return {
        "rows": rows, "setup": setup, "has_second_factor": has, "proved": proved, "by_password": proved or not has,
        "missing": bool(request.principal and request.principal.second_factor_missing),
        "codes_left": second_factors.recovery_codes_left(user_id=user.pk),
    }


def _kept(user: User, token: str) -> second_factors.Setup | None:
    """After a typing error the same secret again: it has been scanned."""
    try:
        return second_factors.setup_of(user, token) if token else None
    except DomainError:
        return None

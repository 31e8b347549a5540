"""Signing in to the admin: the password, and then the second factor of whom has one."""

import json
import time
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from accounts.credentials import PROVED
from accounts.models import User
from accounts.services.attempts import attempt_failed, attempts_forget, refuse_locked
from accounts.services.challenges import SECONDS, Answer, answer_matches, assertion_begin
from accounts.services.second_factors import WEBAUTHN, methods_of
from core.errors import DomainError

PENDING = "pending_sign_in"  # in the session, between the two pages


class SignInForm(AuthenticationForm):
    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget = UnfoldAdminEmailInputWidget(attrs={"autocomplete": "username", "autofocus": True})

    def get_invalid_login_error(self) -> ValidationError:
        try:
            refuse_locked(account=self.cleaned_data["username"], origin=self.request.origin)
        except DomainError as error:
            return ValidationError(error.detail, code=error.code)
        wrong: ValidationError = super().get_invalid_login_error()
        return wrong


class SignInView(LoginView):
    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if user.second_factor_at is None:
            attempts_forget(account=user.email, origin=self.request.origin)  # type: ignore[attr-defined]  # the middleware's
            return super().form_valid(form)
        self.request.session[PENDING] = {
            "user": str(user.pk), "password": user.get_session_auth_hash(), "at": time.time(), "next": self.get_success_url(),
        }
        return HttpResponseRedirect(reverse("admin:second_factor"))


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=20, required=False, label="Code of your authenticator app, or a recovery code",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )
    credential = forms.CharField(required=False, widget=forms.HiddenInput)


def second_factor_view(site: Any) -> Callable[..., HttpResponse]:
    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    def second_factor(request: Any) -> HttpResponse:
        if (user := pending_user(request)) is None:
            return HttpResponseRedirect(reverse("admin:login"))
        form = CodeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return _enter(request, user, form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.detail)
        methods = methods_of(user.pk)
        context = {
            **site.each_context(request), "title": "Second factor", "form": form, "methods": methods,
            "options": _options(request, user) if WEBAUTHN in methods else None,
        }
        request.current_app = site.name
        return TemplateResponse(request, "admin/second_factor.html", context)

    return second_factor


def pending_user(request: Any) -> User | None:
    """Whose password was right less than five minutes ago, and still is."""
    kept = request.session.get(PENDING)
    if kept is None or time.time() > kept["at"] + SECONDS:
        request.session.pop(PENDING, None)
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept["password"], user.get_session_auth_hash()):
        return None
    return user


def _enter(request: Any, user: User, given: dict[str, str]) -> HttpResponse:
    refuse_locked(account=user.email, origin=request.origin)
    kept = request.session[PENDING]
    answer = Answer(given["code"], credential_of(given["credential"]))
    if not answer_matches(user=user, answer=answer, state=kept.get("webauthn"), host=host_of(request)):
        attempt_failed(account=user.email, origin=request.origin, user_agent=request.headers.get("User-Agent", ""))
        refuse_locked(account=user.email, origin=request.origin)
        raise DomainError("This is wrong, or was used before. A code of an app changes each half minute: try the next one.")
    with transaction.atomic():
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
        request.session.pop(PENDING, None)
        request.session[PROVED] = True
        attempts_forget(account=user.email, origin=request.origin)
    return HttpResponseRedirect(kept["next"])


def _options(request: Any, user: User) -> Any:
    options, state = assertion_begin(user, host_of(request))
    request.session[PENDING] = {**request.session[PENDING], "webauthn": state}
    return options


def credential_of(text: str) -> dict[str, Any] | None:
    """None where no security key answered."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def host_of(request: Any) -> str:
    host: str = request.get_host()
    return host.partition(":")[0]

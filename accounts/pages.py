"""Pages for mailed links, for people who have no front end but the admin. Looking at one changes nothing."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.services.addresses import email_verify
from accounts.services.invitations import Invited, invitation_accept, invitation_find
from accounts.services.passwords import password_reset, password_reset_request
from core.errors import DomainError

SENT = "If the address is known here, a mail with a link is on its way to it."


class NoForm(forms.Form):
    """A button alone."""


class EmailForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class PresentPasswordForm(forms.Form):
    password = forms.CharField(
        label="Password of your account", strip=False, max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Password", strip=False, max_length=1000, help_text=password_validators_help_text_html,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password, once more", strip=False, max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "password" in values and "again" in values and values["password"] != values["again"]:
            self.add_error("again", "The two passwords differ.")
        return values


class NewPersonForm(PasswordForm):
    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "password", "again"]


def page(view: Callable[..., HttpResponse]) -> Any:
    return never_cache(csrf_protect(require_http_methods(["GET", "POST"])(view)))


def asked(
    request: HttpRequest, form_class: type[forms.Form], act: Callable[[dict[str, Any]], str], **context: Any,
) -> HttpResponse:
    """The form; once it is sent and accepted, the sentence that `act` gives."""
    form = form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return TemplateResponse(request, "account_pages/page.html", {**context, "done": act(form.cleaned_data)})
        except DomainError as error:
            _explain(form, error)
    status = 400 if form.errors else 200
    return TemplateResponse(request, "account_pages/page.html", {**context, "form": form}, status=status)


def _explain(form: forms.Form, error: DomainError) -> None:
    fields = getattr(error, "fields", {})
    for name, text in fields.items():
        form.add_error(name if name in form.fields else None, text)
    if not fields:
        form.add_error(None, error.detail)


def verify(request: HttpRequest, key: str) -> HttpResponse:
    def act(values: dict[str, Any]) -> str:
        return f"{email_verify(key=key).email} is verified. You can sign in with it."

    return asked(request, NoForm, act, title="Verify your e-mail address", button="Verify")


def reset_request(request: HttpRequest) -> HttpResponse:
    def act(values: dict[str, Any]) -> str:
        password_reset_request(**values)
        return SENT

    return asked(request, EmailForm, act, title="Forgotten password", button="Mail me a link")


def reset(request: Any, key: str) -> HttpResponse:
    def act(values: dict[str, Any]) -> str:
        password_reset(key=key, password=values["password"], origin=request.origin)
        return "Your password has changed, and all sign-ins have ended. Sign in with the new one."

    return asked(request, PasswordForm, act, title="Choose a new password", button="Change the password")


def invitation(request: Any, key: str) -> HttpResponse:
    try:
        found = invitation_find(token=key)
    except DomainError as error:
        context = {"title": "Invitation", "refused": error.detail}
        return TemplateResponse(request, "account_pages/page.html", context, status=404)

    def act(values: dict[str, Any]) -> str:
        invitation_accept(
            token=key, origin=request.origin, name=values.get("name", ""), password=values.get("password", ""),
            user_id=request.user.pk if signed_in else None,
        )
        return f"You are a member of {found.organization} now. Sign in with {found.email}."

    signed_in = request.user.is_authenticated and request.user.email == found.email
    title = f"Join {found.organization} as {found.email}"
    return asked(request, _form_for(found, signed_in), act, title=title, button="Accept the invitation")


def _form_for(found: Invited, signed_in: bool) -> type[forms.Form]:
    if signed_in:
        return NoForm
    is_known = User.objects.filter(email=found.email, email_verified_at__isnull=False).exists()
    return PresentPasswordForm if is_known else NewPersonForm


urlpatterns = [
    path("verify-email/<str:key>/", page(verify), name="account-verify"),
    path("reset-password/", page(reset_request), name="admin_password_reset"),  # the name that the admin's sign-in page looks for
    path("reset-password/<str:key>/", page(reset), name="account-reset"),
    path("invitation/<str:key>/", page(invitation), name="account-invitation"),
]

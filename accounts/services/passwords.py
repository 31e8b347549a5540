"""Forgotten and changed passwords. Each change ends the other sign-ins and is told by mail."""

from uuid import UUID

from allauth.account import app_settings
from allauth.account.utils import url_str_to_user_pk, user_pk_to_url_str
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User, UserSession
from accounts.services.activity import session_rekey, sessions_end
from accounts.services.addresses import email_mark_verified
from accounts.services.attempts import attempt_failed, refuse_locked
from accounts.services.mail import link, mail_send
from core.errors import Invalid
from core.tenancy import Origin


def password_check(*, password: str, user: User) -> None:
    """Raises Invalid with the sentences of each rule that is broken."""
    if "\0" in password:
        raise Invalid("A NUL character cannot be stored.", fields={"password": "A NUL character cannot be stored."})
    try:
        validate_password(password, user)
    except ValidationError as error:
        text = " ".join(error.messages)
        raise Invalid(text, code="password_refused", fields={"password": text}) from error


def reset_key(user: User) -> str:
    """Void once the password, the address or the last sign-in has changed, and after PASSWORD_RESET_TIMEOUT."""
    return f"{user_pk_to_url_str(user)}-{app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)}"


def password_reset_request(*, email: str) -> None:
    """Says nothing about whether the address is known."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is not None:
        mail_send(to=user.email, template="reset_password", user=user, link=link("reset-password", reset_key(user)))


@transaction.atomic
def password_reset(*, key: str, password: str, origin: Origin) -> User:
    """Whoever has the mailed link sets a password, and has proved the address by it. Raises Invalid."""
    user = _user_of(key)
    password_check(password=password, user=user)
    email_mark_verified(user=user)
    _set(user, password, origin, keep=None)
    return user


def _user_of(key: str) -> User:
    uid, _, token = key.partition("-")
    try:
        user = User.objects.select_for_update().filter(pk=url_str_to_user_pk(uid), is_active=True).first()
    except (ValueError, ValidationError):
        user = None
    if user is None or not app_settings.PASSWORD_RESET_TOKEN_GENERATOR().check_token(user, token):
        raise Invalid("This link has expired or was used already: ask for a new one.", code="link_invalid")
    return user


@transaction.atomic
def password_change(*, user_id: UUID, old: str, new: str, origin: Origin, keep: int | None = None) -> None:
    """`keep` is the sign-in that goes on. Raises Invalid, and LockedOut: guesses count as where one signs in."""
    user = User.objects.select_for_update().get(pk=user_id)
    refuse_locked(account=user.email, origin=origin)
    if not user.check_password(old):
        attempt_failed(account=user.email, origin=origin)
        raise Invalid("This is not your password.", code="wrong_password", fields={"old_password": "This is not your password."})
    password_check(password=new, user=user)
    _set(user, new, origin, keep=keep)


def _set(user: User, password: str, origin: Origin, *, keep: int | None) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    password_changed(user=user, origin=origin, keep=keep)


def password_changed(*, user: User, origin: Origin, keep: int | None) -> None:
    """Ends the other sign-ins; the one that is kept goes on under the new password."""
    sessions_end(user_id=user.pk, reason=UserSession.Reason.PASSWORD, keep=keep)
    session_rekey(session_id=keep, user=user)
    mail_send(to=user.email, template="password_changed", user=user, origin=origin, now=timezone.now())

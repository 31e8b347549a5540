"""Between the password and the second factor: a challenge for one person, for five minutes, that opens one session.

It is a row of Django's session table, so that every process knows when it is used up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Never

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare

from accounts.models import User
from accounts.services.attempts import attempt_failed, refuse_locked
from accounts.services.second_factors import WEBAUTHN, code_matches, methods_of
from core.errors import NotAuthenticated
from core.tenancy import Origin

SECONDS = 300
SALT = "accounts.challenge"


class SignInRefused(NotAuthenticated):
    """Wrong e-mail or password, or no organization to sign in to. Says no more, to help nobody guess."""

    code = "sign_in_refused"


class SecondFactorRequired(NotAuthenticated):
    """The password was right; `extra` tells a program how to go on."""

    code = "second_factor_required"

    def __init__(self, **members: object) -> None:
        super().__init__("Send the challenge with a code of your authenticator app, a recovery code or a security key's answer.")
        self.extra = members


@dataclass(frozen=True, slots=True)
class Answer:
    """One of both."""

    code: str = ""
    credential: dict[str, Any] | None = None


def challenge_open(*, user: Any, organization: str, host: str) -> Never:
    """Raises SecondFactorRequired with the challenge."""
    methods = methods_of(user.pk)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.update({"challenged": str(user.pk), "password": user.get_session_auth_hash(), "organization": organization})
    members: dict[str, Any] = {"methods": methods, "expires_in": SECONDS}
    if WEBAUTHN in methods and host:
        members["webauthn"], session["webauthn"] = assertion_begin(user, host)
    session.set_expiry(SECONDS)
    session.save()
    members["challenge"] = signing.dumps(session.session_key, salt=SALT)
    raise SecondFactorRequired(**members)


@contextmanager
def challenge_answer(
    *, challenge: str, answer: Answer, origin: Origin, user_agent: str, host: str,
) -> Iterator[tuple[Any, str]]:
    """Yields the person and the slug. A wrong answer counts and leaves the challenge; a right one uses it up."""
    key, state = _read(challenge)
    user = User.objects.filter(pk=state["challenged"], is_active=True).first()
    if user is None or not constant_time_compare(state["password"], user.get_session_auth_hash()):
        raise _expired()
    refuse_locked(account=user.email, origin=origin)
    with transaction.atomic():
        if answer_matches(user=user, answer=answer, state=state.get("webauthn"), host=host):
            if not Session.objects.filter(pk=key).delete()[0]:
                raise _expired()
            yield user, state["organization"]
            return
    attempt_failed(account=user.email, origin=origin, user_agent=user_agent)
    refuse_locked(account=user.email, origin=origin)
    raise SignInRefused("The code is wrong, or was used before: wait for the next one.", code="wrong_code")


def answer_matches(*, user: User, answer: Answer, state: Any, host: str) -> bool:
    if answer.credential is None:
        return code_matches(user_id=user.pk, code=answer.code)
    if state is None:
        return False
    from accounts.services import webauthn  # noqa: PLC0415

    with transaction.atomic():
        return webauthn.assertion_matches(user=user, host=host, state=state, credential=answer.credential)


def assertion_begin(user: User, host: str) -> tuple[dict[str, Any], Any]:
    from accounts.services import webauthn  # noqa: PLC0415

    return webauthn.authenticate_begin(user=user, host=host)


def _read(challenge: str) -> tuple[str, dict[str, Any]]:
    try:
        key = signing.loads(challenge, salt=SALT, max_age=SECONDS)
    except signing.BadSignature as error:
        raise _expired() from error
    state = dict(import_module(settings.SESSION_ENGINE).SessionStore(key).items())
    if "challenged" not in state:
        raise _expired()
    return key, state


def _expired() -> SignInRefused:
    return SignInRefused("The challenge is not valid, has expired or was used: sign in again.", code="challenge_expired")

"""Sign-in for programs: a session, and the tokens bound to it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, authenticate
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.principal import Claim, MemberEntry
from accounts.queries.identity import OwnOrganization, organizations_of
from accounts.services.attempts import attempts_forget, refuse_locked, request_of
from accounts.services.challenges import Answer, SignInRefused, challenge_answer, challenge_open
from accounts.tokens import TokenStrategy
from core.tenancy import Origin, organization_scope

NO_ADDRESS = "0.0.0.0"  # noqa: S104  # the column is never null


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    refresh_token: str
    expires_in: int
    organization: str = ""
    roles: tuple[str, ...] = ()


def session_open(
    *, email: str, password: str, organization: str = "", origin: Origin, user_agent: str = "", host: str = "",
) -> Tokens:
    """`organization` is a slug; without one, the person's default organization. `host` is where security keys are for.

    Raises SignInRefused, LockedOut, and SecondFactorRequired with the challenge that `session_complete` takes.
    Not one transaction: the count of wrong passwords must stay.
    """
    user: Any = authenticate(request_of(origin, user_agent), username=email, password=password)
    if user is None:
        refuse_locked(account=email, origin=origin)
        raise SignInRefused("The e-mail address or the password is wrong.")
    chosen = _chosen(user, organization)
    if user.second_factor_at:
        challenge_open(user=user, organization=chosen.slug, host=host)
    return _open(user, chosen, origin, user_agent, proved=False)


def session_complete(*, challenge: str, answer: Answer, origin: Origin, user_agent: str = "", host: str = "") -> Tokens:
    """The second step. Raises SignInRefused and LockedOut."""
    with challenge_answer(challenge=challenge, answer=answer, origin=origin, user_agent=user_agent, host=host) as (user, slug):
        return _open(user, _chosen(user, slug), origin, user_agent, proved=True)


def _chosen(user: Any, organization: str) -> OwnOrganization:
    own = [found for found in organizations_of(user.pk) if organization in ("", found.slug)]
    if not own:
        refusal = "You are not an active member of that organization." if organization else "You belong to no organization yet."
        raise SignInRefused(refusal)
    return own[0]


@transaction.atomic
def _open(user: Any, chosen: OwnOrganization, origin: Origin, user_agent: str, *, proved: bool) -> Tokens:
    with organization_scope(chosen.id, origin=origin, enter=MemberEntry(Claim(user.pk, chosen.id))) as principal:
        roles = principal.roles if principal else ()
    attempts_forget(account=user.email, origin=origin)
    session = _new_session(user, chosen, roles, origin, user_agent, proved)
    access, refresh = TokenStrategy().open(user, session)
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return Tokens(access, refresh, settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, chosen.slug, roles)


def _new_session(
    user: Any, chosen: OwnOrganization, roles: tuple[str, ...], origin: Origin, user_agent: str, proved: bool,
) -> Any:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN)
    session.save()
    row = UserSession.objects.create(
        user_id=user.pk, ip=origin.ip or NO_ADDRESS, session_key=session.session_key, user_agent=user_agent[:200],
        data={"second_factor": True} if proved else {},
    )
    session.update({"organization": str(chosen.id), "slug": chosen.slug, "roles": list(roles), "session": row.pk})
    return session


def session_proved(*, user_id: Any, session_id: int) -> None:
    """Who enrolls in a session has shown the second factor there."""
    UserSession.objects.filter(pk=session_id, user_id=user_id).update(data={"second_factor": True})


def session_refresh(*, refresh_token: str) -> Tokens:
    tokens = TokenStrategy().refresh_token(refresh_token)
    if tokens is None:
        raise SignInRefused("The refresh token is not valid, has expired or was used before: sign in again.")
    return Tokens(tokens[0], tokens[1], settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN)


def session_close(*, user_id: Any, session_id: int) -> None:
    """Void at once: the session's access tokens name it, and the scope looks whether it is there."""
    for row in UserSession.objects.filter(pk=session_id, user_id=user_id):
        row.end()

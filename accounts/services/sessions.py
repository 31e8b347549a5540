"""Sign-in for programs: a session, and the tokens bound to it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession as LibrarySession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, authenticate
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User, UserSession
from accounts.principal import ACCESS_SECONDS, REFRESH_SECONDS, Claim, MemberEntry, Principal, Reused
from accounts.queries.identity import OwnOrganization, organizations_of
from accounts.services.activity import NO_ADDRESS, session_seen, sessions_end
from accounts.services.attempts import attempts_forget, refuse_locked, request_of
from accounts.services.challenges import Answer, SignInRefused, challenge_answer, challenge_open
from accounts.services.mail import mail_send
from core.tenancy import Origin, organization_scope

SECOND_FACTOR = "second_factor"  # in the library's session; accounts_enter() reads it


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
        raise SignInRefused("The e-mail address or the password is wrong, or the address is not verified yet.")
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
    attempts_forget(account=user.email, origin=origin)
    session, row = _new_session(user, origin, user_agent, proved)
    tokens = _issue(user, session, Claim(user.pk, chosen.id, row.pk), origin, user_agent)
    if tokens is None:
        raise SignInRefused("You are not an active member of that organization.")
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return tokens


def _new_session(user: Any, origin: Origin, user_agent: str, proved: bool) -> tuple[Any, LibrarySession]:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    row = LibrarySession.objects.create(
        user_id=user.pk, ip=origin.ip or NO_ADDRESS, session_key=session.session_key, user_agent=user_agent[:200],
        data={SECOND_FACTOR: True} if proved else {},
    )
    return session, row


def session_proved(*, user_id: Any, session_id: int) -> None:
    """Who enrolls in a session has shown the second factor there."""
    if LibrarySession.objects.filter(pk=session_id, user_id=user_id).exists():
        _note(session_id, **{SECOND_FACTOR: True})


def _note(session_id: int, **facts: Any) -> None:
    row = LibrarySession.objects.select_for_update().get(pk=session_id)
    row.data = {**(row.data or {}), **facts}
    row.save(update_fields=["data"])


def _issue(user: Any, session: Any, claim: Claim, origin: Origin, user_agent: str) -> Tokens | None:
    """New tokens with what the member is today, and for as long as the organization says; None for no active member."""
    with organization_scope(
        claim.organization_id, origin=replace(origin, actor_id=claim.user_id), enter=MemberEntry(claim),
    ) as principal:
        if principal is None or claim.session_id is None:
            return None
        access, refresh = _lifetimes(claim.organization_id)
        session_seen(
            user_id=claim.user_id, session_id=claim.session_id, origin=origin, user_agent=user_agent,
            expires_at=timezone.now() + timedelta(seconds=refresh),
        )
    session.update({**_claims(principal, claim), ACCESS_SECONDS: access, REFRESH_SECONDS: refresh})
    access_token, refresh_token = _strategy().open(user, session)
    _note(claim.session_id, organization=principal.slug)
    return Tokens(access_token, refresh_token, access, principal.slug, principal.roles)


def _strategy() -> Any:
    # Brings PyJWT and cryptography, which a cold start should not wait for.
    from accounts.tokens import TokenStrategy  # noqa: PLC0415

    return TokenStrategy()


def _claims(principal: Principal, claim: Claim) -> dict[str, Any]:
    return {
        "organization": str(claim.organization_id), "slug": principal.slug, "roles": list(principal.roles),
        "session": claim.session_id,
    }


def _lifetimes(organization_id: UUID) -> tuple[int, int]:
    access, refresh = Organization.objects.values_list("access_token_seconds", "refresh_token_seconds").get(pk=organization_id)
    return (
        access or settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, refresh or settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN,
    )


def session_refresh(*, refresh_token: str, origin: Origin | None = None, user_agent: str = "") -> Tokens:
    """Raises SignInRefused. What the reuse of a token ends stays ended: this runs outside any scope, which would take it back."""
    origin = origin or Origin()
    with transaction.atomic():
        try:
            tokens = _refreshed(refresh_token, origin, user_agent)
        except Reused as reused:
            _end_family(reused, origin, user_agent)
            tokens = None
    if tokens is None:
        raise SignInRefused("The refresh token is not valid, has expired or was used before: sign in again.")
    return tokens


def _refreshed(refresh_token: str, origin: Origin, user_agent: str) -> Tokens | None:
    found = _strategy().exchange(refresh_token)
    if found is None:
        return None
    row, session, user = found
    claim = Claim(user.pk, UUID(session["organization"]), row.pk)
    return _issue(user, session, claim, origin, user_agent)


def _end_family(reused: Reused, origin: Origin, user_agent: str) -> None:
    user, reason = reused.row.user, UserSession.Reason.REUSE
    with organization_scope(UUID(reused.session["organization"]), origin=replace(origin, reason=str(reason.label))):
        sessions_end(user_id=user.pk, reason=reason, only=reused.row.pk)
    mail_send(
        to=user.email, template="token_reused", user=user, origin=origin, user_agent=user_agent, session=reused.row,
        now=timezone.now(),
    )


def session_close(*, user_id: Any, session_id: int) -> None:
    """Void at once: the session's access tokens name it, and the scope looks whether it is there."""
    sessions_end(user_id=user_id, reason=UserSession.Reason.SIGNED_OUT, only=session_id)

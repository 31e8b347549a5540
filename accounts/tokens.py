"""Gives out access and refresh tokens, by allauth's JWT strategy bound to a session.

Access tokens carry the organization and the roles; `accounts.access_tokens` reads them, without a query. Refresh tokens
rotate; one that is presented after its rotation ends the session, because somebody else may hold the other copy.
"""

from typing import Any

import jwt
from allauth.account.internal.userkit import user_id_to_str
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from allauth.usersessions.models import UserSession
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase

from accounts.principal import ACCESS_SECONDS, REFRESH_SECONDS, Reused

CLAIMS = ("organization", "slug", "roles", "session")


class TokenStrategy(JWTTokenStrategy):
    session: SessionBase | None = None

    def get_claims(self, user: AbstractBaseUser) -> dict[str, Any]:
        session = self.session
        if session is None:
            return {}
        claims = {name: session[name] for name in CLAIMS if name in session}
        return {**claims, "email": user.get_username(), "cognito:groups": claims.get("roles", [])}

    def open(self, user: AbstractBaseUser, session: SessionBase) -> tuple[str, str]:
        """allauth's own `create_access_token` and `create_refresh_token` know one time for all organizations."""
        self.session = session
        sub, sid = user_id_to_str(user), internal.session_key_to_sid(session.session_key or "")
        access, _ = internal.create_token(
            "access", sub=sub, sid=sid, claims=self.get_claims(user), expires_in=session[ACCESS_SECONDS],
        )
        refresh, payload = internal.create_token("refresh", sub=sub, sid=sid, expires_in=session[REFRESH_SECONDS])
        internal.get_refresh_token_state(session)[payload["jti"]] = payload["exp"]
        session.set_expiry(session[REFRESH_SECONDS])
        session.save()
        return access, refresh

    def exchange(self, refresh_token: str) -> tuple[UserSession, SessionBase, AbstractBaseUser] | None:
        """Voids the token, and gives the session to `open` again. Needs a transaction. Raises Reused."""
        payload = internal.decode_token(refresh_token, "refresh")
        if payload is None:
            return None
        key = internal.session_key_from_sid(payload["sid"])
        # Locked first: two requests with one token must not both find it unused.
        row = UserSession.objects.select_for_update().filter(session_key=key).first()
        session = internal.get_token_session(payload) if row else None
        if row is None or session is None:
            return None
        if payload["jti"] not in internal.get_refresh_token_state(session):
            raise Reused(row, session)
        found = internal.validate_refresh_token(refresh_token)
        if found is None:
            return None
        internal.invalidate_refresh_token(session, payload)
        return row, session, found[0]


def decoded(token: str) -> dict[str, Any]:
    """What a token of ours says, whatever its age and use. Raises ValueError if it is none."""
    config = internal._get_jwt_config()  # as decode_token does, which does not say why it refuses
    try:
        found: dict[str, Any] = jwt.decode(
            token, key=config.verifying_key, algorithms=[config.algorithm], options={"verify_exp": False},
        )
    except jwt.InvalidTokenError as error:
        raise ValueError(str(error)) from error
    return found

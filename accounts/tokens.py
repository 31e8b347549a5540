"""Access and refresh tokens, by allauth's JWT strategy bound to a session.

Access tokens carry the organization and the roles; `verify` needs no query. Refresh tokens rotate; one that
is presented after its rotation ends the session, because somebody else may hold the other copy.
"""

import time
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from allauth.usersessions.models import UserSession
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from accounts.principal import Claim


class TokenStrategy(JWTTokenStrategy):
    session: SessionBase | None = None

    def get_claims(self, user: AbstractBaseUser) -> dict[str, Any]:
        session = self.session
        if session is None:
            return {}
        return {name: session[name] for name in ("organization", "slug", "roles", "session") if name in session}

    def open(self, user: AbstractBaseUser, session: SessionBase) -> tuple[str, str]:
        self.session = session
        tokens = (
            internal.create_access_token(user, session, self.get_claims(user)), internal.create_refresh_token(user, session),
        )
        session.save()
        return tokens

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        payload = internal.decode_token(refresh_token, "refresh")
        if payload is None:
            return None
        with transaction.atomic():
            return self._rotate(refresh_token, payload)

    def _rotate(self, refresh_token: str, payload: dict[str, Any]) -> tuple[str, str] | None:
        key = internal.session_key_from_sid(payload["sid"])
        # Locked first: two requests with one token must not both find it unused.
        row = UserSession.objects.select_for_update().filter(session_key=key).first()
        if row is None:
            return None
        self.session = internal.get_token_session(payload)
        if self.session is None:
            return None
        if payload["jti"] not in internal.get_refresh_token_state(self.session):
            row.end()
            return None
        rotated: tuple[str, str] | None = super().refresh_token(refresh_token)
        return rotated


def verify(token: str) -> Claim | None:
    """The claim of an access token, or None if it is forged, expired or of another kind."""
    try:
        claim, expires_at = _read(token)
    except (KeyError, ValueError, TypeError, jwt.InvalidTokenError):
        return None
    return claim if time.time() < expires_at else None


@lru_cache(maxsize=1024)
def _read(token: str) -> tuple[Claim, int]:
    """Kept, because a client shows one token with each of its requests. Raises for what is no access token."""
    payload = internal.decode_token(token, "access")
    if payload is None:
        raise ValueError("not an access token")
    return Claim(UUID(payload["sub"]), UUID(payload["organization"]), int(payload["session"])), int(payload["exp"])

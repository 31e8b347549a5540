"""Reads the access tokens that `accounts.tokens` gives out, without PyJWT and cryptography, for which a cold start would wait."""

import base64
import hmac
import time
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from accounts.principal import Claim

HS256 = "HS256"
ALWAYS = ("jti", "sub", "sid")


class NoToken(ValueError):
    """It is not signed by us, or is no access token."""


def verify(token: str) -> Claim | None:
    """The claim of an access token, or None if it is forged, expired or of another kind."""
    try:
        claim, expires_at = _read(token)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return claim if time.time() < expires_at else None


def expired(token: str) -> bool:
    """Whether it is an access token of ours, and nothing but too old."""
    try:
        return float(_payload(token)["exp"]) <= time.time()
    except (KeyError, ValueError, TypeError, AttributeError):
        return False


@lru_cache(maxsize=1024)
def _read(token: str) -> tuple[Claim, float]:
    """Kept, because a client shows one token with each of its requests. Raises for what is no access token."""
    payload = _payload(token)
    claim = Claim(UUID(payload["sub"]), UUID(payload["organization"]), int(payload["session"]))
    return claim, float(payload["exp"])


def _payload(token: str) -> dict[str, Any]:
    """What an access token says, whatever its age."""
    payload = _signed_by_secret(token) if settings.HEADLESS_JWT_ALGORITHM == HS256 else _signed_by_key_pair(token)
    if payload.get("token_use") != "access" or not all(isinstance(payload.get(name), str) for name in ALWAYS):
        raise NoToken("no access token")
    return payload


def _signed_by_secret(token: str) -> dict[str, Any]:
    """Nothing of it is read before its signature has been compared."""
    signed, _, signature = token.rpartition(".")
    own = base64.urlsafe_b64encode(hmac.digest(settings.SECRET_KEY.encode(), signed.encode(), "sha256")).rstrip(b"=")
    if not hmac.compare_digest(own, signature.encode()):
        raise NoToken("not signed by us")
    header, payload = map(_decoded, signed.split("."))
    if header.get("alg") != HS256:
        raise NoToken("signed in another way")
    return payload


def _signed_by_key_pair(token: str) -> dict[str, Any]:
    # Brings PyJWT and cryptography, which tokens of a secret do without.
    from accounts.tokens import decoded  # noqa: PLC0415

    return decoded(token)


def _decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found

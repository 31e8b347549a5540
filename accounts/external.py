"""Access tokens of identity providers: RS256 or ES256 by the provider's published keys."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any

import httpx2
import jwt

from accounts.principal import ProviderUnavailable
from core.errors import NotAuthenticated

ALGORITHMS = ("RS256", "ES256")  # a shared secret is never one: HS256 with the public key as secret is an old forgery
FRESH = 3600  # seconds that keys count without being asked for again
PAUSE = 60  # seconds between two questions to a provider, whatever tokens arrive
PATIENCE = 5  # seconds for an answer, during which the others wait who need it
LEEWAY = 30  # seconds by which two clocks may differ
LARGEST_KEY_SET = 1_000_000  # bytes
MOST_AUDIENCES = 20


class TokenRefused(NotAuthenticated):
    code = "token_refused"


@dataclass(frozen=True, slots=True)
class Announced:
    """What a token says of itself, before anything is proved: enough to find who could prove it."""

    issuer: str
    audiences: tuple[str, ...]
    subject: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider has signed."""

    subject: str
    issued_at: datetime
    claims: dict[str, Any]

    @property
    def email(self) -> str:
        """Empty unless the provider says that it has checked it."""
        return str(self.claims.get("email", "")) if self.claims.get("email_verified") in (True, "true") else ""

    @property
    def name(self) -> str:
        return str(self.claims.get("name") or self.claims.get("username") or self.claims.get("preferred_username") or "")

    def groups(self, claim: str) -> list[str]:
        found = self.claims.get(claim, [])
        return sorted({group for group in found if isinstance(group, str)}) if isinstance(found, list) else []


class KeySet:
    """The public keys at one address. One thread asks while the others wait; old keys serve while the provider is away."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: dict[str, jwt.PyJWK] = {}
        self.asked_at = self.answered_at = -float("inf")
        self.lock = Lock()

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """None for an unknown key. Raises ProviderUnavailable."""
        with self.lock:
            now = time.monotonic()
            outdated = key_id not in self.keys or now - self.answered_at > FRESH
            if outdated and now - self.asked_at > PAUSE:
                self.asked_at = now
                self._ask()
            if not self.keys:
                raise ProviderUnavailable(f"No keys from {self.url}.")
            return self.keys.get(key_id)

    def _ask(self) -> None:
        try:
            with httpx2.Client(timeout=PATIENCE, follow_redirects=False, trust_env=False) as client:
                found = jwt.PyJWKSet.from_dict(_read(client, self.url))
        except (httpx2.HTTPError, ValueError, TypeError, AttributeError, RecursionError, jwt.PyJWTError):
            return  # whatever they sent instead of keys: the old ones stay
        self.keys = {key.key_id: key for key in found.keys if key.key_id and key.public_key_use in ("sig", None)}
        self.answered_at = self.asked_at


@cache
def key_set(url: str) -> KeySet:
    return KeySet(url)


def _read(client: httpx2.Client, url: str) -> Any:
    ends = time.monotonic() + PATIENCE
    with client.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as response:
        response.raise_for_status()
        body = b""
        for part in response.iter_raw():
            body += part
            if len(body) > LARGEST_KEY_SET or time.monotonic() > ends:
                raise ValueError("too large for a set of keys, or too slow")
    return httpx2.Response(200, content=body).json()


def announced(token: str) -> Announced | None:
    """None for what cannot be a provider's token, such as one with an algorithm that needs no key of theirs."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    issuer, subject, key_id = claims.get("iss"), claims.get("sub"), header.get("kid")
    audiences = _audiences(claims)
    texts = (issuer, subject, key_id, *audiences)
    if header.get("alg") not in ALGORITHMS or not all(isinstance(text, str) and text and "\0" not in text for text in texts):
        return None
    return Announced(str(issuer), tuple(audiences[:MOST_AUDIENCES]), str(subject), str(key_id))


def vouched(token: str, said: Announced, *, audience: str, keys_url: str) -> Vouched:
    """Raises TokenRefused, and ProviderUnavailable."""
    key = key_set(keys_url).key(said.key_id)
    if key is None:
        raise TokenRefused("The token is signed with a key that its issuer does not publish.", code="unknown_key")
    try:
        claims = jwt.decode(
            token, key, algorithms=list(ALGORITHMS), issuer=said.issuer, leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenRefused("The access token has expired: refresh it, or sign in again.", code="token_expired") from error
    except jwt.InvalidTokenError as error:
        raise TokenRefused("The access token is not valid.") from error
    if audience not in _audiences(claims):
        raise TokenRefused("The token is meant for another program.", code="wrong_audience")
    if not _is_for_access(jwt.get_unverified_header(token), claims):
        raise TokenRefused("This is no access token: send the access token, not the id token.", code="no_access_token")
    return Vouched(str(claims["sub"]), datetime.fromtimestamp(claims["iat"], UTC), claims)


def _audiences(claims: dict[str, Any]) -> list[Any]:
    """Cognito's access tokens have the client's id instead."""
    found = claims.get("aud", claims.get("client_id", []))
    return found if isinstance(found, list) else [found]


def _is_for_access(header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Cognito says it in `token_use`, RFC 9068 in the header `typ`; of the others, id tokens bear these claims."""
    if "token_use" in claims:
        return claims["token_use"] in ("access",)
    if str(header.get("typ", "")).lower() in ("at+jwt", "application/at+jwt"):
        return True
    names_a_right = "scope" in claims or "scp" in claims
    return names_a_right and claims.get("typ") != "ID" and not {"nonce", "at_hash", "c_hash"} & claims.keys()

"""Who asks: a token of ours or of an identity provider, an API key, or the admin's session."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest

from accounts.access_tokens import expired, verify
from accounts.impersonation import claim_of
from accounts.principal import Claim, KeyClaim
from accounts.queries.identity import find_api_key, organization_of_slug, organizations_of
from accounts.services.activity import session_of_cookie
from accounts.signatures import check_signature
from core import logs
from core.errors import NotAuthenticated
from core.reasons import HEADER, change_reason
from core.tenancy import Origin
from core.traces import trace_of, traceparent_of

# In the admin's session: the organization that was chosen; whether a second factor was shown; the session's key, and the
# id that the library knows it by.
ORGANIZATION, PROVED, SIGN_IN = "organization_id", "second_factor", "sign_in"


def describe(request: Any) -> Origin:
    """Raises Invalid for a reason that cannot be kept."""
    request.request_id = printable(request.headers.get("X-Request-Id", "")) or str(uuid4())
    traceparent = traceparent_of(request.headers.get("traceparent", ""), request.headers.get("X-Amzn-Trace-Id", ""))
    logs.note(request_id=request.request_id, trace_id=trace_of(traceparent))
    request.origin = Origin(
        request_id=request.request_id, traceparent=traceparent,
        reason=change_reason(request.headers.get(HEADER, "")), ip=client_ip(request),
    )
    return request.origin  # type: ignore[no-any-return]


def printable(header: str) -> str:
    """Nothing for what would confuse a log, or could not be stored."""
    return header[:64] if header.isascii() and header.isprintable() else ""


def client_ip(request: Any) -> str:
    """From the connection, or from the event that API Gateway hands to Lambda; a header could be forged."""
    event = request.META.get("lambda.event") or {}
    address = event.get("requestContext", {}).get("http", {}).get("sourceIp") or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def identify(request: HttpRequest, origin: Origin) -> Claim | KeyClaim | None:
    """None for nobody in particular. Raises NotAuthenticated, and ProviderUnavailable where nobody can tell."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        return _by_token(request, credential.strip(), origin)
    if scheme == "Api-Key":
        return _by_key(request, credential.strip(), origin)
    if scheme:
        raise NotAuthenticated("Authorization takes Bearer <access token> or Api-Key <key>.")
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    return claim_of(request, origin) or _by_session(request)


def _by_token(request: HttpRequest, token: str, origin: Origin) -> Claim:
    claim = verify(token)
    if claim is None and expired(token):
        raise NotAuthenticated("The access token has expired: refresh it, or sign in again.", code="token_expired")
    return _chosen(request, claim) if claim else _vouched_for(request, token, origin)


def _by_key(request: HttpRequest, text: str, origin: Origin) -> KeyClaim:
    key = find_api_key(text, origin.ip)
    if key is None:
        raise NotAuthenticated("The API key is not valid: it is unknown, revoked, expired or used from elsewhere.")
    check_signature(request, key)
    if request.headers.get("Organization", key.slug) != key.slug:
        raise NotAuthenticated(f"This API key is of {key.slug!r} alone: leave the header Organization out.")
    return key


def _vouched_for(request: HttpRequest, token: str, origin: Origin) -> Claim:
    # Brings the HTTP client, which only tokens of identity providers need.
    from accounts.services.external import external_claim  # noqa: PLC0415

    claim = external_claim(token=token, origin=origin)
    if claim is None:
        raise NotAuthenticated("The access token is not valid: refresh it, or sign in.")
    if request.headers.get("Organization", claim.slug) != claim.slug:
        raise NotAuthenticated(f"Your identity provider speaks for {claim.slug!r} alone: leave the header Organization out.")
    return claim


def _chosen(request: HttpRequest, claim: Claim) -> Claim:
    """Somebody in several organizations names one for this request."""
    if not (slug := request.headers.get("Organization", "")):
        return claim
    organization_id = organization_of_slug(claim.user_id, slug)
    if organization_id is None:
        raise NotAuthenticated(f"You are not an active member of {slug!r}.")
    return replace(claim, organization_id=organization_id)


def _by_session(request: Any) -> Claim | None:
    session = request.session
    chosen = session.get(ORGANIZATION)
    if chosen is None:
        own = organizations_of(request.user.pk)
        if not own:
            return None
        chosen = session[ORGANIZATION] = str(own[0].id)
    if (known := session.get(SIGN_IN, ["", None]))[0] != session.session_key:  # another one since the last sign-in
        known = session[SIGN_IN] = [session.session_key, session_of_cookie(
            user_id=request.user.pk, session_key=session.session_key, origin=request.origin,
            user_agent=request.headers.get("User-Agent", ""),
        )]
    return Claim(request.user.pk, UUID(chosen), known[1], by_cookie=True, proved=session.get(PROVED, False))

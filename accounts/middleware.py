"""Who is asking, and for which organization. In `accounts`, because it reads memberships."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import FileResponse, HttpRequest

from accounts.idempotency import idempotent
from accounts.limits import limited
from accounts.principal import Claim, KeyClaim, MemberEntry, Principal, ProviderUnavailable, key_principal
from accounts.queries.identity import find_api_key, organization_of_slug, organizations_of
from accounts.services.activity import session_of_cookie, session_seen
from accounts.services.keys import api_key_used
from accounts.signatures import check_signature
from core.errors import Invalid, NotAuthenticated
from core.problems import CHALLENGE, json_response, problem
from core.reasons import HEADER, change_reason
from core.tenancy import Origin, organization_scope, scope_is_open

type Handler = Callable[[Any], Any]

ORGANIZATION = "organization_id"  # in the admin's session
SIGN_IN = "sign_in"  # there too: the session's key, and the id that the library knows it by
# Outside any scope, whoever asks: they may lead into another organization than the one that credentials name, and what
# they note (a refresh token used twice) must stay although they refuse.
WAYS_IN = (
    "/api/v1/auth/token/", "/api/v1/auth/sign-up/", "/api/v1/auth/verify-email/", "/api/v1/auth/password/reset/",
    "/api/v1/auth/invitation/", "/account/", "/signup", "/signin",
)


def organization_middleware(get_response: Handler) -> Handler:
    """Run view and rendering inside the scope of the member's organization; without one, outside any.

    Django renders within `get_response` and turns an exception into a 500 there, so the status says it all:
    from 400 on, everything the view wrote is rolled back.
    """

    def handle(request: Any) -> Any:
        if scope_is_open():
            raise RuntimeError("A scope leaked into this request.")
        try:
            origin = describe(request)
            claim = identify(request, origin)
        except Invalid as error:
            return with_request_id(request, bad_reason(request, error))
        except NotAuthenticated as refusal:
            return with_request_id(request, unauthorized(request, refusal.detail, refusal.code))
        except ProviderUnavailable:
            return with_request_id(request, unavailable(request))
        if isinstance(claim, str):
            return with_request_id(request, unauthorized(request, claim))
        return with_request_id(request, limited(request, claim, lambda: answer(request, claim, origin, get_response)))

    return handle


def answer(request: Any, claim: Claim | KeyClaim | None, origin: Origin, get_response: Handler) -> Any:
    request.claim = claim
    if claim is None or request.path.startswith(WAYS_IN):
        request.principal = None
        return get_response(request)
    return serve(request, claim, origin, get_response)


def serve(request: Any, claim: Claim | KeyClaim, origin: Origin, get_response: Handler) -> Any:
    def scope() -> AbstractContextManager[Any]:
        if isinstance(claim, KeyClaim):
            return organization_scope(claim.organization_id, origin=replace(origin, api_key_id=claim.api_key_id))
        return organization_scope(
            claim.organization_id, origin=replace(origin, actor_id=claim.user_id), enter=MemberEntry(claim),
        )

    with scope() as entered:
        principal: Principal | None = key_principal(claim) if isinstance(claim, KeyClaim) else entered
        if isinstance(claim, KeyClaim) and not claim.used_lately:
            api_key_used(api_key_id=claim.api_key_id)
        if isinstance(claim, Claim) and claim.session_id and principal and not principal.seen_lately:
            session_seen(
                user_id=claim.user_id, session_id=claim.session_id, origin=origin,
                user_agent=request.headers.get("User-Agent", ""),
            )
        if principal is not None:
            request.principal, request.user = principal, principal.user
            response = idempotent(request, principal, get_response)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            if response.streaming and not isinstance(response, FileResponse):
                response.streaming_content = stream(response.streaming_content, scope)
            return response
    request.principal, request.user = None, AnonymousUser()
    if isinstance(claim, Claim) and claim.by_cookie:
        request.session.pop(ORGANIZATION, None)
        return get_response(request)
    return unauthorized(request, "This sign-in has ended, or its member is not active here any more: sign in again.")


def describe(request: Any) -> Origin:
    request.request_id = request.headers.get("X-Request-Id", "")[:64] or str(uuid4())
    request.origin = Origin(
        request_id=request.request_id, traceparent=request.headers.get("traceparent", "")[:64],
        reason=change_reason(request.headers.get(HEADER, "")), ip=client_ip(request),
    )
    return request.origin  # type: ignore[no-any-return]


def client_ip(request: Any) -> str:
    """From the connection, or from the event that API Gateway hands to Lambda; a header could be forged."""
    event = request.META.get("lambda.event") or {}
    address = event.get("requestContext", {}).get("http", {}).get("sourceIp") or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def identify(request: HttpRequest, origin: Origin) -> Claim | KeyClaim | str | None:
    """A claim, None for nobody in particular, or the sentence that says why the credentials are refused.

    Raises NotAuthenticated for a wrong signature.
    """
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        # Brings allauth and PyJWT, which a cold start should not wait for.
        from accounts.tokens import verify  # noqa: PLC0415

        claim = verify(credential.strip())
        return _chosen(request, claim) if claim else _vouched_for(request, credential.strip(), origin)
    if scheme == "Api-Key":
        refusal = "The API key is not valid: it is unknown, revoked, expired or used from elsewhere."
        if key := find_api_key(credential.strip(), origin.ip):
            check_signature(request, key)
        return key or refusal
    if scheme:
        return "Authorization takes Bearer <access token> or Api-Key <key>."
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    return _chosen_by_session(request)


def _vouched_for(request: HttpRequest, token: str, origin: Origin) -> Claim | str:
    # Brings the HTTP client, which only tokens of identity providers need.
    from accounts.services.external import external_claim  # noqa: PLC0415

    claim = external_claim(token=token, origin=origin)
    if claim is None:
        return "The access token is not valid or has expired: refresh it, or sign in."
    if request.headers.get("Organization", claim.slug) != claim.slug:
        return f"Your identity provider speaks for {claim.slug!r} alone: leave the header Organization out."
    return claim


def _chosen(request: HttpRequest, claim: Claim) -> Claim | str:
    """Somebody in several organizations names one for this request."""
    if not (slug := request.headers.get("Organization", "")):
        return claim
    organization_id = organization_of_slug(claim.user_id, slug)
    return replace(claim, organization_id=organization_id) if organization_id else f"You are not an active member of {slug!r}."


def _chosen_by_session(request: Any) -> Claim | None:
    chosen = request.session.get(ORGANIZATION)
    if chosen is None:
        own = organizations_of(request.user.pk)
        if not own:
            return None
        chosen = request.session[ORGANIZATION] = str(own[0].id)
    key = request.session.session_key
    if (known := request.session.get(SIGN_IN, ["", None]))[0] != key:  # another one since the last sign-in
        known = request.session[SIGN_IN] = [key, session_of_cookie(
            user_id=request.user.pk, session_key=key, origin=request.origin, user_agent=request.headers.get("User-Agent", ""),
        )]
    return Claim(request.user.pk, UUID(chosen), known[1], by_cookie=True)


def bad_reason(request: Any, error: Invalid) -> Any:
    wrong = {"header": HEADER, "code": "invalid", "detail": error.detail}
    return json_response(problem(400, error.code, error.detail, request=request, errors=[wrong]))


def unauthorized(request: Any, detail: str, code: str = NotAuthenticated.code) -> Any:
    response = json_response(problem(401, code, detail, request=request))
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def unavailable(request: Any) -> Any:
    detail = "The identity provider does not answer, so that its token cannot be checked: try again soon."
    response = json_response(problem(503, "provider_unavailable", detail, request=request))
    response.headers["Retry-After"] = "30"
    return response


def with_request_id(request: Any, response: Any) -> Any:
    response.headers["X-Request-Id"] = request.request_id
    return response


def stream(chunks: Iterator[bytes], scope: Callable[[], AbstractContextManager[Any]]) -> Iterator[bytes]:
    """A stream runs after the middleware: in a scope of its own, a second transaction, closed with the response."""
    with scope():
        yield from chunks

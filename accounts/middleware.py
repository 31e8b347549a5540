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

from accounts.afterwards import afterwards
from accounts.gate import refusal
from accounts.impersonation import IMPERSONATION, claim_of
from accounts.principal import Claim, KeyClaim, MemberEntry, Principal, key_principal
from accounts.queries.identity import find_api_key, organization_of_slug, organizations_of
from accounts.services.roles import api_key_used
from core.problems import CHALLENGE, json_response, problem
from core.tenancy import Origin, organization_scope, scope_is_open

type Handler = Callable[[Any], Any]

ORGANIZATION = "organization_id"  # in the admin's session
PROVED = "second_factor"  # there too: it was opened with one


def organization_middleware(get_response: Handler) -> Handler:
    """Run view and rendering inside the scope of the member's organization; without one, outside any.

    Django renders within `get_response` and turns an exception into a 500 there, so the status says it all:
    from 400 on, everything the view wrote is rolled back.
    """

    def handle(request: Any) -> Any:
        if scope_is_open():
            raise RuntimeError("A scope leaked into this request.")
        origin = describe(request)
        with afterwards():
            return with_request_id(request, answer(request, origin))

    def answer(request: Any, origin: Origin) -> Any:
        claim = identify(request, origin)
        if isinstance(claim, str):
            return unauthorized(request, claim)
        if claim is None or request.path_info.startswith(settings.OUTSIDE_ORGANIZATIONS):
            request.principal = None
            return get_response(request)
        request.claim = claim
        return serve(request, claim, origin, get_response)

    return handle


def serve(request: Any, claim: Claim | KeyClaim, origin: Origin, get_response: Handler) -> Any:
    def scope() -> AbstractContextManager[Any]:
        if isinstance(claim, KeyClaim):
            return organization_scope(claim.organization_id, origin=replace(origin, api_key_id=claim.api_key_id))
        return organization_scope(
            claim.organization_id, origin=origin_of(claim, origin), enter=MemberEntry(claim),
        )

    with scope() as entered:
        principal: Principal | None = key_principal(claim) if isinstance(claim, KeyClaim) else entered
        if isinstance(claim, KeyClaim) and not claim.used_lately:
            api_key_used(api_key_id=claim.api_key_id)
        if principal is not None:
            request.principal, request.user = principal, principal.user
            response = refusal(request, principal) or get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            if response.streaming and not isinstance(response, FileResponse):
                response.streaming_content = stream(response.streaming_content, scope)
            return response
    request.principal, request.user = None, AnonymousUser()
    if isinstance(claim, Claim) and claim.by_cookie:
        request.session.pop(IMPERSONATION if claim.impersonation else ORGANIZATION, None)
        return get_response(request)
    return unauthorized(request, "This sign-in has ended, or its member is not active here any more: sign in again.")


def origin_of(claim: Claim, origin: Origin) -> Origin:
    acting = claim.impersonation
    return replace(origin, actor_id=claim.user_id, impersonator_id=acting.impersonator_id if acting else None)


def describe(request: Any) -> Origin:
    request.request_id = request.headers.get("X-Request-Id", "")[:64] or str(uuid4())
    request.origin = Origin(
        request_id=request.request_id, traceparent=request.headers.get("traceparent", "")[:64],
        reason=request.headers.get("X-Change-Reason", "")[:500], ip=client_ip(request),
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
    """A claim, None for nobody in particular, or the sentence that says why the credentials are refused."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        # Brings allauth and PyJWT, which a cold start should not wait for.
        from accounts.tokens import verify  # noqa: PLC0415

        claim = verify(credential.strip())
        return _chosen(request, claim) if claim else "The access token is not valid or has expired: refresh it, or sign in."
    if scheme == "Api-Key":
        refusal = "The API key is not valid: it is unknown, revoked, expired or used from elsewhere."
        return find_api_key(credential.strip(), origin.ip) or refusal
    if scheme:
        return "Authorization takes Bearer <access token> or Api-Key <key>."
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    return claim_of(request, origin) or _chosen_by_session(request)


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
    return Claim(request.user.pk, UUID(chosen), by_cookie=True, proved=request.session.get(PROVED, False))


def unauthorized(request: Any, detail: str) -> Any:
    response = json_response(problem(401, "not_authenticated", detail, request=request))
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def with_request_id(request: Any, response: Any) -> Any:
    response.headers["X-Request-Id"] = request.request_id
    return response


def stream(chunks: Iterator[bytes], scope: Callable[[], AbstractContextManager[Any]]) -> Iterator[bytes]:
    """A stream runs after the middleware: in a scope of its own, a second transaction, closed with the response."""
    with scope():
        yield from chunks

"""Who is asking, and for which organization. In `accounts`, because it reads memberships."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import FileResponse

from accounts.afterwards import afterwards
from accounts.credentials import ORGANIZATION, describe, identify
from accounts.gate import refusal
from accounts.idempotency import idempotent
from accounts.impersonation import IMPERSONATION
from accounts.limits import limited
from accounts.principal import Claim, KeyClaim, MemberEntry, Principal, ProviderUnavailable, key_principal
from accounts.services.activity import session_seen
from accounts.services.keys import api_key_used
from core import logs
from core.errors import Invalid, NotAuthenticated
from core.following import Following
from core.problems import CHALLENGE, json_response, problem
from core.reasons import HEADER
from core.tenancy import Origin, active_scope, organization_scope, scope_is_open

type Handler = Callable[[Any], Any]


def organization_middleware(get_response: Handler) -> Handler:
    """Run view and rendering inside the scope of the member's organization; without one, outside any.

    Django renders within `get_response` and turns an exception into a 500 there, so the status says it all:
    from 400 on, everything the view wrote is rolled back.
    """

    def handle(request: Any) -> Any:
        if scope_is_open():
            raise RuntimeError("A scope leaked into this request.")
        with afterwards():
            response = attend(request, get_response)
        response.headers["X-Request-Id"] = request.request_id
        return response

    return handle


def attend(request: Any, get_response: Handler) -> Any:
    try:
        origin = describe(request)
        claim = None if request.path_info.startswith(settings.CREDENTIALS_OF_THEIR_OWN) else identify(request, origin)
    except Invalid as error:
        return bad_reason(request, error)
    except NotAuthenticated as error:
        return unauthorized(request, error.detail, error.code)
    except ProviderUnavailable:
        return unavailable(request)
    return limited(request, claim, lambda: answer(request, claim, origin, get_response))


def answer(request: Any, claim: Claim | KeyClaim | None, origin: Origin, get_response: Handler) -> Any:
    request.claim = claim
    if claim is None or request.path_info.startswith(settings.OUTSIDE_ORGANIZATIONS):
        request.principal = None
        return get_response(request)
    return serve(request, claim, origin, get_response)


def serve(request: Any, claim: Claim | KeyClaim, origin: Origin, get_response: Handler) -> Any:
    def scope() -> AbstractContextManager[Any]:
        if isinstance(claim, KeyClaim):
            return organization_scope(claim.organization_id, origin=replace(origin, api_key_id=claim.api_key_id))
        return organization_scope(claim.organization_id, origin=origin_of(claim, origin), enter=MemberEntry(claim))

    with scope() as entered:
        note_scope()
        principal: Principal | None = key_principal(claim) if isinstance(claim, KeyClaim) else entered
        if principal is not None:
            note_use(request, claim, principal, origin)
            request.principal, request.user = principal, principal.user
            response = refusal(request, principal) or idempotent(request, principal, get_response)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            if isinstance(response, Following):
                response.streaming_content = response.follow(scope, lambda one: isinstance(claim, KeyClaim) or one is not None)
            elif response.streaming and not isinstance(response, FileResponse):
                response.streaming_content = stream(response.streaming_content, scope)
            return response
    request.principal, request.user = None, AnonymousUser()
    if isinstance(claim, Claim) and claim.by_cookie:
        request.session.pop(IMPERSONATION if claim.impersonation else ORGANIZATION, None)
        return get_response(request)
    return unauthorized(request, "This sign-in has ended, or its member is not active here any more: sign in again.")


def note_scope() -> None:
    """For the line of the request, which is written when the scope has ended."""
    scope = active_scope()
    logs.note(**logs.whose(scope.organization_id, scope.origin))


def origin_of(claim: Claim, origin: Origin) -> Origin:
    acting = claim.impersonation
    return replace(origin, actor_id=claim.user_id, impersonator_id=acting.impersonator_id if acting else None)


def note_use(request: Any, claim: Claim | KeyClaim, principal: Principal, origin: Origin) -> None:
    if isinstance(claim, KeyClaim):
        if not claim.used_lately:
            api_key_used(api_key_id=claim.api_key_id)
    elif claim.session_id and not principal.seen_lately:
        session_seen(
            user_id=claim.user_id, session_id=claim.session_id, origin=origin, user_agent=request.headers.get("User-Agent", ""),
        )


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


def stream(chunks: Iterator[bytes], scope: Callable[[], AbstractContextManager[Any]]) -> Iterator[bytes]:
    """A stream runs after the middleware: in a scope of its own, a second transaction, closed with the response."""
    with scope():
        yield from chunks

"""How many requests in a window of time: asked before the scope opens, said in the headers of each answer."""

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from math import ceil
from typing import Any

from django.conf import settings

from accounts.principal import Claim, KeyClaim
from accounts.services.leases import Policy, Standing, requests_spend
from core.problems import json_response, problem

FREE = ("/admin/", "/healthz", "/readyz")  # people at the admin, and those who ask whether we live
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
WHOSE = {
    "user": "You have", "key": "This API key has", "organization": "Your organization has", "address": "Your address has",
    "sender": "Your address has", "visitor": "Your address has",
}


def limited(request: Any, claim: Claim | KeyClaim | None, answer: Callable[[], Any]) -> Any:
    policies = policies_of(request, claim)
    if not policies:
        return answer()
    window = settings.RATE_WINDOW
    spent = requests_spend(policies=policies, seconds=window)
    response = answer() if spent.is_allowed else _too_many(request, spent.standings)
    if response.status_code == 304:
        spent.give_back()
    response.headers["RateLimit-Policy"] = ", ".join(f'"{one.kind}";q={one.quota};w={window}' for one in spent.standings)
    response.headers["RateLimit"] = ", ".join(f'"{one.kind}";r={one.remaining};t={ceil(one.seconds)}' for one in spent.standings)
    return response


def policies_of(request: Any, claim: Claim | KeyClaim | None) -> list[Policy]:
    """Reading without a sign-in is free as well: it is documentation, but for what organizations publish."""
    if request.path_info.startswith(FREE):
        return []
    if request.path_info.startswith((settings.INBOUND, settings.MAILED_LINKS)):
        return [Policy("sender", network_of(request.origin.ip), settings.INBOUND_LIMITS["sender"])]
    if request.path_info.startswith(settings.PUBLIC):
        return [Policy("visitor", network_of(request.origin.ip), settings.PUBLIC_LIMIT)]
    limits = settings.RATE_LIMITS
    if claim is None:
        return [] if request.method in SAFE else [Policy("address", network_of(request.origin.ip), limits["address"])]
    if isinstance(claim, KeyClaim):
        own = Policy("key", str(claim.api_key_id), limits["key"])
    else:
        own = Policy("user", str(claim.user_id), limits["user"])
    return [own, Policy("organization", str(claim.organization_id), limits["organization"])]


def network_of(ip: str) -> str:
    """Of IPv6 the /64, which one subscriber has whole."""
    return str(ip_network(f"{ip}/64", strict=False)) if ":" in ip else ip


def _too_many(request: Any, standings: Sequence[Standing]) -> Any:
    full = next(one for one in standings if not one.remaining)
    wait = max(1, ceil(full.seconds))
    detail = f"{WHOSE[full.kind]} used the {full.quota} requests of {settings.RATE_WINDOW} s: wait {wait} s."
    response = json_response(problem(429, "rate_limited", detail, request=request))
    response.headers["Retry-After"] = str(wait)
    return response

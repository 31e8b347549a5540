"""Who makes a request, proved and bound to one organization."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from accounts.permissions import held, held_in_some

# In the session of a sign-in by token: how long the organization lets its tokens work.
ACCESS_SECONDS, REFRESH_SECONDS = "access_seconds", "refresh_seconds"


class Reused(Exception):
    """A refresh token was presented after its rotation: `row` is the library's session, `session` what it holds."""

    def __init__(self, row: Any, session: Any) -> None:
        super().__init__(row.pk)
        self.row, self.session = row, session


class ProviderUnavailable(Exception):
    """An identity provider's keys were never fetched, and cannot be now."""

# What nobody does in another's name.
UNTOUCHED_FOR_OTHERS = frozenset(f"accounts.{verb}_apikey" for verb in ("add", "change", "delete"))


@dataclass(frozen=True, slots=True)
class Claim:
    """A proven identity; whether it is an active member of the organization is decided as the scope opens."""

    user_id: UUID
    organization_id: UUID
    session_id: int | None = None  # the sign-in that a token belongs to: signed out, the token is void
    by_cookie: bool = False
    proved: bool = False  # by a second factor, as the cookie's session says; a token's session says it in the database
    impersonation: "Acting | None" = None
    provider_id: UUID | None = None  # vouched for by an identity provider, for its own organization alone
    slug: str = ""  # of the provider's organization


@dataclass(frozen=True, slots=True)
class Acting:
    """Platform staff act for a member."""

    impersonation_id: UUID
    impersonator_id: UUID
    impersonator: str  # the name, for the banner
    until: datetime


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A proven API key."""

    api_key_id: UUID
    organization_id: UUID
    slug: str
    organization_name: str
    scopes: frozenset[str]
    used_lately: bool  # so that not every request writes when it was
    signing_secret: bytes | None = None  # sealed; None: requests need no signature


@dataclass(frozen=True, slots=True)
class Principal:
    user: Any  # a User, or AnonymousUser for an API key
    organization_id: UUID
    slug: str
    organization_name: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    by_cookie: bool = False
    api_key_id: UUID | None = None
    limits: Mapping[str, frozenset[UUID]] = field(default_factory=dict)  # the permissions that count in some warehouses alone
    seen_lately: bool = True  # the sign-in, in this organization; so that not every request writes when it was
    has_second_factor: bool = False
    second_factor_missing: bool = False  # it is required here, and this session has not shown it
    second_factor_proved: bool = False
    acting: Acting | None = None
    by_provider: bool = False


class MemberEntry:
    """Opens the scope and reads the member in the same statement; the scope yields a Principal or None."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim

    def __call__(self, cursor: CursorWrapper, organization_id: str, origin: str) -> Principal | None:
        claim = self.claim
        cursor.execute(
            "SELECT email, name, is_staff, is_superuser, slug, organization_name, roles, permissions, limited, seen_lately,"
            " has_second_factor, second_factor_asked, second_factor_proved"
            " FROM accounts_enter(%s, %s, %s, %s, %s)",
            [organization_id, origin, claim.user_id, claim.session_id, claim.proved],
        )
        if (row := cursor.fetchone()) is None:
            return None
        email, name, is_staff, is_superuser, slug, organization_name, roles, own, limited, seen_lately, has, asked, proved = row
        asked = asked or (is_superuser and settings.PLATFORM_STAFF_NEEDS_SECOND_FACTOR)
        user = User(id=claim.user_id, email=email, name=name, is_staff=is_staff, is_superuser=is_superuser)
        user._state.adding, user._state.db = False, "default"
        user.permissions, limits = held(roles, own), {}
        if limited:
            given = orjson.loads(limited)
            roles, limits = [*roles, *(role["role"] for role in given)], held_in_some(given, user.permissions)
            user.permissions |= limits.keys()
        if claim.impersonation:
            user.permissions -= UNTOUCHED_FOR_OTHERS
        return Principal(
            user, claim.organization_id, slug, organization_name, tuple(sorted(roles)), user.permissions, claim.by_cookie,
            limits=limits, seen_lately=seen_lately, has_second_factor=has, second_factor_missing=asked and not proved,
            second_factor_proved=proved, acting=claim.impersonation,
            by_provider=claim.provider_id is not None,
        )


def key_principal(claim: KeyClaim) -> Principal:
    return Principal(
        AnonymousUser(), claim.organization_id, claim.slug, claim.organization_name, (), claim.scopes,
        api_key_id=claim.api_key_id,
    )


def within(ip: str, networks: list[str]) -> bool:
    """Whether the address lies in one of the networks; without networks, always."""
    if not networks:
        return True
    return bool(ip) and any(ip_address(ip) in ip_network(network, strict=False) for network in networks)

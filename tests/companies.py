"""The companies that the tests play with, and the clients of their members."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.credentials import ORGANIZATION
from accounts.models import ApiKey, Organization, User, UserSession
from accounts.permissions import ADMIN, BUILT_IN, known
from accounts.services.keys import api_key_create
from accounts.services.sessions import Tokens, session_open
from accounts.services.tenancy import membership_add, organization_found
from core.tenancy import Origin, organization_scope

PASSWORD = "Correct horse 4 battery staples"
JSON = "application/json"
LEASE = "SELECT tokens, rest, quota"  # of requests, now and then: no part of what is counted


class Api(Client):
    """A program: it speaks JSON, and a crash in a view is a 500 to it."""

    def __init__(self, authorization: str = "", **headers: str) -> None:
        own = {"Authorization": authorization} if authorization else {}
        super().__init__(raise_request_exception=False, headers={**own, **headers})

    def send(self, method: str, url: str, body: Any = None, **options: Any) -> Any:
        if method == "get":
            return self.get(url, body, **options)
        return getattr(self, method)(url, {} if body is None else body, content_type=JSON, **options)


@dataclass(frozen=True)
class Member:
    user: User
    tokens: Tokens


@dataclass(frozen=True)
class Company:
    organization: Organization
    members: Mapping[str, Member]  # by the code of the built-in role

    @property
    def user(self) -> User:
        return self.members[ADMIN].user

    @property
    def api(self) -> Api:
        return self.api_as(ADMIN)

    def api_as(self, role: str, **headers: str) -> Api:
        return Api(f"Bearer {self.members[role].tokens.access_token}", **headers)

    def api_by_key(self, *scopes: str, **options: Any) -> Api:
        return Api(f"Api-Key {self.key(*scopes, **options)[1]}")

    def key(self, *scopes: str, **options: Any) -> tuple[ApiKey, str]:
        with self.scope():
            name = f"Key {ApiKey.objects.count() + 1}"
            made = api_key_create(**{"name": name, "scopes": scopes, "granter": known(), **options})
            return made.row, made.key

    @property
    def admin(self) -> Client:
        return self.admin_as(ADMIN)

    def admin_as(self, role: str) -> Client:
        """A person's browser, signed in by cookie."""
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(pk=self.members[role].user.pk))
        session = client.session
        session[ORGANIZATION] = str(self.organization.pk)
        session.save()
        return client

    def scope(self, **origin: Any) -> AbstractContextManager[Any]:
        return scope_of(self.organization.pk, **{"actor_id": self.user.pk, "request_id": "req-0", **origin})


def scope_of(organization_id: UUID, **origin: Any) -> AbstractContextManager[Any]:
    return organization_scope(organization_id, origin=Origin(**origin))


def founded(slug: str) -> Company:
    """A company with one member for each built-in role, all of them signed in."""
    organization = organization_found(name=slug.title(), slug=slug)
    people = {
        role: User.objects.create_user(f"{role}@{slug}.test", PASSWORD, name=f"{role} of {slug}".title(), is_staff=True)
        for role in BUILT_IN
    }
    with scope_of(organization.pk):
        for role, user in people.items():
            membership_add(user=user, roles=[role])
    members = {role: Member(user, signed_in(user)) for role, user in people.items()}
    with scope_of(organization.pk):  # else a request in ten minutes writes that it was seen, and tests count statements
        UserSession.objects.update(last_seen_at=timezone.now() + timedelta(days=1))
    return Company(organization, members)


def signed_in(user: User, organization: str = "") -> Tokens:
    return session_open(email=user.email, password=PASSWORD, organization=organization, origin=Origin(ip="192.0.2.1"))

"""Members whose roles count in some warehouses alone."""

from typing import Any

from django.test import Client

from accounts.credentials import ORGANIZATION
from accounts.models import Role, User, UserRole
from accounts.permissions import ADMIN
from accounts.services.tenancy import membership_add
from tests.companies import Api, Company, signed_in
from tests.factories.accounts import UserFactory


def limited_member(company: Company, *warehouses: Any, roles: tuple[str, ...] = (), limited: str = ADMIN) -> User:
    """`roles` count everywhere, `limited` in the warehouses."""
    user: User = UserFactory(is_staff=True)
    with company.scope():
        membership = membership_add(user=user, roles=list(roles))
        keys = [getattr(one, "pk", one) for one in warehouses]
        UserRole.objects.create(membership=membership, role=Role.objects.get(code=limited), warehouse_ids=keys)
    return user


def limited_api(company: Company, *warehouses: Any, **options: Any) -> Api:
    return Api(f"Bearer {signed_in(limited_member(company, *warehouses, **options)).access_token}")


def limited_admin(company: Company, *warehouses: Any, **options: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(limited_member(company, *warehouses, **options))
    session = client.session
    session[ORGANIZATION] = str(company.organization.pk)
    session.save()
    return client

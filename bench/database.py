"""The databases of the benchmarks: one for each size, made once beside the real one, and used again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from accounts.models import Organization, User
from accounts.services.sessions import session_open
from accounts.services.tenancy import organization_found
from bench.filling import fill, fill_words
from core.management.commands.setup_database import connect
from core.supervisor import progress
from core.tenancy import Origin
from inventory.models import Product, SearchToken

TENANT, LARGE = "tenant", "large"
ORGANIZATIONS = [TENANT, LARGE, *(f"other-{number}" for number in range(3, 51))]
EMAIL, PASSWORD = "bench@example.com", "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works for the organization, with an access token."""

    organization_id: UUID
    user_id: UUID
    token: str


def use(size: int) -> None:
    """From here on Django's connections lead to the database of this size, which is made when it is missing."""
    name = f"{settings.DATABASE_NAME}_bench_{size}"
    connections.close_all()
    for database in settings.DATABASES.values():
        database["NAME"] = name
    call_command("setup_database", verbosity=0)
    call_command("migrate", interactive=False, verbosity=0)
    if not Product.every_organization.using("owner").exists():
        _fill(size)
    elif not SearchToken.every_organization.using("owner").exists():  # filled before there was a search by words
        organizations = list(Organization.objects.using("owner").values_list("pk", flat=True))
        with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
            fill_words(cursor, size, organizations)
        with connections["owner"].cursor() as cursor:
            cursor.execute("VACUUM ANALYZE inventory_searchtoken")


def _fill(size: int) -> None:
    with progress(f"  {len(ORGANIZATIONS)} organizations"):
        user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL, PASSWORD, name="Bench")
        known = dict(Organization.objects.using("owner").values_list("slug", "id"))
        ids = [known.get(slug) or organization_found(name=slug.title(), slug=slug, founder=user).pk for slug in ORGANIZATIONS]
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        fill(cursor, size, ids)
    with progress("  vacuum"), connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def member_of(slug: str) -> Member:
    user = User.objects.get_by_natural_key(EMAIL)
    organization = Organization.objects.using("worker").get(slug=slug)
    tokens = session_open(email=EMAIL, password=PASSWORD, organization=slug, origin=Origin(ip="127.0.0.1"))
    return Member(organization.pk, user.pk, tokens.access_token)


def bare(alias: str) -> psycopg.Connection[Any]:
    """psycopg alone, as the same role."""
    found = settings.DATABASES[alias]
    return connect(found, found["NAME"])

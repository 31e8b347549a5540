"""Sources that stand on loopback, and what is asked of them."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Membership
from accounts.permissions import MANAGER
from notifications.models import ExternalSource, ExternalSubject, Watch, WatchHit
from notifications.services.external import Known, Unavailable, question, source_ask
from notifications.services.external_sources import external_source_create
from tests.companies import Company
from tests.factories.notifications import ExternalSubjectFactory, WatchFactory
from tests.notifications.receiver import Receiver, Reply

KINDS = {
    "price": {"path": "/prices/{id}", "value": "price"},
    "recall": {"path": "/recalls", "value": "recalls[part={id}].reason"},
}


def said(body: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def priced(price: Any) -> Reply:
    return said({"price": price})


def source(company: Company, listener: Receiver, **values: Any) -> ExternalSource:
    with company.scope():
        name = f"Feed {ExternalSource.objects.count() + 1}"
        return external_source_create(**{
            "name": name, "base_url": f"http://127.0.0.1:{listener.port}/v1", "kinds": KINDS, "default_ttl": 0, **values,
        })


def ask(company: Company, made: ExternalSource | str, subject: str = "copper", **options: Any) -> Known:
    """What it notes of a failure stays, as where it commits."""
    with company.scope():
        asked = question(source_id=UUID(str(getattr(made, "pk", made))), kind="price", subject=subject)
        try:
            return source_ask(asked=asked, commit=lambda: None, **options)
        except Unavailable as error:
            failure = error
    raise failure


def subject(company: Company, made: ExternalSource, external_id: str = "copper", kind: str = "price") -> ExternalSubject:
    with company.scope():
        return ExternalSubjectFactory(source=made, kind=kind, external_id=external_id, label=external_id.title())


def watch(company: Company, of: ExternalSubject, condition: str = "changed", **values: Any) -> Watch:
    with company.scope():
        return WatchFactory(subject=of, condition=condition, **values)


def member(company: Company, role: str = MANAGER) -> Membership:
    with company.scope():
        return Membership.objects.get(user=company.members[role].user)


def hits(company: Company) -> list[WatchHit]:
    with company.scope():
        return list(WatchHit.objects.order_by("pk"))


def rewind(company: Company, table: str, **columns: timedelta) -> None:
    """As if it had been so long ago."""
    with company.scope(), connection.cursor() as cursor:
        for column, ago in columns.items():
            cursor.execute(f"UPDATE notifications_{table} SET {column} = {column} - %s", [ago])

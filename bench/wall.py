"""What the wall and the audit cost."""

from collections.abc import Callable, Iterator
from uuid import UUID

from django.db import connection, connections, transaction
from uuid_utils.compat import uuid7

from bench.database import TENANT, member_of
from bench.measuring import Result, times
from core.tenancy import organization_scope
from inventory.models import Product
from notifications.event_types import event_type
from notifications.services.events import publish

ROUNDS = 300
ROWS = 1_000


@event_type("bench.measured", aggregate="bench", example={"number": 1})
class Measured:
    """Something to publish."""

    number: int


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)

    def transaction_with_one_statement() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def scope() -> None:
        with organization_scope(member.organization_id):
            pass

    lowest, ours = times(ROUNDS, transaction_with_one_statement, scope)
    yield Result("organization_scope, beside a transaction with SELECT 1", size, ours, lowest, 1)

    def event() -> None:
        publish(Measured(number=1), aggregate_id=uuid7())

    with organization_scope(member.organization_id):
        (ours,) = times(ROUNDS, event)
        transaction.set_rollback(True)
    yield Result("publish an event in a transaction", size, ours, statements=1, target=("ours", 0.3))

    with organization_scope(member.organization_id):
        ids = list(Product.objects.order_by("id").values_list("pk", flat=True)[:ROWS])
    yield from _audit(size, member.organization_id, ids)


def _audit(size: int, organization_id: UUID, ids: list[UUID]) -> Iterator[Result]:
    """The same UPDATE with the trigger and without it, each rolled back, in two turns."""
    found: dict[str, list[list[float]]] = {"DISABLE": [], "ENABLE": []}
    try:
        for state in ("DISABLE", "ENABLE") * 2:
            _switch(state)
            found[state].append([*times(100, _update(organization_id, ids[:1])), *times(20, _update(organization_id, ids))])
    finally:
        _switch("ENABLE")
    without, audited = ([min(column) for column in zip(*found[state], strict=True)] for state in ("DISABLE", "ENABLE"))
    yield Result("UPDATE of one row, audited", size, audited[0], without[0], 1)
    yield Result(f"audit of one UPDATE (of {ROWS:,} at once)", size, (audited[1] - without[1]) / ROWS, target=("ours", 0.15))


def _switch(state: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE inventory_product {state} TRIGGER wall")


def _update(organization_id: UUID, ids: list[UUID]) -> Callable[[], None]:
    def call() -> None:
        with organization_scope(organization_id):
            Product.objects.filter(pk__in=ids).update(description="Changed.")
            transaction.set_rollback(True)

    return call

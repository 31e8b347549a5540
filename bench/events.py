"""What it costs to publish an event, and how fast the relay tells them: batches of 100 of 50 organizations."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.db import connections

from bench.database import TENANT, bare, member_of
from bench.measuring import Result, statements, times
from core.json import dumps
from core.tenancy import organization_scope
from notifications.event_types import event_type
from notifications.models import EventSubscription
from notifications.services.events import EVENT, INSERT, publish
from notifications.services.relaying import BATCH, Handler, events_relay

ROUNDS, WRITES = 60, 300
PAYLOAD = {"sku": "NW-0001", "quantity": "12.000000", "threshold": "25.000000", "warehouse": "MAIN", "supplier": "Exotic Liquids"}


@event_type("bench.told", aggregate="bench", example=PAYLOAD)
class Told:
    """As large as most events are."""

    sku: str
    quantity: str
    threshold: str
    warehouse: str
    supplier: str


HANDLERS = [Handler("bench.handled", "bench.nothing", "default", 0)]

FILL = """
    INSERT INTO notifications_outboxevent
        (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id)
    SELECT uuid7(), o.ids[1 + n %% cardinality(o.ids)], 'default', %(type)s, 1, 'bench', gen_random_uuid(), %(payload)s::jsonb, ''
    FROM generate_series(1, %(events)s) AS n, (SELECT %(of)s::uuid[] AS ids) AS o
"""
# The least that a queue in a table costs: take the oldest that nobody has, and mark them.
CLAIM = f"""
    WITH batch AS (
        SELECT id FROM notifications_outboxevent WHERE relayed_at IS NULL ORDER BY seq LIMIT {BATCH} FOR UPDATE SKIP LOCKED
    )
    UPDATE notifications_outboxevent AS e SET relayed_at = now() FROM batch WHERE e.id = batch.id RETURNING e.id
"""


def run(size: int) -> Iterator[Result]:
    try:
        _empty()
        yield from _relaying(size)
        yield from _publishing(size)
    finally:
        _empty()


def _relaying(size: int) -> Iterator[Result]:
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT array_agg(id) FROM accounts_organization")
        everybody = cursor.fetchone()[0]
    yield _relay(size, "relay 100 events of 50 organizations, beside the bare claim", "bench.told", everybody, ("ratio", 2))
    tenant = [member_of(TENANT).organization_id]
    yield _relay(size, "relay 100 events of one organization, beside the bare claim", "bench.told", tenant, ("ratio", 2))
    yield _relay(size, "relay 100 events to a handler's jobs, beside the bare claim", "bench.handled", everybody)
    with organization_scope(tenant[0]):
        for number in range(10):
            wanted = "bench.told" if number < 2 else "bench.other"
            pattern = {"type": [{"prefix": wanted}], "payload": {"quantity": [{"exists": True}]}}
            EventSubscription.objects.create(name=f"Bench {number}", pattern=pattern, target_kind="task", task="bench.nothing")
    yield _relay(size, "relay 100 events, 10 subscriptions, 2 deliveries each", "bench.told", tenant)


def _relay(size: int, name: str, event_type: str, organizations: list[Any], target: Any = None) -> Result:
    """Both sides work off one backlog; the bare claim leaves it marked, as the relay does."""
    batches = 2 * (ROUNDS + ROUNDS // 2)
    with connections["worker"].cursor() as cursor:
        values = {"type": event_type, "payload": dumps(PAYLOAD).decode(), "events": batches * BATCH, "of": organizations}
        cursor.execute(FILL, values)
        cursor.execute("ANALYZE notifications_outboxevent")
    worker = bare("worker")

    def floor() -> None:
        with worker.transaction():
            assert len(worker.execute(CLAIM).fetchall()) == BATCH

    def ours() -> None:
        assert events_relay(HANDLERS).events == BATCH

    lowest, found = times(ROUNDS, floor, ours)
    print(f"  {BATCH / found * 1000:,.0f} events/s, bare {BATCH / lowest * 1000:,.0f}")
    sent = statements(ours)
    _empty(subscriptions=False)
    worker.close()
    return Result(name, size, found, lowest, sent, target=target)


def _publishing(size: int) -> Iterator[Result]:
    """Within a transaction that is open anyway: what a business write pays more."""
    organization_id = member_of(TENANT).organization_id
    payload, told = dumps(PAYLOAD).decode(), Told(**PAYLOAD)
    with organization_scope(organization_id), connections["default"].cursor() as cursor:

        def floor() -> None:
            values = [uuid4(), organization_id, "default", "bench.told", 1, "bench", uuid4(), payload, ""]
            cursor.execute(f"{INSERT}VALUES ({EVENT})", values)

        def ours() -> None:
            publish(told, aggregate_id=uuid4())

        lowest, found = times(WRITES, floor, ours)
        sent = statements(ours)
    yield Result("publish in an open transaction, beside the bare INSERT", size, found, lowest, sent)


def _empty(*, subscriptions: bool = True) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "TRUNCATE notifications_outboxevent, notifications_eventdelivery, notifications_deliveryattempt,"
            " notifications_feedposition, notifications_job CASCADE",
        )
        if subscriptions:
            cursor.execute("DELETE FROM notifications_eventsubscription WHERE name ^@ 'Bench '")

"""Reserve and ship orders of five lines, by several processes on a few goods, beside the least SQL that could do it.

BENCH_PROCESSES and BENCH_SECONDS make it larger. `ours` and `floor` are milliseconds an order, of all processes together.
"""

import os
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from multiprocessing import get_context
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.db import connections

from bench.database import TENANT, Member, member_of
from bench.floors import Floor
from bench.measuring import Result, statements, times
from core.tenancy import Origin, organization_scope
from inventory.models import Location, ProductVariant, StockItem
from inventory.services.candidates import Wanted
from inventory.services.posting import Line
from inventory.services.reservations import Demand, Pick, stock_pick, stock_reserve
from inventory.services.stock import stock_receive

PROCESSES = int(os.environ.get("BENCH_PROCESSES", "16"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))
HOT, LINES, POSTED = 30, 5, 1_000
WARM = 10  # orders of each process before it counts: a connection lives for hours, and plans are kept from its sixth call on
TURNS = 3  # of each side, of which the one with the median ratio counts
TABLES = ("stockitem", "stockmove", "reservation", "valueentry", "costlayer")
PLENTY = Decimal(10_000_000)

LOCK = """
    SELECT id, location_id FROM inventory_stockitem
    WHERE organization_id = %s AND variant_id = ANY (%s) AND location_id = %s ORDER BY id FOR NO KEY UPDATE
"""
PROMISE = """
    UPDATE inventory_stockitem SET reserved = reserved + 1
    WHERE organization_id = %s AND id = ANY (%s) AND quantity - reserved >= 1 RETURNING id, variant_id, warehouse_id
"""
RESERVATION = """
    INSERT INTO inventory_reservation (id, organization_id, variant_id, warehouse_id, stock_item_id, quantity, picked_quantity,
                                       demand_type, demand_id, status, idempotency_key, line)
    SELECT r.id, %s, r.variant, r.warehouse, r.item, 1, 0, 'order', %s, 'active', '', 0
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[]) AS r(id, variant, warehouse, item)
"""
TAKE = """
    UPDATE inventory_reservation SET picked_quantity = 1, status = 'consumed', closed_at = now()
    WHERE organization_id = %s AND id = ANY (%s) AND status = 'active'
"""
SHIP = """
    UPDATE inventory_stockitem SET quantity = quantity - 1, reserved = reserved - 1
    WHERE organization_id = %s AND id = ANY (%s) RETURNING variant_id
"""
RECEIVE = """
    UPDATE inventory_stockitem AS s SET quantity = s.quantity + 1
    WHERE s.organization_id = %s AND s.variant_id = ANY (%s) AND s.location_id = %s RETURNING s.variant_id
"""
MOVES = """
    INSERT INTO inventory_stockmove (id, organization_id, kind, variant_id, quantity, from_location_id, to_location_id, note,
                                     document_type, occurred_at, idempotency_key, line)
    SELECT m.id, %s, %s, m.variant, 1, %s, %s, '', 'order', now(), '', 0 FROM unnest(%s::uuid[], %s::uuid[]) AS m(id, variant)
"""
EVENT = """
    INSERT INTO notifications_outboxevent
        (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id)
    VALUES (%s, %s, 'default', 'bench.posted', 1, 'bench', %s, '{}', '')
"""

type Order = Callable[[list[UUID]], object]


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    with _scope(member):
        shelf = Location.objects.filter(kind=Location.Kind.STORAGE).order_by("id").first()
        if shelf is None:
            raise AssertionError("There should be a location.")
        variants = list(ProductVariant.objects.order_by("id").values_list("pk", flat=True)[:POSTED])
        stock_receive(lines=[Line(key, PLENTY, to_location_id=shelf.pk) for key in variants[:HOT]])
    sides = [lambda: _by_sql(member, shelf.pk), lambda: _by_verbs(member, shelf)]
    turns = [[_rate(side, variants[:HOT]) for side in sides] for _ in range(TURNS)]
    floor, ours = sorted(turns, key=lambda turn: turn[1] / turn[0])[TURNS // 2]
    count = statements(lambda: _by_verbs(member, shelf)(variants[:LINES]))
    name = f"reserve and ship {LINES} lines, {PROCESSES} processes on {HOT} goods"
    yield Result(name, size, ours, floor, count, target=("ratio", 1 / 0.6))
    yield _thousand(size, member, shelf, variants)


def _scope(member: Member) -> Any:
    return organization_scope(member.organization_id, origin=Origin(actor_id=member.user_id))


def _rate(begin: Callable[[], Order], hot: list[UUID]) -> float:
    """Milliseconds an order, of all processes together. The planner knows the tables, as it does where they grow slowly."""
    with connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE inventory_{table}")
    connections.close_all()
    context = get_context("fork")
    barrier, answers = context.Barrier(PROCESSES), context.SimpleQueue()

    def work(number: int) -> None:
        chance, order, done = Random(number), begin(), 0
        for _ in range(WARM):
            order(chance.sample(hot, LINES))
        barrier.wait()
        until = time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            order(chance.sample(hot, LINES))
            done += 1
        answers.put(done)

    workers = [context.Process(target=work, args=(number,)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    total = sum(answers.get() for _ in workers)
    for worker in workers:
        worker.join()
    return SECONDS * 1000 / total


def _by_verbs(member: Member, shelf: Location) -> Order:
    def order(variants: list[UUID]) -> None:
        with _scope(member):
            lines = [Wanted(key, shelf.warehouse_id, Decimal(1), location_id=shelf.pk) for key in variants]
            done = stock_reserve(lines=lines, demand=Demand("order", uuid4()))
        with _scope(member):
            stock_pick(picks=[Pick(key) for key in done.reservations])

    return order


def _by_sql(member: Member, shelf: UUID) -> Order:
    floor, organization = Floor(member.organization_id), member.organization_id

    def order(variants: list[UUID]) -> None:
        keys, demand = [uuid4() for _ in variants], uuid4()
        with floor.scope() as cursor:
            items = [row["id"] for row in cursor.execute(LOCK, [organization, variants, shelf]).fetchall()]
            rows = cursor.execute(PROMISE, [organization, items]).fetchall()
            columns = [[row[name] for row in rows] for name in ("variant_id", "warehouse_id", "id")]
            cursor.execute(RESERVATION, [organization, demand, keys, *columns])
            cursor.execute(EVENT, [uuid4(), organization, demand])
        with floor.scope() as cursor:
            cursor.execute(LOCK, [organization, variants, shelf])
            cursor.execute(TAKE, [organization, keys])
            gone = [row["variant_id"] for row in cursor.execute(SHIP, [organization, items]).fetchall()]
            cursor.execute(MOVES, [organization, "issue", shelf, None, [uuid4() for _ in gone], gone])
            cursor.execute(EVENT, [uuid4(), organization, demand])

    return order


def _thousand(size: int, member: Member, shelf: Location, variants: list[UUID]) -> Result:
    """A receipt of a thousand lines; each side's first turn makes the balances."""
    floor, organization = Floor(member.organization_id), member.organization_id

    def by_sql() -> None:
        with floor.scope() as cursor:
            cursor.execute(LOCK, [organization, variants, shelf.pk])
            came = [row["variant_id"] for row in cursor.execute(RECEIVE, [organization, variants, shelf.pk]).fetchall()]
            cursor.execute(MOVES, [organization, "receipt", None, shelf.pk, [uuid4() for _ in came], came])
            cursor.execute(EVENT, [uuid4(), organization, shelf.pk])

    def by_verb() -> None:
        with _scope(member):
            stock_receive(lines=[Line(key, Decimal(1), to_location_id=shelf.pk) for key in variants])

    by_verb()
    with _scope(member):
        if StockItem.objects.filter(location=shelf, variant__in=variants).count() != POSTED:
            raise AssertionError("There should be a balance for each of the lines.")
    lowest, ours = times(10, by_sql, by_verb)
    return Result(f"receive {POSTED:,} lines in one document", size, ours, lowest, statements(by_verb), target=("statements", 8))

"""Counting a thousand lines while goods move, beside the least SQL that could keep the numbers."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from bench.database import TENANT, Member, member_of
from bench.floors import Floor
from bench.measuring import Result, statements, times
from core.tenancy import Origin, organization_scope
from inventory.models import Location, ProductVariant, StockCount
from inventory.queries.counts import differences
from inventory.services.counts import Counted, Selection, stock_count_open, stock_count_record
from inventory.services.posting import Line
from inventory.services.stock import stock_receive

LINES, ROUNDS, MOVES = 1_000, 10, 20

LOCK = """
    SELECT id FROM inventory_stockitem WHERE organization_id = %s AND location_id = %s AND variant_id = ANY (%s)
    ORDER BY id FOR NO KEY UPDATE
"""
KEEP = """
    UPDATE inventory_stockcountline SET counted = 7, counted_at = now(), snapshot_seq = 0
    WHERE organization_id = %s AND count_id = %s
"""
READ = """
    SELECT l.id, l.counted, s.quantity FROM inventory_stockcountline AS l
    JOIN inventory_stockitem AS s ON s.organization_id = l.organization_id AND s.variant_id = l.variant_id
        AND s.location_id = l.location_id
    WHERE l.organization_id = %s AND l.count_id = %s
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    with _scope(member):
        warehouse = Location.objects.filter(kind=Location.Kind.STORAGE).order_by("id").values_list("warehouse_id", flat=True)[0]
        place = Location.objects.create(warehouse_id=warehouse, code=f"COUNT-{uuid4()}"[:40])
        variants = list(ProductVariant.objects.order_by("id").values_list("pk", flat=True)[:LINES])
        _receive(place, variants, 10)
        count = stock_count_open(selection=Selection(warehouse, place.pk))
    floor, organization = Floor(member.organization_id), member.organization_id

    def by_sql() -> None:
        with floor.scope() as cursor:
            cursor.execute(LOCK, [organization, place.pk, variants])
            cursor.execute(KEEP, [organization, count.pk])

    def by_verb() -> None:
        with _scope(member):
            stock_count_record(count_id=count.pk, lines=[Counted(Decimal(7), variant_id=key) for key in variants])

    lowest, ours = times(ROUNDS, by_sql, by_verb)
    yield Result(f"record {LINES:,} counted lines", size, ours, lowest, statements(by_verb), target=("statements", 8))
    with _scope(member):
        for _ in range(MOVES):
            _receive(place, variants, 1)
    yield _variance(size, member, floor, count)


def _variance(size: int, member: Member, floor: Floor, count: StockCount) -> Result:
    def by_sql() -> None:
        with floor.scope() as cursor:
            cursor.execute(READ, [member.organization_id, count.pk]).fetchall()

    def by_query() -> None:
        with _scope(member):
            differences(count)

    lowest, ours = times(ROUNDS, by_sql, by_query)
    name = f"what {LINES:,} lines found, {MOVES * LINES:,} moves later"
    return Result(name, size, ours, lowest, statements(by_query), target=("ours", 1_000))


def _receive(place: Location, variants: list[UUID], quantity: int) -> None:
    stock_receive(lines=[Line(key, Decimal(quantity), to_location_id=place.pk) for key in variants])


def _scope(member: Member) -> Any:
    return organization_scope(member.organization_id, origin=Origin(actor_id=member.user_id))

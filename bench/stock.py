"""What is low, and a correction of a balance."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any
from uuid import uuid4

import orjson

from bench.database import TENANT, Member, member_of
from bench.floors import Floor
from bench.lists import FIRST
from bench.measuring import Result, statements, times
from bench.requests import Client

ROUNDS = 200
LOW_FIELDS = "id,variant,sku,warehouse,warehouse_code,basis,min_quantity,max_quantity,level,is_low,updated_at,version"
LOW = """
    SELECT r.id, r.variant_id AS variant, v.sku, r.warehouse_id AS warehouse, w.code AS warehouse_code, r.basis, r.min_quantity,
           r.max_quantity, r.level, r.is_low, r.updated_at, r.version
    FROM inventory_reorderrule AS r
    JOIN inventory_productvariant AS v ON v.organization_id = r.organization_id AND v.id = r.variant_id
    JOIN inventory_warehouse AS w ON w.organization_id = r.organization_id AND w.id = r.warehouse_id
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    WHERE r.organization_id = %s AND r.is_low AND r.is_active
        AND v.archived_at IS NULL AND p.archived_at IS NULL AND p.status = 'active'
    ORDER BY r.id LIMIT 101
"""
CHANGE = """
    UPDATE inventory_stockitem SET quantity = quantity + %s
    WHERE organization_id = %s AND id = %s AND quantity + %s >= reserved
"""
MOVE = """
    INSERT INTO inventory_stockmove (id, organization_id, kind, variant_id, quantity, to_location_id, from_location_id, reason_id,
                                     note, document_type, occurred_at, idempotency_key, line)
    VALUES (%s, %s, 'adjustment', %s, 1, %s, %s, %s, '', '', now(), '', 0)
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    client = Client(member)
    low = client.get(f"low-stock/?limit=100&fields={LOW_FIELDS}")
    if len(orjson.loads(low())["results"]) != 100:
        raise AssertionError("There should be 100 low rules and more.")
    lowest, products, ours = times(
        ROUNDS, Floor(member.organization_id).rows(LOW, [member.organization_id]), client.get(FIRST), low,
    )
    yield Result("low-stock list of 100, beside a list of 100", size, ours, products, statements(low), target=("ratio", 1.6))
    yield Result("low-stock list of 100, beside its SQL", size, ours, lowest)
    yield _adjustment(size, member, client)


def _adjustment(size: int, member: Member, client: Client) -> Result:
    """One up, one down, so that the balance stays; every change is committed, by both sides."""
    item = orjson.loads(client.get("stock-items/?limit=100")())["results"][30]
    reasons = orjson.loads(client.get("reason-codes/?kind=adjustment")())["results"]
    reason = next(found["id"] for found in reasons if found["code"] == "BENCH")
    floor, organization = Floor(member.organization_id), member.organization_id
    ups, downs = cycle([1, -1]), cycle([1, -1])

    def by_sql() -> None:
        change = next(ups)
        sides: list[Any] = [item["location"], None] if change > 0 else [None, item["location"]]
        with floor.scope() as cursor:
            cursor.execute(CHANGE, [change, organization, item["id"], change])
            cursor.execute(MOVE, [uuid4(), organization, item["variant"], *sides, reason])

    def by_request() -> None:
        line = {"variant": item["variant"], "location": item["location"], "change": str(next(downs))}
        client.post("stock-items/adjust/", {"reason": reason, "lines": [line]})()

    lowest, ours = times(ROUNDS, by_sql, by_request)
    return Result("adjust stock, whole request", size, ours, lowest, statements(by_request), target=("statements", 8))

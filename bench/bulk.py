"""A thousand products made by one bulk request, beside one INSERT of the same rows with the same triggers."""

from collections.abc import Iterator
from itertools import count
from uuid import uuid4

import orjson
from django.db import connections

from bench.database import TENANT, member_of
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client

ROUNDS, ROWS = 12, 1_000
COLUMNS = (
    "id, organization_id, name, category_id, description, status, tracking, base_unit_id, hs_code, country_of_origin,"
    " external_ref"
)


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    floor, client = Floor(member.organization_id), Client(member)
    known = orjson.loads(client.get("products/?limit=1")())["results"][0]
    numbers = count(1)

    def made_by_sql() -> None:
        with floor.scope() as cursor:
            rows = [
                (uuid4(), member.organization_id, f"New {next(numbers)}", known["category"], "", "active", "none",
                 known["base_unit"], "", "", f"new-{uuid4()}") for _ in range(ROWS)
            ]  # fmt: skip
            marks = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * ROWS)
            values = [value for row in rows for value in row]
            cursor.execute(f"INSERT INTO inventory_product ({COLUMNS}) VALUES {marks}", values)

    def made_by_request() -> None:
        rows = [
            {"name": f"New {next(numbers)}", "category": known["category"], "base_unit": known["base_unit"],
             "external_ref": f"new-{uuid4()}"} for _ in range(ROWS)
        ]  # fmt: skip
        client.post("products/bulk/", {"rows": rows})()

    made: list[str] = []

    def changed_by_request() -> None:
        rows = [{"op": "update", "id": row_id, "description": f"Text {next(numbers)}"} for row_id in made]
        client.post("products/bulk/", {"rows": rows})()

    try:
        least, ours = times(ROUNDS, made_by_sql, made_by_request)
        sent = statements(made_by_request)
        yield Result(f"make {ROWS:,} products, whole request", size, ours, least, sent, target=("ratio", 3))
        with connections["worker"].cursor() as cursor:
            cursor.execute("SELECT id::text FROM inventory_product WHERE external_ref ^@ 'new-' LIMIT %s", [ROWS])
            made += [row_id for (row_id,) in cursor.fetchall()]
        (ours,) = times(ROUNDS, changed_by_request)
        yield Result(f"change {ROWS:,} products, whole request", size, ours, statements=statements(changed_by_request))
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DELETE FROM inventory_product WHERE external_ref ^@ 'new-'")

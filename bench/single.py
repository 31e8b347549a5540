"""One product read, and one made."""

from collections.abc import Iterator
from itertools import count
from uuid import uuid4

import orjson
from django.db import connections

from bench.database import TENANT, member_of
from bench.floors import PRODUCT_FIELDS, PRODUCTS, Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from bench.views import view_of

ROUNDS = 200
CREATE = """
    INSERT INTO inventory_product (id, organization_id, name, category_id, description, status, tracking, base_unit_id, hs_code,
                                   country_of_origin, external_ref)
    VALUES (%s, %s, %s, %s, '', 'active', 'none', %s, '', '', %s) RETURNING id, created_at, updated_at, version
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    floor, client = Floor(member.organization_id), Client(member)
    known = orjson.loads(client.get("products/?limit=100")())["results"][50]
    lowest = floor.rows(f"{PRODUCTS} AND p.id = %s", [member.organization_id, known["id"]])
    request = client.get(f"products/{known['id']}/")
    view_alone = view_of(member, "retrieve", f"products/{known['id']}/?fields={PRODUCT_FIELDS}", pk=known["id"])
    least, view, ours = times(ROUNDS, lowest, view_alone, request)
    yield Result("one product, the view alone", size, view, least, target=("ratio", 1.6))
    yield Result("one product, whole request", size, ours, least, statements(request), target=("ours", 4))

    numbers = count(1)

    def made_by_sql() -> None:
        references = [known["category"], known["base_unit"], f"new-{uuid4()}"]
        with floor.scope() as cursor:
            cursor.execute(CREATE, [uuid4(), member.organization_id, f"New {next(numbers)}", *references])

    def made_by_request() -> None:
        body = {"name": f"New {next(numbers)}", "category": known["category"], "base_unit": known["base_unit"]}
        client.post("products/", {**body, "external_ref": f"new-{uuid4()}"})()

    try:
        least, ours = times(ROUNDS, made_by_sql, made_by_request)
        sent = statements(made_by_request)
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DELETE FROM inventory_product WHERE external_ref ^@ 'new-'")
    yield Result("create a product, whole request", size, ours, least, sent, target=("statements", 8))

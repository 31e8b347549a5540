"""What fits a vehicle and is in stock here, among 5,000,000 pairs (200,000 with 10,000 products); the import of vehicle models.

250 parts fit each vehicle model at either size: what a page costs may depend on that alone.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, connections, transaction

from bench.database import LARGE, TENANT, Member, member_of
from bench.filling import bare_tables
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from core.dirty_csv import read_table
from core.supervisor import progress
from core.tenancy import organization_scope
from inventory.services.vehicles import ADD, COLUMNS, FILE, vehicles_import

ROUNDS = 200
PARTS_OF_A_VEHICLE = 250
PAIRS = {10_000: 200_000, 1_000_000: 5_000_000}
EMPTY = "BENCH-EMPTY"  # a warehouse with nothing that fits the vehicle, and 10,000 other parts

# Vehicle n takes 250 parts at equal distances, beginning somewhere else than its neighbor.
FILL = [
    """
    INSERT INTO inventory_vehiclemodel (id, organization_id, make, model, year, engine, trim, vehicle_type, fuel)
    SELECT uuid7(), %(organization)s, 'MAKE ' || n %% 100, 'MODEL ' || n / 20, 2000 + n %% 20, '', '', '', ''
    FROM generate_series(0, %(vehicles)s - 1) AS n
    """,
    """
    CREATE TEMP TABLE vehicle ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM inventory_vehiclemodel
    WHERE organization_id = %(organization)s AND make LIKE 'MAKE %%'
    """,
    """
    CREATE TEMP TABLE part ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM inventory_productvariant
    WHERE organization_id = %(organization)s
    """,
    "CREATE UNIQUE INDEX ON part (n)",
    "ANALYZE part",
    """
    INSERT INTO inventory_fitment (id, organization_id, variant_id, vehicle_model_id, position, quantity_per_vehicle, notes)
    SELECT uuid7(), %(organization)s, part.id, pair.id, '', 1, ''
    FROM (SELECT vehicle.id, (vehicle.n * 7919 + k * (total.parts / %(each)s)) %% total.parts AS n
          FROM vehicle, generate_series(0, %(each)s - 1) AS k, (SELECT count(*) AS parts FROM part) AS total) AS pair
    JOIN part USING (n)
    """,
    """
    INSERT INTO inventory_warehouse (id, organization_id, code, name, gln, timezone, kind, is_active)
    VALUES (uuid7(), %(organization)s, 'BENCH-EMPTY', 'Empty', '', '', 'own', true)
    """,
]

OTHER_PARTS = [
    "ALTER TABLE inventory_stockitem DISABLE TRIGGER USER",
    """
    WITH place AS (
        INSERT INTO inventory_location (id, organization_id, warehouse_id, code, name, kind, barcode, pick_sequence)
        SELECT uuid7(), organization_id, id, 'BENCH-EMPTY', '', 'storage', '', 0 FROM inventory_warehouse
        WHERE organization_id = %(organization)s AND code = 'BENCH-EMPTY' RETURNING *
    )
    INSERT INTO inventory_stockitem (id, organization_id, variant_id, warehouse_id, location_id, quantity, reserved, may_be_short)
    SELECT uuid7(), place.organization_id, v.id, place.warehouse_id, place.id, 5, 0, false
    FROM place JOIN inventory_productvariant AS v USING (organization_id)
    WHERE NOT EXISTS (SELECT FROM inventory_fitment AS f WHERE f.organization_id = v.organization_id AND f.variant_id = v.id
                      AND f.vehicle_model_id = %(vehicle)s)
    LIMIT 10000
    """,
    "SET CONSTRAINTS ALL IMMEDIATE",  # a table with checks to come cannot be altered
    "ALTER TABLE inventory_stockitem ENABLE TRIGGER USER",
]
IS_THERE = "SELECT EXISTS (SELECT FROM inventory_location WHERE organization_id = %s AND code = 'BENCH-EMPTY')"

PARTS = """
    SELECT f.id AS fitment, v.id AS variant, v.sku, v.name, f.position, f.quantity_per_vehicle
    FROM inventory_fitment AS f
    JOIN inventory_productvariant AS v ON v.organization_id = f.organization_id AND v.id = f.variant_id
    WHERE f.organization_id = %s AND f.vehicle_model_id = %s AND v.archived_at IS NULL
"""
IN_STOCK = """
    AND EXISTS (SELECT FROM inventory_stockitem AS s
                WHERE s.organization_id = f.organization_id AND s.variant_id = f.variant_id AND s.warehouse_id = %s
                    AND s.available > 0)
"""
VEHICLES = """
    SELECT f.id AS fitment, m.id AS vehicle_model, m.make, m.model, m.year, f.position, f.quantity_per_vehicle
    FROM inventory_fitment AS f
    JOIN inventory_vehiclemodel AS m ON m.organization_id = f.organization_id AND m.id = f.vehicle_model_id
    WHERE f.organization_id = %s AND f.variant_id = %s ORDER BY f.vehicle_model_id, f.id LIMIT 51
"""
PAGE = " ORDER BY f.variant_id, f.id LIMIT 51"


def run(size: int) -> Iterator[Result]:
    member = member_of(LARGE if size > 10_000 else TENANT)
    vehicle, variant, full, empty = _filled(member.organization_id, PAIRS[size])
    floor, client = Floor(member.organization_id), Client(member)
    parts = f"vehicle-models/{vehicle}/parts/"
    sides = {
        "the parts of a vehicle, 50 of 250": (PARTS + PAGE, [vehicle], parts),
        "those in stock here": (PARTS + IN_STOCK + PAGE, [vehicle, full], f"{parts}?in_stock_at={full}"),
        "none of the 250 in stock here": (PARTS + IN_STOCK + PAGE, [vehicle, empty], f"{parts}?in_stock_at={empty}"),
        "the vehicles of a part": (VEHICLES, [variant], f"product-variants/{variant}/vehicles/"),
    }
    for title, (sql, values, address) in sides.items():
        request = client.get(address)
        lowest, ours = times(ROUNDS, floor.rows(sql, [member.organization_id, *values]), request)
        name = f"{title}, of {PAIRS[size]:,} pairs"
        yield Result(name, size, ours, lowest, statements(request), target=("ratio", 6))
    yield _last_page(size, client, parts)
    yield _import(size, member)


def _filled(organization_id: UUID, pairs: int) -> tuple[UUID, UUID, UUID, UUID]:
    """A vehicle, a part of it, a warehouse with stock, and one without."""
    values = {"organization": organization_id, "vehicles": pairs // PARTS_OF_A_VEHICLE, "each": PARTS_OF_A_VEHICLE}
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_fitment WHERE organization_id = %s)", [organization_id])
        if not cursor.fetchone()[0]:
            with progress(f"  {pairs:,} fitments"), transaction.atomic("owner"):
                cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
                with bare_tables(cursor, ["inventory_vehiclemodel", "inventory_fitment"]):
                    for statement in FILL:
                        cursor.execute(statement, values)
            cursor.execute("VACUUM ANALYZE inventory_fitment, inventory_vehiclemodel")
        cursor.execute(
            "SELECT vehicle_model_id, variant_id FROM inventory_fitment WHERE organization_id = %s OFFSET %s LIMIT 1",
            [organization_id, pairs // 2],
        )
        vehicle, variant = cursor.fetchone()
        cursor.execute(IS_THERE, [organization_id])
        if not cursor.fetchone()[0]:
            chosen: dict[str, Any] = {"organization": organization_id, "vehicle": vehicle}
            with transaction.atomic("owner"):
                for statement in OTHER_PARTS:
                    cursor.execute(statement, chosen)
            cursor.execute("VACUUM ANALYZE inventory_stockitem")
        cursor.execute("SELECT code, id FROM inventory_warehouse WHERE organization_id = %s", [organization_id])
        warehouses = dict(cursor.fetchall())
    return vehicle, variant, warehouses["BENCH"], warehouses[EMPTY]


def _last_page(size: int, client: Client, parts: str) -> Result:
    first = client.get(f"{parts}?limit=50")
    page = orjson.loads(first())
    for _ in range(PARTS_OF_A_VEHICLE // 50 - 1):
        last = client.get(f"{parts}?{page['next'].partition('?')[2]}")
        page = orjson.loads(last())
    if page["next"] is not None or len(page["results"]) != 50:
        raise AssertionError("This is not the last page.")
    lowest, ours = times(ROUNDS, first, last)
    return Result("the last page of a vehicle's parts, beside the first", size, ours, lowest, target=("ratio", 1.3))


def _import(size: int, member: Member) -> Result:
    """All of the file into an organization that has none of it, rolled back; the floor is the INSERT alone."""
    rows = [row.values for row in read_table(FILE, COLUMNS).rows]
    makes, models = ([row[name] for row in rows] for name in ("make", "model"))
    years = [int(str(row["year"])) for row in rows]

    def within(do: Callable[[], Any]) -> Callable[[], None]:
        def call() -> None:
            with organization_scope(member.organization_id):
                do()
                transaction.set_rollback(True)

        return call

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT array_agg(uuid7()) FROM generate_series(1, %s)", [len(rows)])
            cursor.execute(ADD, [member.organization_id, cursor.fetchone()[0], makes, models, years])

    lowest, ours = times(5, within(insert), within(vehicles_import))
    name = f"import of {len(rows):,} vehicle models, {len(rows) / ours * 1000:,.0f} rows/s"
    return Result(name, size, ours, lowest, statements(within(vehicles_import)), target=("ratio", 2))

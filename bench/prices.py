"""A quote of 100 lines against 1,000 lists with 100,000 prices; at a million products, others have 900,000 prices besides."""

from collections.abc import Iterator
from datetime import date

import orjson
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from bench.database import LARGE, TENANT, Member, member_of
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from core.supervisor import progress

ROUNDS, LINES = 100, 100
DAY = date(2026, 3, 10)

# Twenty lists for everybody, the others for a party each; a hundred prices in each, or nine hundred: of fifty variants a price
# and one from ten on, and so on.
FILL = [
    """
    INSERT INTO accounts_party (id, organization_id, name, kind, tax_number, gln, language, website, custom_fields)
    SELECT uuid7(), %(organization)s, 'Priced ' || n, 'organization', '', '', '', '', '{}' FROM generate_series(21, 1000) AS n
    """,
    """
    INSERT INTO inventory_pricelist (id, organization_id, kind, code, name, currency, party_id, priority, includes_tax, is_active)
    SELECT uuid7(), %(organization)s, 'sale', 'BENCH-' || n, 'Bench', 'EUR', p.id, n %% 5, false, true
    FROM generate_series(1, 1000) AS n
    LEFT JOIN accounts_party AS p ON p.organization_id = %(organization)s AND p.name = 'Priced ' || n
    """,
    """
    INSERT INTO inventory_pricelistitem (id, organization_id, price_list_id, variant_id, min_quantity, price)
    SELECT uuid7(), l.organization_id, l.id, v.id, least, 10 - least / 10.0
    FROM (SELECT *, substr(code, 7)::int AS n FROM inventory_pricelist WHERE organization_id = %(organization)s) AS l
    CROSS JOIN generate_series(1, %(variants)s) AS j CROSS JOIN (VALUES (0), (10)) AS breaks(least)
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM inventory_productvariant
          WHERE organization_id = %(organization)s ORDER BY id LIMIT 10000) AS v ON v.n = (l.n * 37 + j * 97) %% 10000
    WHERE l.code LIKE 'BENCH-%%'
    """,
]
# The price alone: of a line by the index of its variant, without its tax, without a word why.
FLOOR = """
    SELECT line.number, best.price
    FROM unnest(%(numbers)s::int[], %(variants)s::uuid[]) AS line(number, variant_id)
    CROSS JOIN LATERAL (
        SELECT i.price FROM inventory_pricelistitem AS i
        JOIN inventory_pricelist AS l ON l.organization_id = i.organization_id AND l.id = i.price_list_id
        WHERE i.organization_id = %(organization)s AND i.variant_id = line.variant_id AND l.kind = 'sale' AND l.is_active
            AND (l.party_id IS NULL OR l.party_id = %(party)s) AND i.min_quantity <= 12
        ORDER BY l.party_id IS NULL, l.priority DESC, l.code, i.min_quantity DESC LIMIT 1
    ) AS best
"""
ASKED = """
    SELECT DISTINCT i.variant_id FROM inventory_pricelistitem AS i
    JOIN inventory_pricelist AS l ON l.organization_id = i.organization_id AND l.id = i.price_list_id
    WHERE i.organization_id = %(organization)s AND l.code IN ('BENCH-1', 'BENCH-2', 'BENCH-21')
    ORDER BY i.variant_id LIMIT 100
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        _fill(cursor, member, 50)
        if size >= 1_000_000:
            _fill(cursor, member_of(LARGE), 450)
        cursor.execute(
            "SELECT party_id FROM inventory_pricelist WHERE organization_id = %s AND code = 'BENCH-21'", [member.organization_id],
        )
        [party] = cursor.fetchone()
        cursor.execute(ASKED, {"organization": member.organization_id})
        variants = [row[0] for row in cursor.fetchall()]
    if len(variants) != LINES:
        raise AssertionError("There should be prices of a hundred variants.")
    body = {
        "party": str(party), "day": DAY.isoformat(), "country": "PT",
        "lines": [{"variant": str(variant), "quantity": "12"} for variant in variants],
    }
    ours, explained = (Client(member).post("price-lists/quote/", {**body, "explain": explain}) for explain in (False, True))
    if orjson.loads(ours())["total"]["net"] is None:
        raise AssertionError("Every line should have a price.")
    given = {"organization": member.organization_id, "party": party, "numbers": list(range(LINES)), "variants": variants}
    lowest, quoted, told = times(ROUNDS, Floor(member.organization_id).rows(FLOOR, given), ours, explained)
    yield Result(f"quote {LINES} lines, whole request, beside its prices by SQL", size, quoted, lowest, statements(ours),
                 target=("statements", 5))
    yield Result(f"quote {LINES} lines with what lost and why", size, told, lowest, statements(explained))


def _fill(cursor: CursorWrapper, member: Member, variants: int) -> None:
    given = {"organization": member.organization_id, "variants": variants}
    cursor.execute("SELECT FROM inventory_pricelist WHERE organization_id = %(organization)s AND code = 'BENCH-1'", given)
    if cursor.fetchone() is not None:
        return
    with progress(f"  {2_000 * variants:,} prices"):
        for table in ("inventory_pricelist", "inventory_pricelistitem"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in FILL:
            cursor.execute(statement, given)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        for table in ("inventory_pricelist", "inventory_pricelistitem"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ANALYZE {table}")

"""A million products with their variants, balances and reorder rules, in a few statements.

Foreign keys, indexes and the audit triggers are taken away while the rows come and put back afterwards:
to build an index once is several times faster than to add a million rows to it one by one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from core.supervisor import progress
from inventory.queries.search_sources import COLUMNS, WANTED

TABLES = [
    "inventory_product", "inventory_productvariant", "inventory_stockitem", "inventory_reorderrule", "inventory_searchtoken",
]

# Row n of each table has an id made of n. The tenant (1) owns 10,000 rows whatever the size, the large
# organization (2) 901,000 of 1,000,000, the other 48 the rest; they take turns, as in a busy system.
ROWS = """
    CREATE TEMP TABLE row AS
    SELECT n, (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000000000000000')::uuid AS id, abs(hashint4(n)) AS chance,
           (%(organizations)s::uuid[])[
               CASE WHEN n %% (%(size)s / 10000) = 0 THEN 1 WHEN n %% 1000 < 90 THEN 3 + n %% 48 ELSE 2 END
           ] AS organization_id
    FROM generate_series(1, %(size)s) AS n
"""

# An organization is founded with rows of its own, so these have a name of their own.
GROUND = [
    """
    INSERT INTO inventory_unitofmeasure (id, organization_id, code, name, dimension, factor, rounding)
    SELECT uuid7(), id, 'BENCH', 'Bench', 'count', 1, 0 FROM accounts_organization
    """,
    """
    INSERT INTO inventory_category (id, organization_id, name, slug, description)
    SELECT uuid7(), o.id, 'Category ' || n, 'category-' || n, '' FROM accounts_organization AS o, generate_series(1, 20) AS n
    """,
    """
    INSERT INTO inventory_warehouse (id, organization_id, code, name, gln, timezone, kind, is_active)
    SELECT uuid7(), id, 'BENCH', 'Bench', '', '', 'own', true FROM accounts_organization
    """,
    """
    INSERT INTO inventory_location (id, organization_id, warehouse_id, code, name, kind, barcode, pick_sequence)
    SELECT uuid7(), organization_id, id, 'BENCH', '', 'storage', '', 0 FROM inventory_warehouse WHERE code = 'BENCH'
    """,
    """
    INSERT INTO inventory_reasoncode (id, organization_id, kind, code, name, requires_note)
    SELECT uuid7(), id, 'adjustment', 'BENCH', 'Bench', false FROM accounts_organization
    """,
    "ANALYZE",
]

# One rule of fifty is low, and every second of those has an open task.
MILLION = {
    "products": """
    INSERT INTO inventory_product (id, organization_id, name, category_id, description, status, tracking, base_unit_id, hs_code,
                                   country_of_origin, external_ref)
    SELECT row.id, row.organization_id,
           (ARRAY['Bolt', 'Bracket', 'Cable', 'Clamp', 'Fuse', 'Gasket', 'Hinge', 'Nut', 'Relay', 'Washer'])[1 + chance %% 10]
               || (ARRAY[' brass ', ' copper ', ' nylon ', ' steel ', ' zinc '])[1 + chance / 10 %% 5] || n,
           c.ids[1 + chance %% 20], 'A part of some length, width and height.', 'active', 'none', u.id, '731815', 'PT', 'P-' || n
    FROM row
    JOIN (SELECT organization_id, array_agg(id) AS ids FROM inventory_category GROUP BY 1) AS c USING (organization_id)
    JOIN inventory_unitofmeasure AS u USING (organization_id) WHERE u.code = 'BENCH' ORDER BY n
    """,
    "variants": """
    INSERT INTO inventory_productvariant (id, organization_id, sku, product_id, name, weight, standard_cost, abc_class)
    SELECT p.id, p.organization_id, 'SKU-' || n, p.id, p.name, 0.25, 12.5, 'B'
    FROM row JOIN inventory_product AS p USING (id) ORDER BY n
    """,
    "stock items": """
    INSERT INTO inventory_stockitem (id, organization_id, variant_id, warehouse_id, location_id, quantity, reserved, may_be_short)
    SELECT row.id, organization_id, row.id, l.warehouse_id, l.id, CASE WHEN n / 100 %% 50 = 0 THEN 5 ELSE 100 END, 0, false
    FROM row JOIN inventory_location AS l USING (organization_id) WHERE l.code = 'BENCH' ORDER BY n
    """,
    "reorder rules": """
    INSERT INTO inventory_reorderrule (id, organization_id, variant_id, warehouse_id, basis, min_quantity, max_quantity,
                                       is_active, level)
    SELECT row.id, organization_id, row.id, s.warehouse_id, 'available', 10, 200, true, s.quantity
    FROM row JOIN inventory_stockitem AS s USING (id, organization_id) ORDER BY n
    """,
    "reorder tasks": """
    INSERT INTO inventory_reordertask (id, organization_id, rule_id, variant_id, warehouse_id, triggered_quantity, threshold,
                                       suggested_quantity, status, explanation)
    SELECT id, organization_id, id, variant_id, warehouse_id, level, min_quantity, max_quantity - level, 'open', '{}'
    FROM row JOIN inventory_reorderrule AS r USING (id, organization_id) WHERE n / 100 %% 100 = 0 ORDER BY n
    """,
}

# The words by which products and variants are found, which triggers would have made.
WORDS = f"""
    INSERT INTO inventory_searchtoken (id, organization_id, {COLUMNS})
    SELECT id, %(organization)s, {COLUMNS} FROM ({WANTED}) AS wanted
"""

FOREIGN_KEYS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE contype = 'f' AND (conrelid = ANY (%(tables)s::regclass[]) OR confrelid = ANY (%(tables)s::regclass[]))
"""
# Unique constraints go with their index; primary keys stay, because what follows joins by them.
UNIQUE_CONSTRAINTS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype = 'u' AND conrelid = ANY (%(tables)s::regclass[])
"""
INDEXES = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[])
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def fill(cursor: CursorWrapper, size: int, organizations: Sequence[UUID]) -> None:
    """`cursor` is the owner's, in a transaction; `organizations` has the tenant first and the large one second."""
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    cursor.execute("SET LOCAL work_mem = '256MB'")
    for statement in GROUND:
        cursor.execute(statement)
    cursor.execute(ROWS, {"organizations": list(organizations), "size": size})
    cursor.execute("ANALYZE row")
    with bare_tables(cursor, TABLES):
        for title, statement in MILLION.items():
            with progress(f"  {size:,} products: {title}"):
                cursor.execute(statement, {})
        fill_words(cursor, size, organizations)


def fill_words(cursor: CursorWrapper, size: int, organizations: Sequence[UUID]) -> None:
    with progress(f"  {size:,} products: words"):
        for organization in organizations:
            cursor.execute(WORDS, {"organization": organization})


@contextmanager
def bare_tables(cursor: CursorWrapper, tables: Sequence[str]) -> Iterator[None]:
    """Without what slows their filling down."""
    statements: list[tuple[str, str]] = []
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
    for query in (FOREIGN_KEYS, UNIQUE_CONSTRAINTS, INDEXES):
        cursor.execute(query, {"tables": list(tables)})
        found = cursor.fetchall()
        for drop, _ in found:
            cursor.execute(drop)
        statements += found
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    with progress("  indexes"):
        for _, add in reversed(statements):
            if "FOREIGN KEY" not in add:
                cursor.execute(add)
    for table in tables:
        cursor.execute(f"ANALYZE {table}")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with progress("  foreign keys"):
        for _, add in reversed(statements):
            if "FOREIGN KEY" in add:
                cursor.execute(add)

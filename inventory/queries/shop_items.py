"""The items of a category as an earlier shop's clients read them, in the order type, brand, id.

Where the places of items are kept (`inventory/services/category_items.py`) a page is read of them; of products that have changed
since, and where none are kept yet, of the items themselves.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

# Variants of products, which `p` is made of. An attribute of the variant comes before its product's.
FOUND = """
    SELECT v.id, p.id AS product_id, p.category_id, COALESCE(t.text, '') COLLATE "C" AS type,
           COALESCE(m.name, '') COLLATE "C" AS company
    FROM {products} AS p
    CROSS JOIN LATERAL (
        SELECT v.* FROM inventory_productvariant AS v
        WHERE v.organization_id = p.organization_id AND v.product_id = p.id AND v.archived_at IS NULL {apart}
    ) AS v
    LEFT JOIN accounts_party AS m ON m.organization_id = p.organization_id AND m.id = p.manufacturer_id
    LEFT JOIN LATERAL (
        SELECT COALESCE(a.value_text, trim_scale(a.value_number)::text) AS text
        FROM inventory_productattributevalue AS a
        WHERE a.organization_id = v.organization_id AND a.product_id = v.product_id
          AND (a.variant_id = v.id OR a.variant_id IS NULL)
          AND a.definition_id = (
              SELECT id FROM inventory_attributedefinition WHERE organization_id = %(organization)s AND code = 'type')
        ORDER BY a.variant_id NULLS LAST LIMIT 1
    ) AS t ON true
    WHERE p.organization_id = %(organization)s AND p.archived_at IS NULL AND {chosen}
"""
# Variants are looked up product by product, whatever the planner makes of many that are new.
APART = "OFFSET 0"
# Of which products the items are read anew. A few rows, whatever the planner takes them for.
CHANGED = """
    SELECT c.subject_id AS id FROM inventory_categoryitemchange AS c WHERE c.organization_id = %(organization)s
    UNION
    SELECT p.id FROM inventory_categoryitemchange AS c CROSS JOIN LATERAL (
        SELECT p.id FROM inventory_product AS p
        WHERE p.organization_id = c.organization_id AND p.manufacturer_id = c.subject_id OFFSET 0
    ) AS p WHERE c.organization_id = %(organization)s
    UNION
    SELECT a.product_id FROM inventory_categoryitemchange AS c CROSS JOIN LATERAL (
        SELECT a.product_id FROM inventory_productattributevalue AS a
        WHERE a.organization_id = c.organization_id AND a.definition_id = c.subject_id OFFSET 0
    ) AS a WHERE c.organization_id = %(organization)s
"""
PRODUCTS_OF = """(
    SELECT p.* FROM {0} AS one CROSS JOIN LATERAL (
        SELECT p.* FROM inventory_product AS p WHERE p.organization_id = %(organization)s AND p.id = one.id OFFSET 0
    ) AS p
)"""
CATEGORY = "SELECT id FROM inventory_category WHERE organization_id = %(organization)s AND name_key = lower(%(category)s)"
OF_CATEGORY = "p.category_id IN (SELECT id FROM category)"

READ = f"""
    category AS MATERIALIZED ({CATEGORY}),
    found AS ({FOUND.format(products="inventory_product", chosen=OF_CATEGORY, apart="")})
"""
KEPT = f"""
    category AS MATERIALIZED ({CATEGORY}), found AS (
        SELECT i.* FROM category AS c CROSS JOIN LATERAL (
            SELECT i.variant_id AS id, i.product_id, i.category_id, i.type, i.company FROM inventory_categoryitem AS i
            WHERE i.organization_id = %(organization)s AND i.category_id = c.id AND {{kept}}
            ORDER BY i.type, i.company, i.variant_id LIMIT %(size)s
        ) AS i {{more}}
    )
"""
UNCHANGED = "product_id NOT IN (SELECT id FROM changed)"
AND_CHANGED = f"UNION ALL {FOUND.format(products=PRODUCTS_OF.format('changed'), chosen=OF_CATEGORY, apart=APART)}"
MOST_CHANGED = 2_000  # of more, reading the whole category is no worse
SOME_CHANGED = f"changed AS MATERIALIZED (SELECT id FROM ({CHANGED}) AS changed LIMIT {MOST_CHANGED + 1}),"
ONE = f"found AS ({FOUND.format(products='inventory_product', chosen='v.id = %(id)s', apart='')})"

# One row at least, which says whether places are kept, and of how many products the page may be wrong.
NONE = "0"
ANY = "(SELECT count(*) FROM (SELECT FROM inventory_categoryitemchange WHERE organization_id = %(organization)s LIMIT 1) AS one)"
ALL = "(SELECT count(*) FROM changed)"
PAGE = """
    WITH {found}, page AS (
        SELECT * FROM found WHERE {chosen} ORDER BY type, company, id LIMIT %(size)s
    ), named AS MATERIALIZED (
        SELECT id, code FROM inventory_attributedefinition
        WHERE organization_id = %(organization)s AND code IN ('type', 'storage', 'available_colors')
    ), standing AS (
        SELECT (SELECT is_kept FROM inventory_categoryitemskept WHERE organization_id = %(organization)s) AS is_kept,
               {changes} AS changes
    )
    SELECT s.is_kept, s.changes, page.id, v.sku, v.name AS title, c.name AS category, page.type, page.company, p.description, (
        SELECT jsonb_object_agg(n.code, a.value_text) FROM named AS n
        JOIN LATERAL (
            SELECT a.value_text FROM inventory_productattributevalue AS a
            WHERE a.organization_id = %(organization)s AND a.product_id = page.product_id AND a.definition_id = n.id
              AND (a.variant_id = page.id OR a.variant_id IS NULL)
            ORDER BY a.variant_id NULLS LAST LIMIT 1
        ) AS a ON true
    ) AS attributes
    FROM standing AS s
    LEFT JOIN (
        page JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = page.id
        JOIN inventory_product AS p ON p.organization_id = %(organization)s AND p.id = page.product_id
        LEFT JOIN inventory_category AS c ON c.organization_id = %(organization)s AND c.id = page.category_id
    ) ON true
    ORDER BY page.type, page.company, page.id
"""

type Row = dict[str, Any]


class Page(NamedTuple):
    """`is_kept` is None where nobody has read `/items` before."""

    rows: list[Row]
    is_kept: bool | None
    changes: int


def items_of_category(*, category: str, kind: str, brand: str, after: Sequence[str], size: int) -> Page:
    """`after` is the type, brand and id of the last item that was read, or empty."""
    values, chosen = _values(category, kind, brand, after, size), _chosen(kind, brand, after)
    kept, found = chosen.format(id="variant_id"), chosen.format(id="id")
    page = _page(PAGE.format(found=KEPT.format(kept=kept, more=""), chosen=found, changes=ANY), values)
    if page.is_kept and not page.changes:
        return page
    if page.is_kept:
        source = SOME_CHANGED + KEPT.format(kept=f"{kept} AND {UNCHANGED}", more=AND_CHANGED)
        page = _page(PAGE.format(found=source, chosen=found, changes=ALL), values)
        if page.is_kept and page.changes <= MOST_CHANGED:
            return page
    return _page(PAGE.format(found=READ, chosen=found, changes=NONE), values)


def items_read(*, category: str, kind: str, brand: str, after: Sequence[str], size: int) -> list[Row]:
    """The same without kept places."""
    values, chosen = _values(category, kind, brand, after, size), _chosen(kind, brand, after)
    return _page(PAGE.format(found=READ, chosen=chosen.format(id="id"), changes=NONE), values).rows


def item_of(variant_id: UUID) -> Row | None:
    found = _page(PAGE.format(found=ONE, chosen="true", changes=NONE), {"id": variant_id, "size": 1}).rows
    return found[0] if found else None


def _values(category: str, kind: str, brand: str, after: Sequence[str], size: int) -> dict[str, Any]:
    places = dict(zip(("after_type", "after_brand", "after_id"), after, strict=True)) if after else {}
    return {"category": category, "type": kind, "brand": brand, "size": size, **places}


def _chosen(kind: str, brand: str, after: Sequence[str]) -> str:
    """With a place for what the id is called."""
    conditions = ["true"]
    if kind:
        conditions.append("type = %(type)s")
    if brand:
        conditions.append("company = %(brand)s")
    if after:
        conditions.append("(type, company, {id}) > (%(after_type)s, %(after_brand)s, %(after_id)s)")
    return " AND ".join(conditions)


def _page(sql: str, values: dict[str, Any]) -> Page:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "organization": active_organization_id()})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return Page([row for row in rows if row["id"]], rows[0]["is_kept"], rows[0]["changes"])

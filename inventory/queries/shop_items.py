"""The items of a category as an earlier shop's clients read them, in the order type, brand, id."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

# Variants of products. An attribute of the variant comes before its product's.
ITEMS = """
    WITH named AS MATERIALIZED (
        SELECT id, code FROM inventory_attributedefinition
        WHERE organization_id = %(organization)s AND code IN ('type', 'storage', 'available_colors')
    ), found AS (
        SELECT v.id, v.sku, v.name AS title, c.name AS category, COALESCE(t.text, '') COLLATE "C" AS type,
               COALESCE(m.name, '') COLLATE "C" AS company, p.description, p.id AS product_id
        FROM inventory_product AS p
        JOIN inventory_productvariant AS v
            ON v.organization_id = p.organization_id AND v.product_id = p.id AND v.archived_at IS NULL
        LEFT JOIN inventory_category AS c ON c.organization_id = p.organization_id AND c.id = p.category_id
        LEFT JOIN accounts_party AS m ON m.organization_id = p.organization_id AND m.id = p.manufacturer_id
        LEFT JOIN LATERAL (
            SELECT COALESCE(a.value_text, trim_scale(a.value_number)::text) AS text
            FROM inventory_productattributevalue AS a
            WHERE a.organization_id = v.organization_id AND a.product_id = v.product_id
              AND (a.variant_id = v.id OR a.variant_id IS NULL)
              AND a.definition_id = (SELECT id FROM named WHERE code = 'type')
            ORDER BY a.variant_id NULLS LAST LIMIT 1
        ) AS t ON true
        WHERE p.organization_id = %(organization)s AND p.archived_at IS NULL AND {chosen}
    ), page AS (
        SELECT * FROM found
        WHERE (%(type)s = '' OR type = %(type)s) AND (%(brand)s = '' OR company = %(brand)s) AND {beyond}
        ORDER BY type, company, id LIMIT %(size)s
    )
    SELECT page.id, sku, title, category, type, company, description, (
        SELECT jsonb_object_agg(n.code, a.value_text) FROM named AS n
        JOIN LATERAL (
            SELECT a.value_text FROM inventory_productattributevalue AS a
            WHERE a.organization_id = %(organization)s AND a.product_id = page.product_id AND a.definition_id = n.id
              AND (a.variant_id = page.id OR a.variant_id IS NULL)
            ORDER BY a.variant_id NULLS LAST LIMIT 1
        ) AS a ON true
    ) AS attributes
    FROM page ORDER BY type, company, page.id
"""
OF_CATEGORY = """p.category_id IN (
    SELECT id FROM inventory_category WHERE organization_id = %(organization)s AND name_key = lower(%(category)s)
)"""
OF_ONE = "v.id = %(id)s"
ALL, BEYOND = "true", "(type, company, id) > (%(after_type)s, %(after_brand)s, %(after_id)s)"

type Row = dict[str, Any]


def items_of_category(*, category: str, kind: str, brand: str, after: Sequence[str], size: int) -> list[Row]:
    """`after` is the type, brand and id of the last item that was read, or empty."""
    values = {"category": category, "type": kind, "brand": brand, "size": size}
    if after:
        values |= dict(zip(("after_type", "after_brand", "after_id"), after, strict=True))
    return _rows(ITEMS.format(chosen=OF_CATEGORY, beyond=BEYOND if after else ALL), values)


def item_of(variant_id: UUID) -> Row | None:
    found = _rows(ITEMS.format(chosen=OF_ONE, beyond=ALL), {"id": variant_id, "type": "", "brand": "", "size": 1})
    return found[0] if found else None


def _rows(sql: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "organization": active_organization_id()})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

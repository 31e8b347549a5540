"""Keeps the place of each item among those of its category, so that `/items` reads a page and not the category: for organizations
that read it. The database notes what changes (`inventory/database_category_items.py`)."""

from typing import Any
from uuid import UUID

from django.db import connection, connections

from core.in_turn import in_turn
from core.tenancy import active_organization_id, organization_scope
from inventory.models import CategoryItemsKept
from inventory.queries.shop_items import APART, CHANGED, FOUND, PRODUCTS_OF

MOST_CHANGES, MOST_TURNS = 2_000, 100  # in a transaction, and of them for one organization at a time

# Nobody reads places there, so none are kept: whoever comes to read them will have all of them made.
FORGET_ELSEWHERE = """
    DELETE FROM inventory_categoryitemchange AS c
    WHERE NOT EXISTS (SELECT FROM inventory_categoryitemskept AS k WHERE k.organization_id = c.organization_id)
"""
DUE = """
    SELECT k.organization_id FROM inventory_categoryitemskept AS k
    WHERE NOT k.is_kept OR EXISTS (SELECT FROM inventory_categoryitemchange AS c WHERE c.organization_id = k.organization_id)
    ORDER BY k.organization_id
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('category items ' || %s, 0))"
# A statement sees all that was changed before what an earlier one has seen. So the notes go first, and what is changed after that
# has a note that stays. What they name is found while they are still there.
TAKEN = f"""
    WITH taken AS MATERIALIZED (
        SELECT * FROM inventory_categoryitemchange WHERE organization_id = %(organization)s ORDER BY id LIMIT %(most)s
    ), changed AS ({CHANGED.replace("inventory_categoryitemchange", "taken")}), forgotten AS (
        DELETE FROM inventory_categoryitemchange AS c USING taken
        WHERE c.organization_id = %(organization)s AND c.id = taken.id RETURNING c.id
    )
    SELECT (SELECT count(*) FROM forgotten), ARRAY(SELECT id FROM changed)
"""
INSERT = f"""
    INSERT INTO inventory_categoryitem (id, organization_id, variant_id, product_id, category_id, type, company)
    SELECT uuid7(), %(organization)s, id, product_id, category_id, type, company
    FROM ({FOUND.format(products="{products}", chosen="p.category_id IS NOT NULL", apart=APART)}) AS found
"""
ALL = ("DELETE FROM inventory_categoryitemchange", "DELETE FROM inventory_categoryitem")
OF_SOME = PRODUCTS_OF.format("(SELECT unnest(%(products)s::uuid[]) AS id)")


def category_items_want() -> None:
    """From now on places are kept for the active organization: the worker makes them within a minute or so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_categoryitemskept (id, organization_id, is_kept) VALUES (uuid7(), %s, false)"
            " ON CONFLICT DO NOTHING", [active_organization_id()],
        )


def category_items_follow_everywhere() -> int:
    """As the worker; returns how many changes were followed."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(FORGET_ELSEWHERE)
        cursor.execute(DUE)
        due: list[UUID] = [key for (key,) in cursor.fetchall()]
    return in_turn(due, _follow)


def _follow(organization: UUID) -> int:
    done = 0
    for _ in range(MOST_TURNS):
        with organization_scope(organization):
            followed = category_items_follow()
        done += followed
        if followed < MOST_CHANGES:
            break
    return done


def category_items_follow() -> int:
    """Makes all places, where none are made yet; else those of the oldest changes, and returns how many these were."""
    values: dict[str, Any] = {"organization": active_organization_id(), "most": MOST_CHANGES}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [active_organization_id()])
        if not CategoryItemsKept.objects.filter(is_kept=True).exists():
            for statement in ALL:
                cursor.execute(f"{statement} WHERE organization_id = %(organization)s", values)
            cursor.execute(INSERT.format(products="inventory_product"), values)
            CategoryItemsKept.objects.update(is_kept=True)
            return 0
        cursor.execute(TAKEN, values)
        followed, values["products"] = cursor.fetchone()
        if followed:
            cursor.execute(
                "DELETE FROM inventory_categoryitem WHERE organization_id = %(organization)s AND product_id = ANY (%(products)s)",
                values,
            )
            cursor.execute(INSERT.format(products=OF_SOME), values)
    return int(followed)

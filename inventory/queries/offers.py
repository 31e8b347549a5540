"""The prices that lists and suppliers offer for the lines of a quote, best first: one statement for all lines."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import PriceList

# Where an offer comes from; the lower comes first.
OF_PARTY, GENERAL, LAST_PRICE = 0, 1, 2
MOST_SHOWN = 30  # of the offers for a line, where all are asked for

USABLE = """AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= %(day)s)
            AND (l.valid_to IS NULL OR l.valid_to >= %(day)s)"""

# What a supplier asked last, after all lists: of the party, or of the preferred supplier where no party is named.
LAST_PRICES = """
        UNION ALL
        SELECT line.number, 2, NULL, NULL, s.code, s.code, 0, s.currency, false, NULL, NULL, sp.id, 0, sp.last_price, NULL, NULL,
               NULL, sp.is_preferred
        FROM line
        JOIN inventory_supplierproduct AS sp ON sp.organization_id = %(organization)s AND sp.variant_id = line.variant_id
        JOIN inventory_supplier AS s ON s.organization_id = sp.organization_id AND s.id = sp.supplier_id
        WHERE sp.last_price IS NOT NULL AND s.archived_at IS NULL
            AND CASE WHEN %(party)s::uuid IS NULL THEN sp.is_preferred ELSE s.party_id = %(party)s END
"""

# The lists are found first, since they are few; then their items, by (price list, variant) or by variant, whichever
# is less. `fault` says why an offer does not count. `place` is the order in which offers decide: the party's lists, then by
# priority, then without converting, then what began last; on a list the largest break, then what began last. Of each
# currency the best is kept: whether it can be converted is not known here.
OFFERS = """
    WITH line AS MATERIALIZED (
        SELECT * FROM unnest(%(numbers)s::int[], %(variants)s::uuid[], %(quantities)s::numeric[])
            AS line(number, variant_id, quantity)
    ), list AS MATERIALIZED (
        SELECT l.*, CASE WHEN NOT l.is_active THEN 'list_inactive' WHEN l.valid_from > %(day)s THEN 'list_not_yet'
                         WHEN l.valid_to < %(day)s THEN 'list_over' END AS fault
        FROM inventory_pricelist AS l
        WHERE l.organization_id = %(organization)s AND l.kind = %(kind)s
            AND (l.party_id IS NULL OR l.party_id = %(party)s) {usable}
    ), offer AS (
        SELECT line.number, CASE WHEN list.party_id IS NULL THEN 1 ELSE 0 END AS tier, list.id AS list_id, i.id AS item_id,
               list.code, list.name, list.priority, list.currency, list.includes_tax, list.valid_from AS list_from,
               list.valid_to AS list_to, NULL::uuid AS supplier_product_id, i.min_quantity, i.price, i.valid_from, i.valid_to,
               COALESCE(list.fault, CASE WHEN i.valid_from > %(day)s THEN 'item_not_yet'
                                         WHEN i.valid_to < %(day)s THEN 'item_over'
                                         WHEN i.min_quantity > line.quantity THEN 'below_break' END) AS fault,
               false AS is_preferred
        FROM line
        JOIN inventory_pricelistitem AS i ON i.organization_id = %(organization)s AND i.variant_id = line.variant_id
        JOIN list ON list.id = i.price_list_id{last_prices}
    ), ranked AS (
        SELECT *, row_number() OVER places AS place, row_number() OVER currencies AS place_of_currency
        FROM offer{counting}
        WINDOW places AS (PARTITION BY number ORDER BY fault IS NOT NULL, {order}),
               currencies AS (PARTITION BY number, currency ORDER BY fault IS NOT NULL, {order})
    )
    SELECT number, tier, list_id, item_id, code, name, priority, currency, includes_tax, list_from, list_to, supplier_product_id,
           min_quantity, price, valid_from, valid_to, fault
    FROM ranked
    WHERE {kept}
    ORDER BY number, place
"""
ORDER = """tier, priority DESC, currency <> %(currency)s, list_from DESC NULLS LAST, code, min_quantity DESC,
    valid_from DESC NULLS LAST, is_preferred DESC, supplier_product_id"""


@dataclass(frozen=True, slots=True)
class Offer:
    """The price of a list's item, or what a supplier asked last, which has neither list nor item. Without a fault it counts."""

    tier: int
    price_list_id: UUID | None
    item_id: UUID | None
    code: str  # of the list or the supplier
    name: str
    priority: int
    currency: str
    includes_tax: bool
    list_from: date | None
    list_to: date | None
    supplier_product_id: UUID | None
    min_quantity: Decimal
    price: Decimal
    valid_from: date | None
    valid_to: date | None
    fault: str | None


def offers_for(
    lines: Mapping[int, tuple[UUID, Decimal]], *, kind: str, party_id: UUID | None, currency: str, day: date, every: bool,
) -> dict[int, list[Offer]]:
    """By the line's number, the best first. Unless `every` is asked for, only the best that counts of each currency."""
    if not lines:
        return {}
    sql = OFFERS.format(
        order=ORDER, usable="" if every else USABLE, last_prices=LAST_PRICES if kind == PriceList.Kind.PURCHASE else "",
        counting="" if every else " WHERE fault IS NULL",
        kept=f"place <= {MOST_SHOWN} OR place_of_currency = 1" if every else "place_of_currency = 1",
    )
    found: dict[int, list[Offer]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql, {
            "organization": active_organization_id(), "kind": kind, "party": party_id, "currency": currency, "day": day,
            "numbers": list(lines), "variants": [variant for variant, _ in lines.values()],
            "quantities": [quantity for _, quantity in lines.values()],
        })
        for number, *values in cursor.fetchall():
            found[number].append(Offer(*values))
    return found

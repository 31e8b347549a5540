"""What a change by percent does to the prices of a list, looked at before it is done."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.queries.rates import minor_unit
from core.tenancy import active_organization_id
from inventory.models import PriceList

MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Change:
    """Up or down by `percent`; then, with `ending` .95, to the nearest amount that ends so, upwards where two are as near.

    Without an ending, and where a price is under 1, it is rounded half up to the minor unit of the currency, or to as many
    decimals as the price had, if those are more.
    """

    percent: Decimal = Decimal(0)
    ending: Decimal | None = None


AS_THEY_ARE = Change()


@dataclass(frozen=True, slots=True)
class Example:
    sku: str
    name: str
    min_quantity: Decimal
    price: Decimal
    new_price: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """`lowest` and `highest` are percent; None where no price was above zero. `examples` are those that rounding moves most."""

    items: int
    changed: int
    lowest: Decimal | None
    highest: Decimal | None
    examples: list[Example]


# What is over already stays as it was. `i` is an item.
NOT_OVER = """(i.valid_to IS NULL OR i.valid_to >= (
    SELECT (now() AT TIME ZONE o.timezone)::date FROM accounts_organization AS o WHERE o.id = i.organization_id))"""
RAISED = "{0}.price * (100 + %(percent)s::numeric) / 100"
NEW_PRICE = f"""
    CASE WHEN %(ending)s::numeric IS NULL OR {RAISED} < 1
         THEN round({RAISED}, GREATEST(%(places)s::int, scale(trim_scale({{0}}.price))))
         ELSE floor({RAISED} - %(ending)s::numeric + 0.5) + %(ending)s::numeric END
"""
PRICED = f"""
    WITH priced AS (
        SELECT i.variant_id, i.min_quantity, i.price, {NEW_PRICE.format("i")} AS new_price, {RAISED.format("i")} AS raised
        FROM inventory_pricelistitem AS i
        WHERE i.organization_id = %(organization)s AND i.price_list_id = %(price_list)s AND {NOT_OVER}
    )
"""
SUMMARY = f"""{PRICED}
    SELECT count(*), count(*) FILTER (WHERE new_price <> price),
           round(min((new_price - price) * 100 / NULLIF(price, 0)), 2),
           round(max((new_price - price) * 100 / NULLIF(price, 0)), 2)
    FROM priced
"""
EXAMPLES = f"""{PRICED}
    SELECT v.sku, v.name, priced.min_quantity, priced.price, priced.new_price::numeric(19, 6)
    FROM (
        SELECT * FROM priced WHERE new_price <> price
        ORDER BY abs(new_price - raised) / NULLIF(raised, 0) DESC NULLS LAST, variant_id, min_quantity LIMIT {MOST_EXAMPLES}
    ) AS priced
    JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = priced.variant_id
    ORDER BY v.sku, priced.min_quantity
"""


def parameters(price_list: PriceList, change: Change) -> dict[str, Any]:
    return {
        "organization": active_organization_id(), "price_list": price_list.pk, "percent": change.percent, "ending": change.ending,
        "places": -int(minor_unit(price_list.currency).as_tuple().exponent),
    }


def effect_of(price_list: PriceList, change: Change) -> Effect:
    given = parameters(price_list, change)
    with connection.cursor() as cursor:
        cursor.execute(SUMMARY, given)
        items, changed, lowest, highest = cursor.fetchone()
        cursor.execute(EXAMPLES, given)
        return Effect(items, changed, lowest, highest, [Example(*row) for row in cursor.fetchall()])


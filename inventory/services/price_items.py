"""The prices of a list as another system sends them: those that are new are added, those that differ changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from core.errors import Invalid, NotFound
from core.tenancy import active_organization_id
from inventory.models import PriceList, ProductVariant

GIVEN = """
    WITH given AS (
        SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::numeric[], %(prices)s::numeric[], %(starts)s::date[],
                             %(ends)s::date[]) AS given(variant_id, min_quantity, price, valid_from, valid_to)
    )
"""
# Locked by id, as bulk requests lock them.
LOCK = f"""{GIVEN}
    SELECT FROM inventory_pricelistitem AS i
    JOIN given ON given.variant_id = i.variant_id AND given.min_quantity = i.min_quantity
        AND given.valid_from IS NOT DISTINCT FROM i.valid_from
    WHERE i.organization_id = %(organization)s AND i.price_list_id = %(price_list)s
    ORDER BY i.id FOR NO KEY UPDATE OF i
"""
SET = f"""{GIVEN}, written AS (
        INSERT INTO inventory_pricelistitem AS i
            (id, organization_id, price_list_id, variant_id, min_quantity, price, valid_from, valid_to)
        SELECT uuid7(), %(organization)s, %(price_list)s, variant_id, min_quantity, price, valid_from, valid_to
        FROM given ORDER BY variant_id, min_quantity, valid_from
        ON CONFLICT ON CONSTRAINT price_item_once DO UPDATE SET price = EXCLUDED.price, valid_to = EXCLUDED.valid_to
        WHERE i.price <> EXCLUDED.price OR i.valid_to IS DISTINCT FROM EXCLUDED.valid_to
        RETURNING i.xmax = 0 AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""


@dataclass(frozen=True, slots=True)
class Price:
    """Of a variant, named by its id or its SKU."""

    price: Decimal
    variant_id: UUID | None = None
    sku: str = ""
    min_quantity: Decimal = Decimal(0)
    valid_from: date | None = None
    valid_to: date | None = None


class Outcome(NamedTuple):
    created: int
    changed: int
    unchanged: int


def prices_set(*, price_list_id: UUID, prices: Sequence[Price]) -> Outcome:
    """All or none. A price is the one of a variant from a quantity and a day on; raises Invalid if one is given twice."""
    variants = _variants(prices)
    seen: dict[Any, int] = {}
    keys = [(variant, one.min_quantity, one.valid_from) for variant, one in zip(variants, prices, strict=True)]
    if twice := [number for number, key in enumerate(keys) if seen.setdefault(key, number) != number]:
        raise _wrong(twice, "price", "This price is given twice.")
    given: dict[str, Any] = {
        "organization": active_organization_id(), "price_list": price_list_id, "variants": variants,
        "quantities": [one.min_quantity for one in prices], "prices": [one.price for one in prices],
        "starts": [one.valid_from for one in prices], "ends": [one.valid_to for one in prices],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        if not PriceList.objects.select_for_update(no_key=True).filter(pk=price_list_id).exists():
            raise NotFound("There is no such price list.")
        cursor.execute(LOCK, given)
        cursor.execute(SET, given)
        created, changed = cursor.fetchone()
    return Outcome(created, changed, len(prices) - created - changed)


def _variants(prices: Sequence[Price]) -> list[UUID]:
    if unnamed := [number for number, one in enumerate(prices) if (one.variant_id is None) == (not one.sku)]:
        raise _wrong(unnamed, "variant", "Name the variant by its id or its SKU, one of the two.")
    skus = {one.sku for one in prices if one.sku}
    known = dict(ProductVariant.objects.filter(sku__in=skus).values_list("sku", "pk")) if skus else {}
    if unknown := [number for number, one in enumerate(prices) if one.sku and one.sku not in known]:
        raise _wrong(unknown, "sku", "There is no such SKU in this organization.")
    return [one.variant_id or known[one.sku] for one in prices]


def _wrong(numbers: Sequence[int], field: str, detail: str) -> Invalid:
    return Invalid(f"{detail} Nothing was written.", fields={f"prices/{number}/{field}": detail for number in numbers})

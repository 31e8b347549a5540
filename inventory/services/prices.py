"""Price lists as a whole: a copy, and another level of prices. Both can be looked at first; see `effect_of`."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.errors import Invalid, NotFound
from inventory.models import PriceList
from inventory.queries.price_changes import AS_THEY_ARE, NEW_PRICE, NOT_OVER, Change, Effect, effect_of, parameters

LOWEST, HIGHEST = Decimal(-100), Decimal(1000)

COPY = f"""
    INSERT INTO inventory_pricelistitem
        (id, organization_id, price_list_id, variant_id, min_quantity, price, valid_from, valid_to)
    SELECT uuid7(), i.organization_id, %(copy)s, i.variant_id, i.min_quantity, {NEW_PRICE.format("i")}, i.valid_from, i.valid_to
    FROM inventory_pricelistitem AS i
    WHERE i.organization_id = %(organization)s AND i.price_list_id = %(price_list)s AND {NOT_OVER}
"""
# Locked by id, as bulk requests lock them.
CHANGE = f"""
    WITH due AS (
        SELECT i.id, i.price FROM inventory_pricelistitem AS i
        WHERE i.organization_id = %(organization)s AND i.price_list_id = %(price_list)s AND {NOT_OVER}
        ORDER BY i.id FOR NO KEY UPDATE
    ), priced AS (
        SELECT due.id, due.price, {NEW_PRICE.format("due")} AS new_price FROM due
    )
    UPDATE inventory_pricelistitem AS i SET price = priced.new_price FROM priced
    WHERE i.organization_id = %(organization)s AND i.id = priced.id AND priced.new_price <> priced.price
"""


def price_list_copy(
    *, price_list_id: UUID, code: str, name: str, change: Change = AS_THEY_ARE, is_active: bool = False, **others: Any,
) -> PriceList:
    """A new list with the prices that are not over, changed; inactive unless it is said, so that nothing costs anything else yet.

    `others` are columns in which the copy differs: party_id, priority, valid_from, valid_to.
    """
    source = _refused_unless_possible(price_list_id, change)
    columns = {name: getattr(source, name) for name in ("party_id", "priority", "valid_from", "valid_to")}
    with transaction.atomic(), connection.cursor() as cursor:
        copy: PriceList = PriceList.objects.create(
            kind=source.kind, code=code, name=name, currency=source.currency, includes_tax=source.includes_tax,
            is_active=is_active, **{**columns, **others},
        )
        cursor.execute(COPY, {**parameters(source, change), "copy": copy.pk})
    return copy


def price_list_change(*, price_list_id: UUID, change: Change) -> Effect:
    """All prices that are not over."""
    source = _refused_unless_possible(price_list_id, change)
    with transaction.atomic(), connection.cursor() as cursor:
        PriceList.objects.select_for_update(no_key=True).get(pk=source.pk)  # two changes of a list go one after the other
        effect = effect_of(source, change)
        cursor.execute(CHANGE, parameters(source, change))
        return replace(effect, changed=int(cursor.rowcount))


def price_list_preview(*, price_list_id: UUID, change: Change) -> Effect:
    """What a change would do; writes nothing."""
    return effect_of(_refused_unless_possible(price_list_id, change), change)


def _refused_unless_possible(price_list_id: UUID, change: Change) -> PriceList:
    if not LOWEST < change.percent <= HIGHEST:
        detail = f"A price changes by more than {LOWEST} and at most {HIGHEST} percent."
        raise Invalid(detail, fields={"percent": detail})
    if change.ending is not None and not 0 <= change.ending < 1:
        raise Invalid("An ending is from 0 to under 1, such as 0.95.", fields={"ending": "From 0 to under 1, such as 0.95."})
    found: PriceList | None = PriceList.objects.filter(pk=price_list_id).first()
    if found is None:
        raise NotFound("There is no such price list.")
    return found

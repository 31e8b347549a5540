"""Lines of kits that are sold by their components, and those of the components."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from core.rows import Columns
from core.tenancy import active_organization_id
from orders.models import SalesOrder, SalesOrderItem

LINE = Columns(SalesOrderItem, "l")
TO_PLACE = f"""
    SELECT {LINE}, v.sold_by_components
    FROM orders_salesorderitem AS l
    JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = l.variant_id
    WHERE l.organization_id = %s AND l.order_id = %s ORDER BY l.line
"""
# Components below their kit, for an order_by.
AS_SHOWN = (Coalesce("kit__line", "line"), F("kit__line").asc(nulls_first=True), "line")


def lines_to_place(order: SalesOrder) -> list[SalesOrderItem]:
    """Of a cart, in their order. Which are kits that are sold by their components is as the catalog says now, and written."""
    with connection.cursor() as cursor:
        cursor.execute(TO_PLACE, [active_organization_id(), order.pk])
        rows = cursor.fetchall()
    lines, changed = [], []
    for *values, is_now in rows:
        line = LINE.make(values)
        if line.sold_by_components != is_now:
            line.sold_by_components = is_now
            changed.append(line)
        lines.append(line)
    if changed:
        SalesOrderItem.objects.bulk_update(changed, ["sold_by_components"])
    return lines


def by_kit(lines: Iterable[SalesOrderItem]) -> dict[UUID, list[SalesOrderItem]]:
    """The components among these lines."""
    found: dict[UUID, list[SalesOrderItem]] = defaultdict(list)
    for line in lines:
        if line.kit_id is not None:
            found[line.kit_id].append(line)
    return found


def with_components(lines: Sequence[SalesOrderItem]) -> list[SalesOrderItem]:
    """In their order, the components of each kit below it."""
    components = by_kit(lines)
    return [one for line in lines if line.kit_id is None for one in (line, *components.get(line.pk, ()))]


def as_sold(quantities: Mapping[UUID, Decimal], lines: Iterable[SalesOrderItem]) -> dict[UUID, Decimal]:
    """Of components, as the part of their kit's price that they are; what is no component is sold as it is."""
    found: dict[UUID, Decimal] = defaultdict(Decimal)
    for line in lines:
        if not (quantity := quantities.get(line.pk)):
            continue
        if line.kit_id is None or line.per_kit is None or line.kit_share is None:
            found[line.pk] += quantity
        else:
            found[line.kit_id] += quantity / line.per_kit * line.kit_share
    return found

"""A sales order is locked first, before its shipments, its customer and any stock."""

from typing import Any

from django.db import connection
from django.utils import timezone

from core.errors import NotFound
from core.rows import Columns
from core.tenancy import active_organization_id
from inventory.models import Warehouse
from orders.models import Channel, Customer, SalesOrder, ShippingMethod

ORDER = Columns(SalesOrder, "o")
BESIDE: dict[str, Columns[Any]] = {
    "channel": Columns(Channel, "c"), "customer": Columns(Customer, "b"), "warehouse": Columns(Warehouse, "w"),
    "shipping_method": Columns(ShippingMethod, "m"),
}
ALONE = f"""
    SELECT {ORDER} FROM orders_salesorder AS o
    WHERE o.organization_id = %(organization)s AND o.id = %(order)s FOR NO KEY UPDATE
"""
# Whether anything but people adds to the order or takes off, or could, is asked along: others need no statement then.
WHOLE = f"""
    SELECT {ORDER}, {", ".join(map(str, BESIDE.values()))},
           EXISTS (SELECT FROM orders_orderadjustment AS a
                   WHERE a.organization_id = o.organization_id AND a.order_id = o.id AND a.source_type <> '')
           OR EXISTS (SELECT FROM orders_promotionuse AS u WHERE u.organization_id = o.organization_id AND u.order_id = o.id)
           OR EXISTS (SELECT FROM orders_promotion AS p WHERE p.organization_id = o.organization_id AND p.code IS NULL
                      AND p.is_active AND (p.ends_at IS NULL OR p.ends_at > %(now)s))
    FROM orders_salesorder AS o
    LEFT JOIN orders_channel AS c ON c.organization_id = o.organization_id AND c.id = o.channel_id
    LEFT JOIN orders_customer AS b ON b.organization_id = o.organization_id AND b.id = o.customer_id
    LEFT JOIN inventory_warehouse AS w ON w.organization_id = o.organization_id AND w.id = o.warehouse_id
    LEFT JOIN orders_shippingmethod AS m ON m.organization_id = o.organization_id AND m.id = o.shipping_method_id
    WHERE o.organization_id = %(organization)s AND o.id = %(order)s FOR NO KEY UPDATE OF o
"""


def locked(order: SalesOrder) -> SalesOrder:
    """With what it refers to, and whether it `has_charges`. Raises NotFound."""
    *values, has_charges = _found(WHOLE, order)
    row = ORDER.make(values[:len(ORDER)])
    begin = len(ORDER)
    for name, columns in BESIDE.items():
        setattr(row, name, columns.make_joined(values[begin:begin + len(columns)]))
        begin += len(columns)
    row.has_charges = has_charges
    return row


def locked_alone(order: SalesOrder) -> SalesOrder:
    """What it refers to is read when somebody asks for it. Raises NotFound."""
    return ORDER.make(_found(ALONE, order))


def _found(sql: str, order: SalesOrder) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "order": order.pk, "now": timezone.now()})
        found = cursor.fetchone()
    if found is None:
        raise NotFound("There is no such sales order.")
    return found

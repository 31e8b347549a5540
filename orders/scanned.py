"""Documents whose number is scanned, and the pages of the admin that open then."""

from collections.abc import Collection
from uuid import UUID

from core.codes import PLACE, WITHIN, Source
from orders.machines import PURCHASE_ORDERS
from orders.models import PurchaseOrder

OF_NUMBER = f"c.number_key = ANY (%(keys)s) AND {WITHIN.format('c.warehouse_id')}"

def takes_goods(orders: Collection[UUID]) -> Collection[UUID]:
    sources = PURCHASE_ORDERS.by_verb["receive"].sources
    return set(PurchaseOrder.objects.filter(pk__in=orders, status__in=sources).values_list("pk", flat=True))


SOURCES = (
    Source(
        "purchase_order", "orders.view_purchaseorder",
        PLACE.format("purchase_order", 9, "c.number", "orders_purchaseorder AS c", OF_NUMBER),
        page="receive_order", receive="orders.receive_purchaseorder", takes=takes_goods,
    ),
    Source(
        "pick_list", "orders.view_picklist", PLACE.format("pick_list", 10, "c.number", "orders_picklist AS c", OF_NUMBER),
        page="pick",
    ),
)

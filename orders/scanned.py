"""Documents whose number is scanned, and the pages of the admin that open then; and the orders by which goods have left."""

from collections.abc import Collection
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from core.codes import PLACE, WITHIN, Gone, Source
from core.limits import Holder, reach, within
from orders.machines import PURCHASE_ORDERS
from orders.models import PurchaseOrder, SalesOrder
from orders.queries.return_desk import with_customers

TAKE_BACK = ("orders.add_returnauthorization", "orders.view_salesorder", "inventory.view_stockitem")

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
    Source(
        "sales_order", "orders.view_salesorder",
        PLACE.format("sales_order", 11, "c.number", "orders_salesorder AS c", OF_NUMBER), page="sold",
    ),
    Source(
        "shipment", "orders.view_shipment", PLACE.format("shipment", 12, "c.number", "orders_shipment AS c", OF_NUMBER),
        page="sold_shipment",
    ),
    Source(
        "invoice", "orders.view_invoice",
        PLACE.format("invoice", 13, "c.number", "orders_invoice AS c", f"{OF_NUMBER} AND c.kind = 'invoice'"),
        page="sold_invoice",
    ),
    Source(
        "return", "orders.view_returnauthorization",
        PLACE.format("return", 14, "c.number", "orders_returnauthorization AS c", OF_NUMBER), page="sold_return",
    ),
)


def gone_by(lot: UUID, holder: Holder) -> list[Gone]:
    orders = SalesOrder.objects.filter(within(SalesOrder, reach(holder, "orders.view_salesorder")))
    where = reach(holder, TAKE_BACK[0]) if holder.permissions.issuperset(TAKE_BACK) else frozenset()
    found = []
    for order, quantity, at in with_customers(lot, orders):
        may = where is None or order.warehouse_id in where
        back = f"{reverse('admin:take_back')}?{urlencode({'order': order.pk, 'lot': lot})}" if may else ""
        to = str(order.customer.party) if order.customer else order.email
        url = reverse("admin:orders_salesorder_change", args=[order.pk])
        found.append(Gone(order.number or "", url, to, at, quantity, back))
    return found

"""All that orders tell of, in the active organization."""

from decimal import Decimal
from uuid import uuid4

from orders.models import PurchaseOrder, SupplierBill
from orders.services.bill_states import (
    supplier_bill_approve,
    supplier_bill_cancel,
    supplier_bill_reject,
    supplier_bill_submit,
)
from orders.services.bills import BillLine, supplier_bill_create
from orders.services.fulfilment import (
    sales_order_complete,
    sales_order_deliver,
    sales_order_fail,
    sales_order_pack,
    sales_order_ship,
)
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from orders.services.purchase_goods import Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_states import (
    purchase_order_approve,
    purchase_order_cancel,
    purchase_order_close,
    purchase_order_reject,
    purchase_order_revise,
    purchase_order_send,
    purchase_order_submit,
)
from orders.services.sales_orders import (
    sales_order_cancel,
    sales_order_confirm,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from tests.inventory.goods import Goods
from tests.orders.buying import Buying, limit_purchases
from tests.orders.selling import Shop


def orders_happen(goods: Goods) -> None:
    sales_happen(Shop.create(goods=goods))
    purchases_happen(Buying.create(goods))


def sales_happen(shop: Shop) -> None:
    order = sales_order_place(order=shop.cart())
    sales_order_confirm(order=order)
    sales_order_hold(order=order, reason="Call first")
    sales_order_release(order=order)
    sales_order_fail(order=order, code="damaged", reason="A parcel is wet")
    sales_order_release(order=order)
    for verb in (sales_order_pack, sales_order_ship, sales_order_deliver, sales_order_complete):
        verb(order=order)
    invoice_issue(invoice=invoice_draft_from_order(order=order))
    sales_order_cancel(order=shop.cart(), reason="Somebody changed their mind")


def purchases_happen(buys: Buying) -> None:
    limit_purchases(1)
    order = _asked(buys)
    purchase_order_reject(order=order, reason="Half of it will do")
    purchase_order_approve(order=_asked(buys, order))
    purchase_order_revise(order=order)
    purchase_order_approve(order=_asked(buys, order))
    purchase_order_send(order=order)
    place = buys.goods.shelf
    purchase_order_receive(order=order, location=place)
    line = order.lines.get()
    bills_happen(order)
    purchase_order_send_back(order=order, parts=[Part(line.pk, Decimal(1), location_id=place.pk)])
    purchase_order_close(order=order)
    purchase_order_cancel(order=buys.order((buys.goods.bolt, 1)), reason="Ordered twice")


def bills_happen(order: PurchaseOrder) -> None:
    line = BillLine(order.lines.get().pk, Decimal(1), Decimal(90))
    bill = supplier_bill_create(order=order, supplier_number="RE-1", lines=[line])
    for decide in (supplier_bill_reject, supplier_bill_approve):
        supplier_bill_submit(bill=bill)
        SupplierBill.objects.filter(pk=bill.pk).update(entered_by=uuid4(), submitted_by=uuid4())
        decide(bill=bill, **({"reason": "Too much"} if decide is supplier_bill_reject else {}))
    supplier_bill_cancel(bill=supplier_bill_create(order=order, supplier_number="RE-2"), reason="Sent twice")


def _asked(buys: Buying, order: PurchaseOrder | None = None) -> PurchaseOrder:
    """By somebody else than who decides."""
    order = purchase_order_submit(order=order or buys.order((buys.goods.bolt, 5)))
    PurchaseOrder.objects.filter(pk=order.pk).update(requested_by=uuid4())
    return order

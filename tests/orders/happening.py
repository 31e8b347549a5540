"""All that orders tell of, in the active organization."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.utils import timezone

from orders.models import Payment, PurchaseOrder, ReturnAuthorization, SalesOrder, SupplierBill
from orders.services.bill_states import (
    supplier_bill_approve,
    supplier_bill_cancel,
    supplier_bill_reject,
    supplier_bill_submit,
    supplier_bill_void,
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
from orders.services.landed_cost_states import landed_cost_cancel, landed_cost_post, landed_cost_reverse
from orders.services.landed_costs import landed_cost_create
from orders.services.payment_providers.outcomes import Outcome
from orders.services.payment_settling import payment_settle
from orders.services.payments import (
    Source,
    payment_authorize,
    payment_capture,
    payment_record,
    payment_refund,
    payment_void,
)
from orders.services.pick_lists import (
    pick_list_cancel,
    pick_list_create,
    pick_list_finish,
    pick_list_pick,
    pick_list_put_back,
    pick_list_short,
    pick_list_start,
)
from orders.services.purchase_goods import Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_states import (
    purchase_order_approve,
    purchase_order_cancel,
    purchase_order_close,
    purchase_order_reject,
    purchase_order_revise,
    purchase_order_send,
    purchase_order_submit,
    purchase_order_withdraw_approval,
)
from orders.services.returns import (
    Asked,
    Seen,
    return_approve,
    return_close,
    return_create,
    return_inspect,
    return_receive,
    return_refund,
    return_reject,
    return_replace,
)
from orders.services.sales_orders import (
    sales_order_cancel,
    sales_order_change,
    sales_order_confirm,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from orders.services.shipments import Part as ShipmentPart
from orders.services.shipments import (
    shipment_cancel,
    shipment_come_back,
    shipment_create,
    shipment_deliver,
    shipment_fail,
    shipment_hand_over,
    shipment_in_transit,
    shipment_pack,
    shipment_reopen,
)
from orders.services.splitting import Split, sales_order_split
from orders.services.stuck import stuck_orders_find
from tests.inventory.goods import Goods
from tests.orders.buying import Buying, limit_purchases
from tests.orders.selling import Shop


def orders_happen(goods: Goods) -> None:
    sales_happen(Shop.create(goods=goods))
    payments_happen()
    purchases_happen(Buying.create(goods))


def sales_happen(shop: Shop) -> None:
    order = sales_order_place(order=shop.cart(3))
    sales_order_change(order=order, note="Ring twice")
    sales_order_split(order=order, lines=[Split(order.lines.get().pk, Decimal(1))])
    sales_order_confirm(order=order)
    sales_order_hold(order=order, reason="Call first")
    sales_order_release(order=order)
    sales_order_fail(order=order, code="damaged", reason="A parcel is wet")
    sales_order_release(order=order)
    for verb in (sales_order_pack, sales_order_ship, sales_order_deliver, sales_order_complete):
        verb(order=order)
    invoice_issue(invoice=invoice_draft_from_order(order=order))
    SalesOrder.objects.filter(pk=sales_order_place(order=shop.cart(1)).pk).update(moved_at=timezone.now() - timedelta(days=9))
    stuck_orders_find()
    returns_happen(order)
    sales_order_cancel(order=shop.cart(), reason="Somebody changed their mind")
    shipments_happen(sales_order_place(order=shop.cart(2)))
    picking_happens(sales_order_place(order=shop.cart(nuts=2, bolts=0)))


def picking_happens(order: SalesOrder) -> None:
    pick_list_cancel(pick_list=pick_list_start(pick_list=pick_list_create(orders=[order.pk])))
    made = pick_list_start(pick_list=pick_list_create(orders=[order.pk]))
    line = made.lines.get().pk
    pick_list_pick(pick_list=made, line_id=line, quantity=Decimal(1))
    pick_list_put_back(pick_list=made, line_id=line)
    pick_list_pick(pick_list=made, line_id=line, quantity=Decimal(1))
    pick_list_short(pick_list=made, line_id=line, reason="Bin is empty")
    pick_list_finish(pick_list=made)


def shipments_happen(order: SalesOrder) -> None:
    line = order.lines.get()
    shipment_cancel(shipment=shipment_create(order=order))
    first = shipment_create(order=order, parts=[ShipmentPart(line.pk, Decimal(1))])
    second = shipment_create(order=order)
    for verb in (shipment_pack, shipment_reopen, shipment_pack):
        verb(shipment=first)
    for verb in (shipment_pack, shipment_reopen, shipment_pack, shipment_hand_over, shipment_in_transit, shipment_fail):
        verb(shipment=second)
    shipment_come_back(shipment=second, reason="Address unknown")
    for verb in (shipment_hand_over, shipment_deliver):
        verb(shipment=first)


def returns_happen(order: SalesOrder) -> None:
    line = order.lines.get()

    def inspected() -> ReturnAuthorization:
        made = return_create(order=order, lines=[Asked(line.pk, Decimal(1))])
        return_approve(authorization=made)
        return_receive(authorization=made)
        return return_inspect(authorization=made, lines=[Seen(made.lines.get().pk, "quarantine")])

    return_reject(authorization=return_create(order=order), reason="Too late")
    return_refund(authorization=inspected(), reference="Transfer 88-17")
    return_close(authorization=return_replace(authorization=inspected()))


def payments_happen() -> None:
    """Of the order that was delivered, as if it were placed anew."""
    order = SalesOrder.objects.filter(status="completed").earliest("placed_at")
    promised = payment_authorize(order=order, source=Source("cash_on_delivery"), amount=Decimal(4))
    taken = payment_capture(payment=promised, amount=Decimal(3))
    payment_void(payment=promised)
    payment_refund(payment=taken, reason="Came too late")
    asked = payment_record(order=order, source=Source(), amount=Decimal(1))
    Payment.objects.filter(pk=asked.pk).update(status="pending", settled_at=None)
    payment_settle(payment=asked, outcome=Outcome("failed", code="card_declined", detail="Your card was declined."))


def purchases_happen(buys: Buying) -> None:
    limit_purchases(1)
    order = _asked(buys)
    purchase_order_reject(order=order, reason="Half of it will do")
    purchase_order_approve(order=_asked(buys, order))
    purchase_order_withdraw_approval(order=order)
    purchase_order_approve(order=order)
    purchase_order_revise(order=order)
    purchase_order_approve(order=_asked(buys, order))
    purchase_order_send(order=order)
    place = buys.goods.shelf
    purchase_order_receive(order=order, location=place)
    line = order.lines.get()
    bills_happen(order)
    landed_costs_happen(order)
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
    supplier_bill_submit(bill=supplier_bill_create(order=order, supplier_number="RE-2"))  # of the rest, so that all is billed
    supplier_bill_void(bill=bill, reason="They sent another one")
    supplier_bill_cancel(bill=supplier_bill_create(order=order, supplier_number="RE-3"), reason="Sent twice")


def landed_costs_happen(order: PurchaseOrder) -> None:
    receipts = order.receipts.filter(kind="receipt").values_list("pk", flat=True)
    posted, other = (
        landed_cost_create(warehouse=order.warehouse, receipts=receipts, amount=Decimal(amount)) for amount in (9, 8)
    )
    landed_cost_post(cost=posted)
    landed_cost_reverse(cost=posted, reason="The carrier billed twice")
    landed_cost_cancel(cost=other)


def _asked(buys: Buying, order: PurchaseOrder | None = None) -> PurchaseOrder:
    """By somebody else than who decides."""
    order = purchase_order_submit(order=order or buys.order((buys.goods.bolt, 5)))
    PurchaseOrder.objects.filter(pk=order.pk).update(requested_by=uuid4())
    return order

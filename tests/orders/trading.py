"""Somebody who does whatever can be done with orders, by chance or as hypothesis says."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from core.errors import DomainError, NotFound
from inventory.models import Location, PriceListItem, ProductVariant
from orders.models import (
    Channel,
    Customer,
    Invoice,
    Payment,
    Promotion,
    PromotionGoods,
    ReturnAuthorization,
    ReturnItem,
    SalesOrder,
    Shipment,
)
from orders.services.credit_notes import credit_note_draft
from orders.services.fulfilment import (
    sales_order_complete,
    sales_order_deliver,
    sales_order_fail,
    sales_order_pack,
    sales_order_ship,
)
from orders.services.invoices import invoice_delete, invoice_draft_from_order, invoice_issue
from orders.services.order_lines import NewAdjustment, NewLine
from orders.services.payments import (
    Source,
    payment_authorize,
    payment_capture,
    payment_record,
    payment_refund,
    payment_void,
    sales_order_refund,
)
from orders.services.promotions import promotion_code_apply
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
    sales_order_create,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from orders.services.shipments import (
    Part,
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
from tests.inventory.trading import RECENT, Trader
from tests.orders.kits import kit_of
from tests.orders.selling import Shop

type Choose = Callable[[Sequence[Any]], Any]

S = SalesOrder.Status
VERBS = (
    "receive", "place", "place", "change", "confirm", "hold", "release", "fail", "cancel", "split", "pack", "ship", "deliver",
    "complete", "send", "forward", "pay", "promise", "settle", "give_back", "invoice", "credit", "ask_back", "take_back",
)
ONE = Decimal(1)
LOYAL = NewAdjustment("discount", "Loyal", Decimal("-0.37"))
PARCEL = NewAdjustment("shipping", "Parcel", Decimal("4.9"), Decimal(19))


FEW = "FEW"  # the code of a promotion


def promotions(shop: Shop) -> None:
    """Bolts cost less by themselves; a code takes an amount off five orders, if they are large enough, and goes with it."""
    bolts = Promotion.objects.create(name="Bolts", effect="percentage", percent=Decimal(7), is_stackable=True)
    PromotionGoods.objects.create(promotion=bolts, variant=shop.goods.bolt)
    Promotion.objects.create(
        name="Few", code=FEW, effect="amount", amount=Decimal("3.33"), currency="EUR", min_total=10, is_stackable=True,
        max_uses=5,
    )


def goods_to_sell(shop: Shop, hot: int) -> list[ProductVariant]:
    """So many, two of them of lots and of serial numbers, which all cost something and lie somewhere; some cost less."""
    promotions(shop)
    goods = shop.goods
    plain = [goods.tracked("none", f"PLAIN-{number}") for number in range(max(hot - 4, 0))]
    made = [*plain, goods.tracked("lot", "MILK"), goods.tracked("serial", "PUMP")]
    for number, variant in enumerate(made):
        PriceListItem.objects.create(price_list=shop.prices, variant=variant, price=Decimal("3.33") + number)
    for variant in plain:
        goods.receive(10, variant=variant)
    Location.objects.create(warehouse=goods.warehouse, code="SCRAP", kind="scrap")
    inner = kit_of(shop, "INNER", "4.37", {goods.bolt: 1, goods.nut: "2"})
    return [goods.bolt, goods.nut, *made, inner, kit_of(shop, "OUTER", "13.33", {inner: 2, made[0]: 1})]


class Clerk:
    """Refusals are part of the trade; anything else that is raised is a fault."""

    def __init__(self, shop: Shop, variants: Sequence[ProductVariant], choose: Choose) -> None:
        self.channel, self.customer = Channel.objects.get(pk=shop.channel.pk), Customer.objects.get(pk=shop.customer.pk)
        self.variants, self.choose = variants, choose
        self.stock = Trader(shop.goods, variants, choose)
        self.stock.places = [shop.goods.shelf, shop.goods.other_shelf]

    def act(self, verb: str) -> str:
        """The code of the refusal, if it was refused."""
        try:
            with transaction.atomic():
                getattr(self, verb)()
        except DomainError as refused:
            return refused.code
        return ""

    def one(self, rows: models.QuerySet[Any]) -> Any:
        found = list(rows.order_by("-pk")[:RECENT])
        if not found:
            raise NotFound("There is nothing to do.")
        return self.choose(found)

    def order(self, *statuses: str) -> Any:
        return self.one(SalesOrder.objects.filter(status__in=statuses))

    def step(self, verb: Callable[..., Any], *statuses: str, **values: Any) -> None:
        verb(order=self.order(*statuses), **values)

    def line(self, order: SalesOrder) -> Any:
        return self.choose(list(order.lines.order_by("line")))

    def new_line(self) -> NewLine:
        policy = self.choose(("channel", "wait"))
        return NewLine(self.choose(self.variants).pk, Decimal(self.choose(range(1, 4))), backorder_policy=policy)

    def receive(self) -> None:
        self.stock.receive()

    def place(self) -> None:
        lines = [self.new_line() for _ in range(self.choose(range(1, 4)))]
        beside = self.choose(((), (LOYAL,), (PARCEL,), (LOYAL, PARCEL)))
        cart = sales_order_create(channel=self.channel, customer=self.customer, lines=lines, adjustments=beside)
        if self.choose((True, False, False)):
            cart = promotion_code_apply(order=cart, code=FEW)
        sales_order_place(order=cart)

    def change(self) -> None:
        order = self.order(*SalesOrder.UNDER_WAY)
        kept = [
            NewLine(line.variant_id, Decimal(self.choose(range(1, 5))), backorder_policy=line.backorder_policy, id=line.pk)
            for line in order.lines.filter(kit=None).order_by("line")
        ]
        lines = self.choose((kept, kept[:1], [*kept, self.new_line()]))
        sales_order_change(order=order, lines=lines, adjustments=self.choose((None, (PARCEL,))))

    def confirm(self) -> None:
        self.step(sales_order_confirm, S.PLACED)

    def hold(self) -> None:
        self.step(sales_order_hold, *SalesOrder.UNDER_WAY)

    def release(self) -> None:
        self.step(sales_order_release, S.ON_HOLD, S.ERROR)

    def fail(self) -> None:
        self.step(sales_order_fail, *SalesOrder.LEAVING, S.SHIPPED, code="damaged")

    def cancel(self) -> None:
        self.step(sales_order_cancel, *SalesOrder.UNDER_WAY, S.ON_HOLD, S.ERROR)

    def split(self) -> None:
        order = self.order(*SalesOrder.UNDER_WAY)
        line = self.line(order).pk
        sales_order_split(order=order, lines=self.choose(((), [Split(line)], [Split(line, ONE)])))

    def pack(self) -> None:
        self.step(sales_order_pack, *SalesOrder.UNDER_WAY)

    def ship(self) -> None:
        self.step(sales_order_ship, S.PACKED)

    def deliver(self) -> None:
        self.step(sales_order_deliver, S.PACKED, S.SHIPPED)

    def complete(self) -> None:
        self.step(sales_order_complete, S.DELIVERED)

    def send(self) -> None:
        """A part of an order goes ahead."""
        order = self.order(*SalesOrder.UNDER_WAY)
        shipment_create(order=order, parts=self.choose((None, [Part(self.line(order).pk, ONE)])))

    def forward(self) -> None:
        """What a shipment may meet."""
        shipment = self.one(Shipment.objects.exclude(status__in=("delivered", "returned", "cancelled")))
        self.choose((
            shipment_pack, shipment_pack, shipment_hand_over, shipment_hand_over, shipment_in_transit, shipment_deliver,
            shipment_reopen, shipment_cancel, shipment_fail, shipment_come_back,
        ))(shipment=shipment)

    def pay(self) -> None:
        self.step(payment_record, *SalesOrder.LEAVING, S.SHIPPED, S.DELIVERED, source=Source(), amount=self.choose((None, ONE)))

    def promise(self) -> None:
        source = Source("cash_on_delivery")
        self.step(payment_authorize, *SalesOrder.LEAVING, S.SHIPPED, source=source, amount=self.choose((None, ONE)))

    def settle(self) -> None:
        """What was promised is taken or let go."""
        payment = self.one(Payment.objects.select_related("order").filter(kind="authorization"))
        if self.choose((True, True, False)):
            payment_capture(payment=payment, amount=self.choose((None, ONE)))
        else:
            payment_void(payment=payment)

    def give_back(self) -> None:
        payment = self.one(Payment.objects.select_related("order").filter(kind="capture"))
        if self.choose((True, False)):
            payment_refund(payment=payment, amount=self.choose((None, ONE)))
        else:
            sales_order_refund(order=payment.order, amount=ONE)

    def invoice(self) -> None:
        order = self.order(*SalesOrder.LEAVING, S.SHIPPED, S.DELIVERED, S.COMPLETED)
        draft = invoice_draft_from_order(order=order, basis=self.choose(("shipped", "ordered")))
        self.choose((invoice_issue, invoice_issue, invoice_delete))(invoice=draft)

    def credit(self) -> None:
        invoice = self.one(Invoice.objects.filter(kind="invoice", status="issued"))
        draft = credit_note_draft(invoice=invoice, amount=self.choose((None, None, ONE)))
        self.choose((invoice_issue, invoice_issue, invoice_delete))(invoice=draft)

    def ask_back(self) -> None:
        order = self.one(SalesOrder.objects.filter(shipped_at__isnull=False))
        return_create(order=order, lines=self.choose((None, [Asked(self.line(order).pk, ONE)])))

    def take_back(self) -> None:
        """The next step of a return, mostly the usual one."""
        row = self.one(ReturnAuthorization.objects.exclude(status__in=ReturnAuthorization.OVER))
        if row.status == "requested":
            self.choose((return_approve, return_approve, return_approve, return_reject))(authorization=row)
        elif row.status == "approved":
            return_receive(authorization=row)
        elif row.status == "received":
            lines = row.lines.filter(received_quantity__gt=0).values_list("pk", flat=True)
            return_inspect(authorization=row, lines=[Seen(key, self.choose(ReturnItem.Disposition.values)) for key in lines])
        elif row.status == "inspected" and self.choose((True, False)):
            return_refund(authorization=row, reference="Transfer 1")
        elif row.status == "inspected":
            return_replace(authorization=row)
        else:
            return_close(authorization=row)

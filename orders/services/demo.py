"""Orders of the demo's two companies, in several states, by the same verbs that people use."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Address, Party
from inventory.models import Location, ProductVariant, StockItem, Supplier, SupplierProduct, Warehouse
from inventory.services.demo import FOLDER, Say, autoparts_fill
from inventory.services.demo_catalog import SETS
from inventory.services.demo_lots import SCANNER
from inventory.services.demo_parts import PORTO
from inventory.services.northwind import northwind_import, northwind_read
from notifications.services.demo import webhook_demo
from orders.models import Channel, Customer, LandedCost, Promotion, SalesOrder, Shipment
from orders.services.bill_states import supplier_bill_submit
from orders.services.bills import BillLine, supplier_bill_create
from orders.services.fulfilment import sales_order_complete, sales_order_deliver, sales_order_pack, sales_order_ship
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from orders.services.landed_cost_states import landed_cost_post
from orders.services.landed_costs import landed_cost_create
from orders.services.northwind import CHANNEL, northwind_orders_import
from orders.services.payments import Source, payment_record
from orders.services.pick_lists import pick_list_create
from orders.services.promotions import promotion_code_apply
from orders.services.purchase_goods import Part, purchase_order_receive
from orders.services.purchase_states import purchase_order_send, purchase_order_submit
from orders.services.purchasing import PurchaseLine, purchase_order_create
from orders.services.returns import Asked, return_create
from orders.services.sales_orders import (
    NewLine,
    sales_order_cancel,
    sales_order_confirm,
    sales_order_create,
    sales_order_hold,
    sales_order_place,
)

type Verb = Callable[..., SalesOrder]
PLACED: Sequence[Verb] = (sales_order_place,)
CONFIRMED = (*PLACED, sales_order_confirm)
PACKED = (*CONFIRMED, sales_order_pack)
SHIPPED = (*PACKED, sales_order_ship)
DELIVERED = (*SHIPPED, sales_order_deliver)
COMPLETED = (*DELIVERED, sales_order_complete)
HELD = (*PLACED, sales_order_hold)
CANCELED = (*PLACED, sales_order_cancel)
# What becomes of the orders, and how many days ago they were placed.
OPEN_ORDERS = ((26, HELD), (19, CANCELED), (14, CONFIRMED), (9, CONFIRMED), (6, CONFIRMED), (4, PLACED), (2, PLACED), (1, PLACED))
ORDERS = (
    (28, COMPLETED), (25, COMPLETED), (23, COMPLETED), (20, COMPLETED), (18, CANCELED), (15, COMPLETED), (13, DELIVERED),
    (11, COMPLETED), (9, DELIVERED), (7, SHIPPED), (5, SHIPPED), (4, HELD), (3, PACKED), (2, CONFIRMED), (1, PLACED), (0, PLACED),
)
SET_ORDERS = ((5, SHIPPED), (2, CONFIRMED))
CUSTOMERS = ("Garagem Central, Lda", "Auto Lima", "Táxis do Douro", "João Carvalho")
ADDRESS = {"name": "", "street1": "Rua de Cedofeita 90", "city": "Porto", "postal_code": "4050-174", "country": "PT"}
ENOUGH = 8  # of what is sold, so that it does not run low
WARES = 8
WELCOME = "WELCOME-10"
FREIGHT, CASH, SCANNER_PRICE, DEARER = Decimal("48.60"), Decimal("20.00"), Decimal("249.00"), Decimal("19.90")


def northwind_demo(say: Say) -> None:
    """Orders of these days hold goods, and none has left: what there is stays as the files say."""
    say("  products, suppliers and customers of Northwind")
    run = northwind_read(folder=FOLDER / "northwind")
    northwind_import(run=run)
    say("  orders of 1996 to 1998, and of these days")
    northwind_orders_import(run=run)
    channel = Channel.objects.get(code=CHANNEL)
    buyers = list(Customer.objects.select_related("party").order_by("code")[:len(OPEN_ORDERS)])
    wares = _wares(channel.warehouse)
    prices = {ware.pk: ware.standard_cost for ware in wares}
    _orders(channel, buyers, wares, OPEN_ORDERS, prices)


def autoparts_demo(say: Say) -> None:
    autoparts_fill(say)
    say("  orders")
    warehouse = Warehouse.objects.get(code=PORTO)
    channel = Channel.objects.create(code="WEB", name="Web shop", currency="EUR", warehouse=warehouse)
    parties = [Party.objects.get(external_ref="customer:WORKSHOP")]
    parties += Party.objects.bulk_create([Party(name=name) for name in CUSTOMERS])
    located = {name: value for name, value in ADDRESS.items() if name != "name"}
    Address.objects.bulk_create([Address(party=party, kind="billing", is_default=True, **located) for party in parties[1:]])
    buyers = Customer.objects.bulk_create([
        Customer(party=party, code=f"C-{number:03}") for number, party in enumerate(parties, 1)
    ])
    wares = _wares(warehouse)
    _orders(channel, buyers, wares, ORDERS, {})
    scanner = ProductVariant.objects.get(sku=SCANNER)
    _orders(channel, buyers[1:], [scanner], ((2, SHIPPED),), {scanner.pk: SCANNER_PRICE}, cart=False)
    _after_sales()
    _sets(channel, buyers[1:])
    _promotions(channel, buyers[-1], wares[0])
    _purchases(warehouse)
    webhook_demo()


def _wares(warehouse: Warehouse) -> list[ProductVariant]:
    items = StockItem.objects.filter(warehouse=warehouse, available__gt=ENOUGH, lot=None, location__kind=Location.Kind.STORAGE)
    plenty = items.order_by("-available", "pk").values_list("variant_id", flat=True)
    keys = list(dict.fromkeys(plenty))[:WARES]
    return list(ProductVariant.objects.filter(pk__in=keys).order_by("sku"))


def _orders(
    channel: Channel, buyers: Sequence[Customer], wares: Sequence[ProductVariant], past: Sequence[tuple[int, Sequence[Verb]]],
    prices: Mapping[Any, Decimal | None], *, cart: bool = True,
) -> None:
    """One for each entry of `past`, and a cart."""
    for number, (days, verbs) in enumerate((*past, (0, ())) if cart else past):
        buyer = buyers[number % len(buyers)]
        lines = [
            NewLine(ware.pk, Decimal(1 + number % 2), prices.get(ware.pk))
            for ware in (wares[(number + step) % len(wares)] for step in range(1 + number % 3))
        ]
        address = {**ADDRESS, "name": buyer.party.name}
        order = sales_order_create(channel=channel, customer=buyer, lines=lines, shipping_address=address)
        for verb in verbs:
            order = verb(order=order)
        _date(order, days)


def _after_sales() -> None:
    """Invoices of what the customers have, the last one still a draft; a return that is asked for; and a round to pick."""
    *sent, last = SalesOrder.objects.filter(status__in=("completed", "delivered")).order_by("placed_at")
    for order in sent:
        invoice_issue(invoice=invoice_draft_from_order(order=order))
    invoice_draft_from_order(order=last)
    *paid, part = sent
    for order in paid:
        payment_record(order=order, source=Source(reference=f"Transfer {order.number}"))
    payment_record(order=part, source=Source(reference="Cash"), amount=CASH)
    line = sent[-1].lines.order_by("line")[0]
    return_create(order=sent[-1], lines=[Asked(line.pk, Decimal(1))], note="The box was damaged")
    waiting = SalesOrder.objects.filter(status="confirmed").order_by("placed_at")
    pick_list_create(orders=[waiting[0].pk])


def _sets(channel: Channel, buyers: Sequence[Customer]) -> None:
    """Orders of kits that are sold by their components: one is sent and invoiced, one is being picked."""
    kits = list(ProductVariant.objects.filter(sku__in=SETS).order_by("sku"))
    _orders(channel, buyers, kits, SET_ORDERS, {}, cart=False)
    of_kits = SalesOrder.objects.filter(lines__variant=kits[0]).distinct()
    invoice_issue(invoice=invoice_draft_from_order(order=of_kits.get(status="shipped")))
    pick_list_create(orders=[of_kits.get(status="confirmed").pk])


def _promotions(channel: Channel, buyer: Customer, ware: ProductVariant) -> None:
    """One by itself, and one by a code, which an order has."""
    Promotion.objects.create(
        name="Large orders", effect=Promotion.Effect.PERCENTAGE, percent=Decimal(3), min_total=Decimal(1_000), currency="EUR",
        is_stackable=True,
    )
    Promotion.objects.create(
        name="Welcome", code=WELCOME, effect=Promotion.Effect.PERCENTAGE, percent=Decimal(10), is_stackable=True, priority=10,
        max_uses=100, max_per_customer=1,
    )
    cart = sales_order_create(
        channel=channel, customer=buyer, lines=[NewLine(ware.pk, Decimal(1))],
        shipping_address={**ADDRESS, "name": buyer.party.name},
    )
    sales_order_place(order=promotion_code_apply(order=cart, code=WELCOME))


def _date(order: SalesOrder, days: int) -> None:
    """As if it had been placed then, packed the next day, and had gone its way."""
    now = timezone.now()
    begun = now - timedelta(days=days)
    steps = [min(begun + timedelta(days=step), now) for step in range(5)]
    columns = ("placed_at", "packed_at", "shipped_at", "delivered_at", "closed_at")
    SalesOrder.objects.filter(pk=order.pk).update(**{
        column: at for at, column in zip(steps, columns, strict=True) if getattr(order, column) is not None
    })
    for column, at in zip(("packed_at", "handed_over_at", "delivered_at"), steps[1:4], strict=True):
        Shipment.objects.filter(order=order).exclude(**{column: None}).update(**{column: at})


def _purchases(warehouse: Warehouse) -> None:
    """A draft, one that is on its way, one of which half came, and one of which all came; of these the freight is known, of the
    last one posted. Both are billed: the first dearer than it was ordered, which waits for somebody's approval.
    """
    suppliers = list(Supplier.objects.order_by("code")[:4])
    for number, supplier in enumerate(suppliers):
        offers = SupplierProduct.objects.filter(supplier=supplier, variant__product__tracking="none").order_by("supplier_sku")[:2]
        lines = [PurchaseLine(offer.variant_id, Decimal(10), offer.last_price or Decimal(5)) for offer in offers]
        order = purchase_order_create(supplier=supplier, warehouse=warehouse, lines=lines)
        if number:
            order = purchase_order_send(order=purchase_order_submit(order=order))
        if number > 1:
            share = Decimal(5 if number == 2 else 10)
            done = purchase_order_receive(order=order, parts=[Part(line.pk, share) for line in order.lines.all()])
            cost = landed_cost_create(
                warehouse=warehouse, receipts=[done.receipt.pk], by=LandedCost.Basis.WEIGHT, amount=FREIGHT,
                supplier_number=f"CMR-{4_700 + number}", note="The carrier's bill for the pallet",
            )
            if number > 2:
                landed_cost_post(cost=cost)
            bill = supplier_bill_create(order=done.order, supplier_number=f"FT 2026/{310 + number}", lines=[
                BillLine(line.pk, share, DEARER if number == 2 else None) for line in order.lines.all()
            ])
            supplier_bill_submit(bill=bill)

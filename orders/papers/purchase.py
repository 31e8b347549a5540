"""A purchase order on paper, as the supplier gets it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.papers.sheet import Facts, Sheet, day_of, document, head, money, party_lines, plain, table, totals, words

Status = PurchaseOrder.Status
NOT_SENT = (Status.DRAFT, Status.PENDING_APPROVAL, Status.APPROVED)


@dataclass(frozen=True, slots=True)
class PurchasePaper:
    """`buyer`, `supplier` and `place` as invoices have their parties."""

    order: PurchaseOrder
    items: Sequence[PurchaseOrderItem]
    buyer: dict[str, Any]
    supplier: dict[str, Any]
    place: dict[str, Any]
    sent_on: date | None = None
    footer: str = ""
    logo: bytes = b""
    font: str = ""


def purchase_pdf_of(paper: PurchasePaper) -> bytes:
    order, currency = paper.order, paper.order.currency
    title = purchase_title_of(order)
    pdf = document(Sheet(title, order.sent_at or order.created_at, _texts(paper), paper.footer, paper.font))
    head(pdf, title=title, logo=paper.logo, sender=paper.buyer, to=paper.supplier, facts=_facts(paper))
    words(pdf, [f"Deliver to: {', '.join(party_lines(paper.place))}"])
    columns = [
        ("Line", 12, "RIGHT"), ("Your number", 32, "LEFT"), ("Goods", 54, "LEFT"), ("Quantity", 22, "RIGHT"),
        ("Price", 24, "RIGHT"), (f"Net, {currency}", 30, "RIGHT"),
    ]
    table(pdf, columns, [_cells(item, currency) for item in paper.items])
    totals(pdf, _sums(paper), (f"Total, {currency}", money(order.total, currency)))
    replaces = "It takes the place of all that we sent before under this number." if order.revision else ""
    words(pdf, [replaces, order.note, f"Please write {order.number} on your delivery note and your invoice."])
    return bytes(pdf.output())


def purchase_title_of(order: PurchaseOrder) -> str:
    state = ": not sent" if order.status in NOT_SENT else ": canceled" if order.status == Status.CANCELLED else ""
    return f"Purchase order {order.number}{f', revision {order.revision}' if order.revision else ''}{state}"


def _texts(paper: PurchasePaper) -> list[str]:
    order = paper.order
    said = [str(value) for party in (paper.buyer, paper.supplier, paper.place) for value in party.values()]
    goods = [text for one in paper.items for text in (one.sku, one.name, _their_number(one), _unit(one))]
    return [*said, *goods, order.number, order.note, order.supplier_reference, order.supplier.code, paper.footer]


def _facts(paper: PurchasePaper) -> Facts:
    order = paper.order
    return [
        ("Date", day_of(paper.sent_on)), ("Expected", day_of(order.expected_on)), ("Your reference", order.supplier_reference),
        ("Supplier", order.supplier.code), ("Incoterm", order.supplier.incoterm),
    ]


def _their_number(item: PurchaseOrderItem) -> str:
    return item.supplier_product.supplier_sku if item.supplier_product else ""


def _unit(item: PurchaseOrderItem) -> str:
    unit = item.variant.product.base_unit
    return unit.symbol or unit.name.lower()


def _cells(item: PurchaseOrderItem, currency: str) -> tuple[str, ...]:
    name = f"{item.sku}  {item.name}"
    if item.discount_percent:
        name += f"\nless {plain(item.discount_percent)} %"
    price = "" if item.unit_price is None else plain(item.unit_price)
    quantity = f"{plain(item.quantity)} {_unit(item)}"
    return (str(item.line), _their_number(item), name, quantity, price, money(item.net_amount, currency))


def _sums(paper: PurchasePaper) -> Facts:
    currency, by_rate = paper.order.currency, dict[Decimal, tuple[Decimal, Decimal]]()
    for item in paper.items:
        net, tax = by_rate.get(item.tax_rate, (Decimal(0), Decimal(0)))
        by_rate[item.tax_rate] = net + item.net_amount, tax + item.tax_amount
    return [("Net", money(paper.order.net_total, currency)), *(
        (f"Tax {plain(rate)} % of {money(net, currency)}", money(tax, currency))
        for rate, (net, tax) in sorted(by_rate.items()) if rate
    )]

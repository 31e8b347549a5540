"""Three-way match: what a bill asks for, against what was ordered and what is here."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from django.db.models import Sum

from accounts.queries.rates import DIGITS
from orders.models import PurchaseOrder, PurchaseOrderItem, SupplierBill, SupplierBillItem

ZERO = Decimal(0)
# What nobody needs to look at, for every organization and supplier: rounding on the supplier's side, not another price. Both
# must hold; a limit that everybody sets for themselves would be one more way to pay too much by mistake.
PRICE_PERCENT = Decimal(2)  # of the order's price
LINE_AMOUNT = Decimal(10)  # on a line as a whole, in the order's currency

type Variance = dict[str, str]


def net_price(line: PurchaseOrderItem | SupplierBillItem) -> Decimal:
    with localcontext(prec=DIGITS):
        return (line.unit_price or ZERO) * (100 - line.discount_percent) / 100


def unbilled(line: PurchaseOrderItem) -> Decimal:
    """What came and stayed, and is on no approved bill. Below zero where more was approved, or goods went back later."""
    return line.received_quantity - line.returned_quantity - line.billed_quantity


def matched(items: Sequence[SupplierBillItem], ordered: Mapping[UUID, PurchaseOrderItem]) -> dict[UUID, list[Variance]]:
    """What is out of line, by line of a bill that is not approved."""
    return {item.pk: _variances(item, ordered[item.order_item_id]) for item in items}


def bill_lines(bill: SupplierBill) -> list[SupplierBillItem]:
    """With their variances: as things are now while it is open, else as it was decided."""
    items = list(bill.lines.select_related("order_item").order_by("line"))
    if bill.status in SupplierBill.OPEN:
        found = matched(items, {item.order_item_id: item.order_item for item in items})
        for item in items:
            item.variances = found[item.pk]
    return items


def on_open_bills(order: PurchaseOrder) -> dict[UUID, Decimal]:
    rows = SupplierBillItem.objects.filter(bill__order=order, bill__status__in=SupplierBill.OPEN).order_by()
    return dict(rows.values_list("order_item_id").annotate(Sum("quantity")))


def _variances(item: SupplierBillItem, line: PurchaseOrderItem) -> list[Variance]:
    found: list[Any] = [_of_quantity(item, line), _of_price(item, line), _of_tax(item, line)]
    return [one for one in found if one]


def _of_quantity(item: SupplierBillItem, line: PurchaseOrderItem) -> Variance | None:
    most = max(unbilled(line), ZERO)
    if item.quantity <= most:
        return None
    detail = (
        f"{_plain(item.quantity)} are billed, and {_plain(most)} are here and not billed yet: {_plain(line.received_quantity)}"
        f" came, {_plain(line.returned_quantity)} went back, {_plain(line.billed_quantity)} are on approved bills."
    )
    return _variance("quantity_over", item.quantity, most, detail)


def _of_price(item: SupplierBillItem, line: PurchaseOrderItem) -> Variance | None:
    asked, agreed = net_price(item), net_price(line)
    with localcontext(prec=DIGITS):
        apart = abs(asked - agreed)
        if apart * 100 <= agreed * PRICE_PERCENT and apart * item.quantity <= LINE_AMOUNT:
            return None
        amount = apart * item.quantity
    way = "over" if asked > agreed else "under"
    detail = f"The price is {_plain(asked)} after the discount, {_plain(amount)} {way} the order's {_plain(agreed)} on this line."
    return _variance(f"price_{way}", asked, agreed, detail)


def _of_tax(item: SupplierBillItem, line: PurchaseOrderItem) -> Variance | None:
    if item.tax_rate == line.tax_rate:
        return None
    detail = f"It is taxed at {_plain(item.tax_rate)} per cent, on the order at {_plain(line.tax_rate)}."
    return _variance("tax_rate", item.tax_rate, line.tax_rate, detail)


def _variance(code: str, billed: Decimal, expected: Decimal, detail: str) -> Variance:
    return {"code": code, "billed": _plain(billed), "expected": _plain(expected), "detail": detail}


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"

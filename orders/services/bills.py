"""Suppliers' bills: entered from a purchase order, and changed while they are drafts. Their states: bill_states.py.

The order is locked first, then the bill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from accounts.queries.rates import DIGITS
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_scope
from inventory.queries import prices
from inventory.queries.closings import today
from orders.machines import SUPPLIER_BILLS
from orders.models import PurchaseOrder, PurchaseOrderItem, SupplierBill, SupplierBillItem
from orders.queries.bill_matching import on_open_bills, unbilled
from orders.services.purchasing import MOST_LINES
from orders.services.purchasing import locked as order_locked
from orders.services.stepping import refusal

ZERO = Decimal(0)
P, Status = PurchaseOrder.Status, SupplierBill.Status
BILLABLE = (P.SENT, P.PARTIALLY_RECEIVED, P.RECEIVED, P.BILLED, P.CLOSED)


@dataclass(frozen=True, slots=True)
class BillLine:
    """Of a line of the order. Without a price, the order's and its discount; without a tax rate, the order's."""

    order_item_id: UUID
    quantity: Decimal
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    tax_rate: Decimal | None = None


def supplier_bill_create(
    *, order: PurchaseOrder, supplier_number: str, lines: Sequence[BillLine] | None = None, billed_on: date | None = None,
    due_on: date | None = None, note: str = "",
) -> SupplierBill:
    """A draft; without lines, of all that is here and on no other bill. Due by the supplier's terms, unless that is said."""
    row = order_locked(order)
    if row.status not in BILLABLE:
        state = row.get_status_display().lower()
        raise Conflict(f"Purchase order {row.number} is {state}: the supplier has to have it first.", code="wrong_status")
    ordered = _ordered(row)
    day, terms = billed_on or today(), row.supplier.party.payment_terms_days
    if due_on is None and terms is not None and day <= date.max - timedelta(days=terms):
        due_on = day + timedelta(days=terms)
    bill = SupplierBill(
        order=row, supplier_id=row.supplier_id, warehouse_id=row.warehouse_id, currency=row.currency, note=note,
        supplier_number=_number(supplier_number), billed_on=day, due_on=due_on, entered_by=active_scope().origin.actor_id,
    )
    items = _items(bill, ordered, _usual(row, ordered) if lines is None else lines)
    _total(bill, items)
    bill.save(force_insert=True)
    SupplierBillItem.objects.bulk_create(items)
    return bill


def supplier_bill_change(*, bill: SupplierBill, lines: Sequence[BillLine] | None = None, **values: Any) -> SupplierBill:
    """Of a draft; the lines, if they are given, replace those before. `values` are columns."""
    row = locked(bill)
    if row.status != Status.DRAFT:
        raise refusal(SUPPLIER_BILLS, row.status, "change")
    if "supplier_number" in values:
        values["supplier_number"] = _number(values["supplier_number"])
    columns = list(values)
    for name, value in values.items():
        setattr(row, name, value)
    if lines is not None:
        items = _items(row, _ordered(row.order), lines)
        _total(row, items)
        row.entered_by = active_scope().origin.actor_id
        row.lines.all().delete()
        SupplierBillItem.objects.bulk_create(items)
        columns += ["net_total", "tax_total", "total", "entered_by"]
    if columns:
        row.save(update_fields=columns)
    return row


def locked(bill: SupplierBill) -> SupplierBill:
    """After its order, so that bills of the same goods come one after another."""
    order = order_locked(PurchaseOrder(pk=bill.order_id))
    row: SupplierBill | None = SupplierBill.objects.select_for_update(of=("self",), no_key=True).filter(pk=bill.pk).first()
    if row is None:
        raise NotFound("There is no such supplier bill.")
    row.order = order
    return row


def _number(given: str) -> str:
    if not given.strip():
        raise Invalid("Give the number on the supplier's paper.", fields={"supplier_number": "required"})
    return given.strip()


def _ordered(order: PurchaseOrder) -> dict[UUID, PurchaseOrderItem]:
    return {line.pk: line for line in order.lines.order_by("line")}


def _usual(order: PurchaseOrder, ordered: Mapping[UUID, PurchaseOrderItem]) -> list[BillLine]:
    entered = on_open_bills(order)
    left = {key: unbilled(line) - entered.get(key, ZERO) for key, line in ordered.items()}
    found = [BillLine(key, quantity) for key, quantity in left.items() if quantity > 0]
    if not found:
        raise Conflict(
            f"All that is here of {order.number} is on a bill: say the lines to bill what has not come.", code="nothing_to_bill",
        )
    return found


def _items(
    bill: SupplierBill, ordered: Mapping[UUID, PurchaseOrderItem], lines: Sequence[BillLine],
) -> list[SupplierBillItem]:
    if not lines:
        raise Invalid("Say what is billed.", fields={"lines": "empty"})
    if len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines.", fields={"lines": "too many"})
    seen: set[UUID] = set()
    for number, line in enumerate(lines):
        if line.order_item_id not in ordered:
            detail = "There is no such line on this purchase order."
            raise Invalid(detail, code="does_not_exist", fields={f"lines/{number}/line": detail})
        if line.order_item_id in seen:
            raise Invalid("A line of the order stands once on a bill.", fields={f"lines/{number}/line": "given twice"})
        if line.quantity <= 0:
            raise Invalid("A quantity must be above zero.", fields={f"lines/{number}/quantity": "not positive"})
        seen.add(line.order_item_id)
    return [_item(bill, number, line, ordered[line.order_item_id]) for number, line in enumerate(lines, 1)]


def _item(bill: SupplierBill, number: int, line: BillLine, ordered: PurchaseOrderItem) -> SupplierBillItem:
    price, discount = line.unit_price, line.discount_percent or ZERO
    if price is None:
        price = ordered.unit_price or ZERO
        discount = ordered.discount_percent if line.discount_percent is None else line.discount_percent
    rate = ordered.tax_rate if line.tax_rate is None else line.tax_rate
    with localcontext(prec=DIGITS):
        off = price * line.quantity * discount / 100
        amounts = prices.amounts(price, line.quantity, rate, bill.currency, discount=off)
    return SupplierBillItem(
        bill=bill, line=number, order_item=ordered, sku=ordered.sku, name=ordered.name, quantity=line.quantity, unit_price=price,
        discount_percent=discount, tax_rate=rate, net_amount=amounts.net or ZERO, tax_amount=amounts.tax or ZERO,
    )


def _total(bill: SupplierBill, items: Sequence[SupplierBillItem]) -> None:
    bill.net_total = sum((one.net_amount for one in items), ZERO)
    bill.tax_total = sum((one.tax_amount for one in items), ZERO)
    bill.total = bill.net_total + bill.tax_total

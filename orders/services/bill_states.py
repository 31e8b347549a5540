"""Suppliers' bills go from one state to the next; see orders/machines/bills.py."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.queries.rates import DIGITS
from core.errors import Conflict, Forbidden, Invalid
from core.tenancy import active_scope
from inventory.queries.prices import UNIT
from inventory.services.landed_costs import landed_take_back, receipts_revalue
from inventory.services.stock import Document
from orders import events_bills as events
from orders.machines import SUPPLIER_BILLS
from orders.models import GoodsReceipt, GoodsReceiptItem, LandedCost, PurchaseOrderItem, SupplierBill, SupplierBillItem
from orders.queries.bill_matching import Variance, matched, net_price
from orders.services.bills import locked
from orders.services.purchase_billing import purchase_order_follow_bills
from orders.services.stepping import allow, step, told

DOCUMENT, VOID = "supplier_bill", "supplier_bill_void"
ZERO = Decimal(0)
Status = SupplierBill.Status


def supplier_bill_submit(*, bill: SupplierBill) -> SupplierBill:
    """Approved at once where all is as ordered and received, within the tolerances; else it waits for somebody else."""
    row = locked(bill)
    allow(SUPPLIER_BILLS, row, "submit")
    items = _lines(row)
    found = matched(items, {item.order_item_id: item.order_item for item in items})
    for item in items:
        item.variances = found[item.pk]
    SupplierBillItem.objects.bulk_update(items, ["variances"])
    differs, now = any(found.values()), timezone.now()
    if not differs:
        _book(row, items)
    step(
        SUPPLIER_BILLS, row, "submit", target=Status.IN_VARIANCE if differs else Status.APPROVED, submitted_at=now,
        submitted_by=active_scope().origin.actor_id, approved_at=None if differs else now, decided_by=None, decided_at=None,
        decision_note="",
    )
    _tell(row, "submit", events.SupplierBillSubmitted(**_named(row), **_amounts(row), status=row.status))
    if not differs:
        _after_approval(row)
    return row


def supplier_bill_approve(*, bill: SupplierBill, note: str = "") -> SupplierBill:
    """By somebody else than who wrote or submitted it. Raises Conflict where it differs by more than it did then."""
    row = locked(bill)
    allow(SUPPLIER_BILLS, row, "approve")
    _refuse_own(row)
    items = _lines(row)
    found = matched(items, {item.order_item_id: item.order_item for item in items})
    if grown := [item.sku for item in items if _is_grown(item.variances, found[item.pk])]:
        raise Conflict(
            f"Since it was submitted more has changed of {', '.join(grown[:20])}: reject it, look at it and submit it again.",
            code="variance_grew",
        )
    _book(row, items)
    step(SUPPLIER_BILLS, row, "approve", note=note, approved_at=timezone.now(), **_decided(note))
    _after_approval(row)
    return row


def supplier_bill_reject(*, bill: SupplierBill, reason: str) -> SupplierBill:
    """It is a draft again; who entered it reads why."""
    if not reason.strip():
        raise Invalid("Say why: who entered it will want to know.", fields={"reason": "required"})
    row = locked(bill)
    allow(SUPPLIER_BILLS, row, "reject")
    _refuse_own(row)
    step(SUPPLIER_BILLS, row, "reject", note=reason, **_decided(reason))
    _tell(row, "reject", events.SupplierBillRejected(**_named(row), reason=reason))
    return row


def supplier_bill_void(*, bill: SupplierBill, reason: str) -> SupplierBill:
    """It is not paid after all: its quantities are to be billed again, and the goods are worth what they were without it."""
    if not reason.strip():
        raise Invalid("Say why: it was approved.", fields={"reason": "required"})
    row = locked(bill)
    allow(SUPPLIER_BILLS, row, "void")
    if posted := LandedCost.objects.filter(bill=row, status=LandedCost.Status.POSTED).values_list("number", flat=True):
        raise Conflict(f"Landed costs are posted on it: reverse {', '.join(posted[:20])} first.", code="has_landed_costs")
    items = _lines(row)
    landed_take_back(
        document=Document(DOCUMENT, row.pk), by=Document(VOID, row.pk), note=f"Bill {row.supplier_number} was voided",
        returned=_sent_back(items),
    )
    _count(items, -1)
    step(SUPPLIER_BILLS, row, "void", note=reason)
    _tell(row, "void", events.SupplierBillVoided(**_named(row), **_amounts(row), reason=reason))
    _order_follows(row)
    return row


def supplier_bill_cancel(*, bill: SupplierBill, reason: str = "") -> SupplierBill:
    """Before it is approved. Its number may be entered again."""
    row = locked(bill)
    step(SUPPLIER_BILLS, row, "cancel", note=reason)
    _tell(row, "cancel", events.SupplierBillCancelled(**_named(row), reason=reason))
    return row


def _lines(bill: SupplierBill) -> list[SupplierBillItem]:
    return list(bill.lines.select_related("order_item").order_by("line"))


def _refuse_own(bill: SupplierBill) -> None:
    if (actor := active_scope().origin.actor_id) and actor in (bill.entered_by, bill.submitted_by):
        raise Forbidden("Somebody else has to look at what you entered.", code="own_request")


def _is_grown(before: Sequence[Variance], now: Sequence[Variance]) -> bool:
    """More is out of line than whoever approves it can have read."""
    read = {one["code"]: Decimal(one["expected"]) for one in before}
    return any(
        one["code"] not in read or (one["code"] == "quantity_over" and Decimal(one["expected"]) < read["quantity_over"])
        for one in now
    )


def _book(bill: SupplierBill, items: Sequence[SupplierBillItem]) -> None:
    """The goods that stayed are worth what is asked for them. The order is locked, and with it its lines."""
    if amounts := _revaluations(items):
        note = f"Bill {bill.supplier_number} of {bill.order.number}"
        receipts_revalue(amounts=amounts, document=Document(DOCUMENT, bill.pk), note=note, returned=_sent_back(items))
    _count(items, 1)


def _count(items: Sequence[SupplierBillItem], sign: int) -> None:
    for item in items:
        item.order_item.billed_quantity += sign * item.quantity
    PurchaseOrderItem.objects.bulk_update([item.order_item for item in items], ["billed_quantity"])


def _revaluations(items: Sequence[SupplierBillItem]) -> dict[UUID, Decimal]:
    """By receipt move, in the base currency at the receipt's own rate. Of what stayed, what came first is billed first."""
    apart = {item.order_item_id: item for item in items if net_price(item) != net_price(item.order_item)}
    passed: dict[UUID, list[GoodsReceiptItem]] = defaultdict(list)
    for one in _moved(apart).select_related("receipt").order_by("receipt_id", "line"):
        passed[one.order_item_id].append(one)
    found: dict[UUID, Decimal] = {}
    for key, item in apart.items():
        wanted = item.quantity
        for one, left in _unbilled(passed[key], item.order_item.billed_quantity):
            part = min(wanted, left)
            wanted -= part
            if part > 0:
                with localcontext(prec=DIGITS):
                    more = (net_price(item) - net_price(item.order_item)) * part * one.receipt.exchange_rate
                    found[one.move_id] = more.quantize(UNIT, ROUND_HALF_UP)  # type: ignore[index]  # what was taken in has one
    return {move: amount for move, amount in found.items() if amount}


def _unbilled(passed: Sequence[GoodsReceiptItem], billed: Decimal) -> list[tuple[GoodsReceiptItem, Decimal]]:
    """Of each receipt of a line, in their order, how much stayed and is on no approved bill. What went back is of the same lot
    where there is one, of what came last, and is not billed unless all of that is.
    """
    left: dict[UUID, Decimal] = {}
    came: list[GoodsReceiptItem] = []
    for one in passed:
        if one.receipt.kind == GoodsReceipt.Kind.RECEIPT:
            part = min(billed, one.quantity)
            billed -= part
            left[one.pk] = one.quantity - part
            came.append(one)
            continue
        gone = one.quantity
        for other in sorted(reversed(came), key=lambda before: before.lot_id != one.lot_id):
            part = min(gone, left[other.pk])
            gone -= part
            left[other.pk] -= part
    return [(one, left[one.pk]) for one in came]


def _moved(order_items: Iterable[UUID]) -> QuerySet[GoodsReceiptItem]:
    found: QuerySet[GoodsReceiptItem] = GoodsReceiptItem.objects.filter(order_item__in=order_items, quantity__gt=0)
    return found


def _sent_back(items: Sequence[SupplierBillItem]) -> list[UUID]:
    """The moves by which goods of these lines went back."""
    rows = _moved([item.order_item_id for item in items]).filter(receipt__kind=GoodsReceipt.Kind.RETURN)
    return list(rows.values_list("move_id", flat=True))


def _decided(note: str) -> dict[str, Any]:
    return {"decided_by": active_scope().origin.actor_id, "decided_at": timezone.now(), "decision_note": note}


def _named(bill: SupplierBill) -> dict[str, Any]:
    return {
        "bill": bill.pk, "supplier_number": bill.supplier_number, "supplier": bill.supplier_id, "order": bill.order_id,
        "order_number": bill.order.number, "warehouse": bill.warehouse_id,
    }


def _amounts(bill: SupplierBill) -> dict[str, Any]:
    return {"currency": bill.currency, "net_total": bill.net_total, "total": bill.total}


def _tell(bill: SupplierBill, verb: str, event: object) -> None:
    told(SUPPLIER_BILLS, verb, event, aggregate_id=bill.pk)


def _order_follows(bill: SupplierBill) -> None:
    purchase_order_follow_bills(order=bill.order, lines=bill.order.lines.all())


def _after_approval(bill: SupplierBill) -> None:
    _tell(bill, "approve", events.SupplierBillApproved(
        **_named(bill), **_amounts(bill), due_on=bill.due_on, note=bill.decision_note,
    ))
    _order_follows(bill)

"""Purchase orders go from one state to the next; see orders/machines/purchasing.py. Goods come by purchase_goods.py."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Organization
from accounts.queries.rates import convert
from core.errors import Conflict, Forbidden, Invalid
from core.tenancy import active_organization_id, active_scope
from inventory.queries.closings import today
from orders import events_purchasing as events
from orders.machines import PURCHASE_ORDERS
from orders.models import GoodsReceipt, PurchaseOrder, SupplierBill
from orders.services.purchase_expected import expected_follow
from orders.services.purchase_papers import mail_address
from orders.services.purchase_tasks import tasks_give_up, tasks_let_go
from orders.services.purchasing import locked
from orders.services.stepping import allow, step, told

Status = PurchaseOrder.Status
ZERO = Decimal(0)
BY_MAIL, BY_OTHER = PurchaseOrder.SentBy.MAIL.value, PurchaseOrder.SentBy.OTHER.value


def purchase_order_submit(*, order: PurchaseOrder) -> PurchaseOrder:
    """Approved at once, unless it is over the organization's limit."""
    row = locked(order)
    lines = list(row.lines.order_by("line").values_list("sku", "unit_price"))
    if row.status == Status.DRAFT and not lines:
        raise Invalid(f"Purchase order {row.number} has no lines: say what is bought.", fields={"lines": "empty"})
    if row.status == Status.DRAFT and (lacking := [sku for sku, price in lines if price is None]):
        raise Conflict(f"Nobody has said what {', '.join(lacking)} cost: give these lines a price.", code="no_price")
    target = Status.PENDING_APPROVAL if is_over_limit(row) else Status.APPROVED
    step(
        PURCHASE_ORDERS, row, "submit", target=target, submitted_at=timezone.now(), requested_by=active_scope().origin.actor_id,
        decided_by=None, decided_at=None, decision_note="",
    )
    expected_follow(row)
    _tell(row, "submit", events.PurchaseOrderSubmitted(
        **_named(row), currency=row.currency, net_total=row.net_total, status=row.status,
    ))
    return row


def is_over_limit(order: PurchaseOrder) -> bool:
    limits = Organization.objects.values_list("purchase_approval_over", "base_currency")
    limit, base = limits.get(pk=active_organization_id())
    return limit is not None and convert(order.net_total, order.currency, base, today()) > limit


def purchase_order_approve(*, order: PurchaseOrder, note: str = "") -> PurchaseOrder:
    """By somebody else than who submitted it."""
    row = locked(order)
    _refuse_own(row)
    step(PURCHASE_ORDERS, row, "approve", note=note, **_decided(note))
    expected_follow(row)
    _tell(row, "approve", events.PurchaseOrderApproved(
        **_named(row), currency=row.currency, net_total=row.net_total, note=note,
    ))
    return row


def purchase_order_reject(*, order: PurchaseOrder, reason: str) -> PurchaseOrder:
    """It is a draft again; who wrote it reads why."""
    if not reason.strip():
        raise Invalid("Say why: who asked will want to know.", fields={"reason": "required"})
    row = locked(order)
    _refuse_own(row)
    step(PURCHASE_ORDERS, row, "reject", note=reason, **_decided(reason))
    _tell(row, "reject", events.PurchaseOrderRejected(**_named(row), reason=reason))
    return row


def purchase_order_revise(*, order: PurchaseOrder, reason: str = "", by: str = "") -> PurchaseOrder:
    """It is a draft again, to be changed, submitted and sent anew. Who has it is told as it was sent, unless `by` says.

    Raises Conflict once goods of it were at the door, or a bill of it is entered, or where there is nobody to mail it to.
    """
    row = locked(order)
    if row.status == Status.SENT and GoodsReceipt.objects.filter(order=row).exists():
        raise Conflict(
            f"Goods of {row.number} have been here: close it, and order what else is needed anew.", code="goods_have_come",
        )
    if SupplierBill.objects.filter(order=row).exists():
        raise Conflict(
            f"The supplier has sent a bill for {row.number}: close it, and order what else is needed anew.", code="has_bills",
        )
    told_by = _told_by(row, by) if row.status == Status.SENT else ""
    was = step(PURCHASE_ORDERS, row, "revise", note=reason, revision=row.revision + 1, sent_at=None)
    expected_follow(row)
    _tell(row, "revise", events.PurchaseOrderRevised(**_named(row), revision=row.revision, was=was, by=told_by))
    return row


def purchase_order_send(*, order: PurchaseOrder, by: str = BY_MAIL) -> PurchaseOrder:
    """From now on it waits for goods. The supplier gets it by mail, unless they were told otherwise; the event says all of it.

    Raises Conflict where there is nobody to mail it to.
    """
    row = locked(order)
    allow(PURCHASE_ORDERS, row, "send")
    if by == BY_MAIL:
        mail_address(row.supplier)
    step(PURCHASE_ORDERS, row, "send", note=PurchaseOrder.SentBy(by).label, sent_at=timezone.now(), sent_by=by)
    lines = row.lines.select_related("supplier_product").order_by("line")
    _tell(row, "send", events.PurchaseOrderSent(
        **_named(row), currency=row.currency, net_total=row.net_total, revision=row.revision, expected_on=row.expected_on,
        by=by, lines=[
            events.PurchaseLine(
                line=line.pk, variant=line.variant_id, sku=line.sku, quantity=line.quantity, unit_price=line.unit_price or ZERO,
                supplier_sku=line.supplier_product.supplier_sku if line.supplier_product else "",
                discount_percent=line.discount_percent,
            )
            for line in lines
        ],
    ))
    return row


def purchase_order_close(*, order: PurchaseOrder, reason: str = "") -> PurchaseOrder:
    """Nothing more will come: what its reorder tasks still wait for is waited for no longer."""
    row = locked(order)
    step(PURCHASE_ORDERS, row, "close", note=reason, closed_at=timezone.now())
    expected_follow(row)
    tasks_give_up(_tasks(row), reason=reason or f"Purchase order {row.number} was closed.")
    _tell(row, "close", events.PurchaseOrderClosed(**_named(row), reason=reason))
    return row


def purchase_order_cancel(*, order: PurchaseOrder, reason: str = "", by: str = "") -> PurchaseOrder:
    """Before goods come. Its reorder tasks are open again. A supplier who was sent it is told the same way, unless `by` says.

    Raises Conflict where there is nobody to mail it to.
    """
    row = locked(order)
    allow(PURCHASE_ORDERS, row, "cancel")
    told_by = _told_by(row, by)
    step(PURCHASE_ORDERS, row, "cancel", note=reason, closed_at=timezone.now())
    expected_follow(row)
    tasks_let_go(_tasks(row))
    _tell(row, "cancel", events.PurchaseOrderCancelled(**_named(row), reason=reason, by=told_by))
    return row


def _told_by(order: PurchaseOrder, by: str) -> str:
    """Empty where the supplier was never sent it."""
    if not order.sent_by:
        return ""
    by = by or order.sent_by
    if by == BY_MAIL:
        mail_address(order.supplier)
    return by


def _refuse_own(order: PurchaseOrder) -> None:
    if order.status == Status.PENDING_APPROVAL and order.requested_by and order.requested_by == active_scope().origin.actor_id:
        raise Forbidden("Somebody else has to look at what you asked for.", code="own_request")


def _decided(note: str) -> dict[str, Any]:
    return {"decided_by": active_scope().origin.actor_id, "decided_at": timezone.now(), "decision_note": note}


def _tasks(order: PurchaseOrder) -> list[Any]:
    return list(order.lines.exclude(reorder_task=None).values_list("reorder_task_id", flat=True))


def _named(order: PurchaseOrder) -> dict[str, Any]:
    return {"order": order.pk, "number": order.number, "supplier": order.supplier_id, "warehouse": order.warehouse_id}


def _tell(order: PurchaseOrder, verb: str, event: object) -> None:
    told(PURCHASE_ORDERS, verb, event, aggregate_id=order.pk)

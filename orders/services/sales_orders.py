"""Sales orders: a cart, placed with its goods reserved, confirmed, held, canceled.

The order is locked first, then its customer, the stock, its promotions, and last the number, for which all wait.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from accounts.services.documents import number_next
from core.errors import Invalid
from inventory.services.reservations import Demand, demand_keep, demand_release
from notifications.services.events import publish
from orders.events import OrderCancelled, OrderChanged, OrderConfirmed, OrderHeld, OrderPlaced, OrderReleased
from orders.machines import SALES_ORDERS
from orders.models import Channel, Customer, SalesOrder, SalesOrderItem, ShippingMethod
from orders.queries.kits import AS_SHOWN, lines_to_place, with_components
from orders.queries.promotions import has_automatic
from orders.services.amending import OPEN, order_amend
from orders.services.kits import components_of
from orders.services.order_follows import order_needs_no_more
from orders.services.order_lines import TOTALS, adjustments_write, lines_write, order_write, reprice
from orders.services.order_lines import NewAdjustment as NewAdjustment
from orders.services.order_lines import NewLine as NewLine
from orders.services.order_locking import locked as locked
from orders.services.order_locking import locked_alone
from orders.services.order_telling import order_line, parts
from orders.services.payment_settling import status_unpaid
from orders.services.payments import payments_unwind
from orders.services.promising import DOCUMENT as DOCUMENT
from orders.services.promising import allocated, allocated_first, allocated_follow, credit_check, goods_keep, goods_promise
from orders.services.promotion_uses import promotions_claim, promotions_give_back
from orders.services.stepping import allow, refusal, step
from orders.services.stopping import invoices_stop, picks_stop, shipments_stop

NUMBERS = "SO-{number:06}"
PRICES_BY = {"channel_id", "customer_id", "currency", "shipping_address", "shipping_method_id"}  # of a cart
Status = SalesOrder.Status


def sales_order_create(
    *, channel: Channel, lines: Sequence[NewLine] = (), adjustments: Sequence[NewAdjustment] = (),
    customer: Customer | None = None, is_placed_next: bool = False, **values: Any,
) -> SalesOrder:
    """A cart, which promises nothing yet. `values` are columns; the channel says currency and warehouse unless they do.

    Who places it in the same transaction leaves the promotions that count by themselves to that.
    """
    values.setdefault("currency", channel.currency)
    if "warehouse" not in values:
        values.setdefault("warehouse_id", channel.warehouse_id)
    order = SalesOrder(channel=channel, customer=customer, **{**dict.fromkeys(TOTALS, Decimal(0)), **values})
    order.has_charges = bool(lines) and not is_placed_next and has_automatic()
    order_write(order, lines, adjustments)
    return order


def sales_order_change(
    *, order: SalesOrder, lines: Sequence[NewLine] | None = None, adjustments: Sequence[NewAdjustment] | None = None,
    **values: Any,
) -> SalesOrder:
    """`values` are columns; lines and adjustments, where they are given, replace those before.

    Of an order that is placed and not packed, its goods, totals and credit follow; if all that is left of it was shipped, it is
    shipped. From then on, raises Conflict.
    """
    row = locked(order)
    if row.status in OPEN:
        return _amend(row, lines, adjustments, values)
    if row.status != Status.DRAFT:
        raise refusal(SALES_ORDERS, row.status, "change")
    moved = {name for name in PRICES_BY if name in values and values[name] != getattr(row, name)}
    for name, value in values.items():
        setattr(row, name, value)
    _check_references(row, moved)
    if values:
        row.save(update_fields=list(values))
    if moved and lines is None and (kept := list(row.lines.order_by("line"))):
        reprice(row, kept)
        row.save(update_fields=TOTALS)
    if lines is not None:
        row.revision += 1
    _write(row, lines, adjustments)
    return row


def _amend(
    row: SalesOrder, lines: Sequence[NewLine] | None, adjustments: Sequence[NewAdjustment] | None, values: dict[str, Any],
) -> SalesOrder:
    if changed := order_amend(row, lines=lines, adjustments=adjustments, values=values):
        publish(OrderChanged(
            **parts(row), changed=changed, currency=row.currency, net_total=row.net_total, tax_total=row.tax_total,
            total=row.total, lines=[order_line(line) for line in row.lines.order_by(*AS_SHOWN)],
        ), aggregate_id=row.pk)
        if lines is not None:
            order_needs_no_more(row)
    return row


def _check_references(row: SalesOrder, moved: set[str]) -> None:
    for name, model in (("customer", Customer), ("channel", Channel), ("shipping_method", ShippingMethod)):
        key = getattr(row, f"{name}_id")
        if f"{name}_id" in moved and key is not None and not model.objects.filter(pk=key).exists():
            detail = f"There is no such {name.replace('_', ' ')} in this organization."
            raise Invalid(detail, code="does_not_exist", fields={name: detail})


def _write(
    order: SalesOrder, lines: Sequence[NewLine] | None, adjustments: Sequence[NewAdjustment] | None,
) -> None:
    if lines is not None:
        lines_write(order, lines)
    if adjustments is not None:
        adjustments_write(order, adjustments)
    if lines is not None or adjustments is not None:
        order.save(update_fields=[*TOTALS, "revision"])


def sales_order_place(*, order: SalesOrder, is_priced: bool = False) -> SalesOrder:
    """The cart gets its number and its goods, at the prices of now. `is_priced`: it was made in this transaction.

    Raises Conflict where goods are short and a line may not wait, or the customer would owe too much.
    """
    row = locked(order)
    allow(SALES_ORDERS, row, "place")
    lines = lines_to_place(row)
    if not lines:
        raise Invalid("The cart is empty: say what is ordered.", fields={"lines": "empty"})
    if not is_priced or row.has_charges:
        reprice(row, lines)
    credit_check(row)
    components = components_of(lines, first=lines[-1].line + 1)
    lines = with_components([*lines, *components])
    now, minutes = timezone.now(), row.channel.reservation_minutes
    expires_at = now + timedelta(minutes=minutes) if minutes else None
    got = goods_promise(row, {line: line.quantity for line in lines}, expires_at=expires_at)
    if components:
        SalesOrderItem.objects.bulk_create(components)
    if row.has_charges:
        promotions_claim(row, now)
    row.number = row.number or number_next(document_type=DOCUMENT, first=NUMBERS)
    event = OrderPlaced(
        **parts(row), currency=row.currency, net_total=row.net_total, tax_total=row.tax_total, total=row.total,
        lines=[order_line(line) for line in lines],
    )
    step(
        SALES_ORDERS, row, "place", event=event, besides=allocated_first(got), number=row.number, placed_at=now,
        net_total=row.net_total, tax_total=row.tax_total, total=row.total, payment_status=status_unpaid(row.total),
    )
    return row


def sales_order_confirm(*, order: SalesOrder) -> SalesOrder:
    """Its goods are kept without an end, and promised anew where their time was up."""
    row = locked(order)
    allow(SALES_ORDERS, row, "confirm")
    goods_keep(row)
    step(SALES_ORDERS, row, "confirm", event=OrderConfirmed(**parts(row)), besides=[allocated(row)])
    return row


def sales_order_hold(*, order: SalesOrder, reason: str = "") -> SalesOrder:
    """Nobody fulfils it until it is released; what is promised to it stays so, without an end."""
    row = locked_alone(order)
    allow(SALES_ORDERS, row, "hold")
    demand_keep(demand=Demand(DOCUMENT, row.pk))
    step(SALES_ORDERS, row, "hold", event=OrderHeld(**parts(row), reason=reason), note=reason, held_from=row.status)
    return row


def sales_order_release(*, order: SalesOrder, reason: str = "") -> SalesOrder:
    """Back to where it was held, or where it failed; on to shipped where all that is left of it has gone since."""
    row = locked_alone(order)
    allow(SALES_ORDERS, row, "release")
    event = OrderReleased(**parts(row))
    step(SALES_ORDERS, row, "release", event=event, note=reason, target=row.held_from, held_from="", error_code="")
    order_needs_no_more(row)
    return row


def sales_order_cancel(*, order: SalesOrder, reason: str = "") -> SalesOrder:
    """What is reserved is free again, and what was picked or packed goes back on its shelf, where the books have it.

    What was promised of its price is let go, and what a provider took goes back. Drafts of invoices go. Raises Conflict once
    its goods have left, where they are invoiced, or where people have to give money back first.
    """
    row = locked(order)
    allow(SALES_ORDERS, row, "cancel")
    invoices_stop(row)
    payments_unwind(order=row, reason=reason)
    if row.status != Status.DRAFT:
        shipments_stop(row, reason)
        picks_stop(row)
        demand_release(demand=Demand(DOCUMENT, row.pk))
        row.lines.update(picked_quantity=F("shipped_quantity"))
        allocated_follow(row)
        if row.has_charges:
            promotions_give_back(row, timezone.now())
    row.lines.update(cancelled_quantity=F("quantity") - F("shipped_quantity"))
    event = OrderCancelled(**parts(row), reason=reason)
    step(SALES_ORDERS, row, "cancel", event=event, note=reason, closed_at=timezone.now())
    return row


def sales_order_allocated(*, order_id: UUID) -> None:
    """What the inventory gave or took by itself stands in the lines."""
    if row := SalesOrder.objects.select_for_update(no_key=True).filter(pk=order_id).first():
        allocated_follow(row)

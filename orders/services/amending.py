"""An order that is placed and not packed yet is changed: what is ordered, where it goes.

The price of a line that was there stays as it was when it was placed, unless another is agreed; a new line costs what it costs
now. The order is locked already; its customer follows, then the stock, then the promotions that it gives back.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from core.errors import Conflict, Invalid
from orders.models import SalesOrder, SalesOrderItem
from orders.queries.kits import by_kit
from orders.services.charges import charges_write
from orders.services.kits import components_of, kits_begun, whole_or_refused
from orders.services.order_lines import (
    AGREED,
    PRICED,
    TOTALS,
    NewAdjustment,
    NewLine,
    adjustments_write,
    items,
    known_or_refused,
    lines_check,
    price,
    totals_change,
)
from orders.services.payment_settling import sales_order_paid_follow
from orders.services.payments import balance
from orders.services.promising import allocated_follow, credit_check, goods_follow
from orders.services.promotion_uses import promotions_give_back
from orders.services.stopping import billed_refuse, lines_forget, picks_stop

Status = SalesOrder.Status
OPEN = (Status.PLACED, Status.CONFIRMED, Status.ON_HOLD)
COLUMNS = {
    "email", "shipping_address", "billing_address", "requested_on", "note", "external_ref", "custom_fields",
    "shipping_method_id",
}
OF_LINES = ("quantity", "discount", "vehicle_model_id", "backorder_policy", "price_agreed", "allocated_quantity", *PRICED)


def order_amend(
    row: SalesOrder, *, lines: Sequence[NewLine] | None, adjustments: Sequence[NewAdjustment] | None, values: Mapping[str, Any],
) -> list[str]:
    """What is different afterwards: names of columns, lines, adjustments. Raises Conflict for what stays once it is placed."""
    total, changed = row.total, _columns(row, values)
    goods: dict[SalesOrderItem, Decimal] = {}
    if lines is not None:
        _refuse_picked(row)
        picks_stop(row)
    if lines is not None or {"shipping_address", "shipping_method_id"} & set(changed):
        goods = _lines(row, lines, is_sent_anew="shipping_method_id" in changed)
    if adjustments is not None:
        before = _adjusted(row)
        adjustments_write(row, adjustments)
        changed += ["adjustments"] if _adjusted(row) != before else []
    if lines is not None:
        changed.append("lines")
        row.revision += 1
    row.save(update_fields=[*TOTALS, "revision"])
    if row.total != total:
        _paid_follow(row, is_less=row.total < total)
    if row.total > total:
        credit_check(row)
    if goods:
        goods_follow(row, goods, expires_at=promised_until(row))
        allocated_follow(row)
    if row.has_charges:
        promotions_give_back(row, timezone.now(), idle=True)
    return changed


def _refuse_picked(row: SalesOrder) -> None:
    if row.held_from == Status.PICKING:
        raise Conflict(
            f"Goods of {row.number} are being picked: cancel its pick list to change its lines.", code="already_picked",
        )


def promised_until(row: SalesOrder) -> Any:
    """For goods that are promised now; without an end once the order is confirmed or held."""
    minutes = row.channel.reservation_minutes
    return timezone.now() + timedelta(minutes=minutes) if minutes and row.status == Status.PLACED else None


def _paid_follow(row: SalesOrder, *, is_less: bool) -> None:
    if row.payment_status == SalesOrder.PaymentStatus.UNPAID and row.total > row.credited_total:
        return
    if is_less and row.paid_total and (over := -balance(row)) > 0:
        raise Conflict(
            f"The customer has paid {over.normalize():f} {row.currency} more than it would cost: give that back first.",
            code="paid",
        )
    sales_order_paid_follow(order=row)


def _columns(row: SalesOrder, values: Mapping[str, Any]) -> list[str]:
    changed = sorted(name for name, value in values.items() if value != getattr(row, name))
    if fixed := [name.removesuffix("_id") for name in changed if name not in COLUMNS]:
        raise Conflict(
            f"{', '.join(fixed).capitalize()} of an order that is placed cannot change: cancel it, and order anew.",
            code="fixed_once_placed",
        )
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return changed


def _lines(row: SalesOrder, wanted: Sequence[NewLine] | None, *, is_sent_anew: bool) -> dict[SalesOrderItem, Decimal]:
    """Writes them; those of which more or less is to be promised now, with how much. Without new ones, taxes alone follow."""
    whole = list(row.lines.order_by("line"))
    before, components = [line for line in whole if line.kit_id is None], by_kit(whole)
    quantities = {line.pk: line.quantity for line in whole}
    amounts = [(line.net_amount, line.tax_amount) for line in before]
    last = max(line.line for line in whole)
    kept, made, gone = (before, [], []) if wanted is None else _changed(row, before, wanted, components, last)
    price(row, [*kept, *made], kept=set(kept))
    goods, gone_goods = _components(kept, components), [one for line in gone for one in components.get(line.pk, ())]
    for line in [*kept, *goods]:
        line.allocated_quantity = min(line.allocated_quantity, line.quantity - line.cancelled_quantity)
    SalesOrderItem.objects.bulk_update([*kept, *goods], OF_LINES)
    opened = components_of(made, first=last + len(made) + 1)
    SalesOrderItem.objects.bulk_create([*made, *opened])
    goods += opened
    lines_forget(row, gone_goods)
    lines_forget(row, gone)
    charged, charges = charges_write(row, [*kept, *made], is_placed=not is_sent_anew)
    totals_change(
        row, [*amounts, *charged], [*((line.net_amount, line.tax_amount) for line in [*kept, *made]), *charges],
    )
    wants = {
        line: line.quantity - line.cancelled_quantity - line.shipped_quantity for line in [*kept, *made, *goods]
        if quantities.get(line.pk) != line.quantity and not line.sold_by_components
    }
    return {**dict.fromkeys([*gone, *gone_goods], Decimal(0)), **wants}


def _components(
    kept: Sequence[SalesOrderItem], components: Mapping[UUID, Sequence[SalesOrderItem]],
) -> list[SalesOrderItem]:
    """As many as there are kits now: what was in one stays in one."""
    found = []
    for kit in kept:
        for line in components.get(kit.pk, ()):
            line.backorder_policy, line.vehicle_model_id = kit.backorder_policy, kit.vehicle_model_id
            line.quantity = kit.quantity * (line.per_kit or 0)
            found.append(line)
    return found


def _changed(
    row: SalesOrder, before: Sequence[SalesOrderItem], wanted: Sequence[NewLine],
    components: Mapping[UUID, Sequence[SalesOrderItem]], last: int,
) -> tuple[list[SalesOrderItem], list[SalesOrderItem], list[SalesOrderItem]]:
    """Kept as they are to be, new, and gone. Raises Conflict where less would be ordered than was picked or invoiced."""
    lines_check(wanted)
    if not wanted:
        raise Invalid("An order has lines: cancel it if nothing is wanted.", fields={"lines": "empty"})
    pairs = _pairs(before, wanted)
    gone = [line for line in before if line.pk not in pairs]
    for line in before:
        begun = line.picked_quantity + line.cancelled_quantity
        least = max(begun, kits_begun(components.get(line.pk, ())), line.invoiced_quantity)
        left = pairs[line.pk].quantity if line.pk in pairs else Decimal(0)
        if left < least:
            raise Conflict(
                f"{least.normalize():f} of {line.sku} are picked or invoiced: order no less than that.", code="already_picked",
            )
    billed_refuse(gone)
    kept = [line for line in before if line.pk in pairs]
    for line in kept:
        if line.sold_by_components:
            whole_or_refused(line.sku, pairs[line.pk].quantity, wanted.index(pairs[line.pk]))
        _follow(line, pairs[line.pk])
    paired = {id(line) for line in pairs.values()}
    new = [line for line in wanted if id(line) not in paired]
    return kept, items(row, new, first=last + 1), gone


def _pairs(before: Sequence[SalesOrderItem], wanted: Sequence[NewLine]) -> dict[UUID, NewLine]:
    """By line that is there, what is wanted of it: the one that names it, else the first one of its variant."""
    rows = {line.pk: line for line in before}
    known_or_refused(rows, wanted)
    pairs = {line.id: line for line in wanted if line.id}
    for number, line in enumerate(wanted):
        if line.id and rows[line.id].variant_id != line.variant_id:
            detail = "A line keeps its variant: leave it out, and add one without an id."
            raise Invalid(detail, fields={f"lines/{number}/variant": detail})
        if not line.id and (key := next(
            (row.pk for row in before if row.pk not in pairs and row.variant_id == line.variant_id), None,
        )):
            pairs[key] = line
    return pairs


def _follow(line: SalesOrderItem, wanted: NewLine) -> None:
    line.quantity, line.discount = wanted.quantity, wanted.discount
    line.vehicle_model_id, line.backorder_policy = wanted.vehicle_model_id, wanted.backorder_policy
    asked = (wanted.unit_price, wanted.includes_tax)
    if wanted.unit_price is not None and asked != (line.unit_price, line.includes_tax):
        line.unit_price, line.includes_tax = wanted.unit_price, wanted.includes_tax
        line.price_agreed, line.price_reason = True, AGREED


def _adjusted(row: SalesOrder) -> list[Any]:
    return sorted(row.adjustments.filter(source_type="").values_list("kind", "label", "net_amount", "tax_rate", "tax_amount"))

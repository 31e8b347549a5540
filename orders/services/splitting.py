"""One order becomes two, each with its goods and its money: both together are what the one was.

The order is locked first, then the stock, and last the number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from uuid import UUID

from accounts.queries.rates import DIGITS, minor_unit
from accounts.services.documents import number_next
from core.errors import Conflict, Invalid
from inventory.services.handing_over import Handed, demand_hand_over
from inventory.services.reservations import Demand
from orders.events import OrderConfirmed, OrderPlaced, OrderSplit
from orders.machines import SALES_ORDERS
from orders.models import OrderAdjustment, SalesOrder, SalesOrderItem
from orders.queries.kits import AS_SHOWN, by_kit
from orders.services.discount_shares import PROMOTION, over, weight_of
from orders.services.kits import in_components, kits_begun, whole_or_refused
from orders.services.order_follows import order_needs_no_more
from orders.services.order_lines import TOTALS, totals_change
from orders.services.order_telling import order_line, parts
from orders.services.payment_settling import status_unpaid
from orders.services.promising import DOCUMENT, allocated_follow
from orders.services.promotion_uses import promotions_share
from orders.services.sales_orders import NUMBERS, locked
from orders.services.stepping import allow, step, told
from orders.services.stopping import billed_refuse, lines_forget, picks_stop

COPIED = (
    "channel_id", "customer_id", "warehouse_id", "email", "currency", "shipping_address", "billing_address", "requested_on",
    "note", "custom_fields", "shipping_method_id",
)
OF_LINE = (
    "line", "variant_id", "sku", "name", "vehicle_model_id", "unit_price", "includes_tax", "tax_rate", "price_agreed",
    "price_reason", "backorder_policy", "sold_by_components", "per_kit", "kit_share",
)
MONEY = ("discount", "net_amount", "tax_amount", "promotion_discount")
Status, PaymentStatus = SalesOrder.Status, SalesOrder.PaymentStatus


@dataclass(frozen=True, slots=True)
class Split:
    """Of a line, what goes to the new order; without a quantity, all that is not picked."""

    line_id: UUID
    quantity: Decimal | None = None


def sales_order_split(*, order: SalesOrder, lines: Sequence[Split] = ()) -> SalesOrder:
    """The new order, with these lines; without any, with all that waits for goods, so that the rest can go now.

    Discounts are shared by what the goods are worth, promotions by what they take off them; shipping and surcharges stay with
    the old one.
    """
    row = locked(order)
    allow(SALES_ORDERS, row, "split")
    if row.payment_status != PaymentStatus.UNPAID and (row.total or row.paid_total):
        raise Conflict("This order is paid for as one: void or refund the payment, then split it.", code="already_paid")
    whole = list(row.lines.order_by("line"))
    old = [line for line in whole if line.kit_id is None]
    moved = _moved(old, by_kit(whole), lines)
    moved |= in_components({kit.pk: quantity for kit, quantity in moved.items() if kit.sold_by_components}, whole)
    made: SalesOrder = SalesOrder.objects.create(
        **{name: getattr(row, name) for name in COPIED}, **dict.fromkeys(TOTALS, Decimal(0)),
    )
    _share(row, made, old, moved)
    made = locked(made)
    number = _begin(row, made)
    step(
        SALES_ORDERS, row, "split", target=row.status, note=f"Split: the rest is {number}",
        payment_status=status_unpaid(row.total - row.credited_total),
    )
    told(SALES_ORDERS, "split", OrderSplit(
        **parts(row), into=made.pk, into_number=number, net_total=row.net_total, tax_total=row.tax_total, total=row.total,
        lines=[order_line(line) for line in row.lines.order_by(*AS_SHOWN)],
    ), aggregate_id=row.pk)
    order_needs_no_more(row)
    return made


def _moved(
    old: Sequence[SalesOrderItem], components: Mapping[UUID, Sequence[SalesOrderItem]], wanted: Sequence[Split],
) -> dict[SalesOrderItem, Decimal]:
    """By line, how much. Raises Conflict where nothing is left, or nothing goes."""
    rows = {line.pk: line for line in old}
    if not wanted:
        moved = {line: _waiting(line) for line in old}
        moved = {line: quantity for line, quantity in moved.items() if quantity > 0}
        if not moved:
            raise Conflict("No line waits for goods and is not invoiced: say which lines go.", code="nothing_waits")
    else:
        moved = {}
        for number, one in enumerate(wanted):
            line = rows.pop(one.line_id, None)
            if line is None:
                detail = "This order has no such line, or it is named twice."
                raise Invalid(detail, code="does_not_exist", fields={f"lines/{number}/line": detail})
            moved[line] = _quantity(line, kits_begun(components.get(line.pk, ())), one.quantity, number)
            if line.sold_by_components:
                whole_or_refused(line.sku, moved[line], number)
    if all(moved.get(line, Decimal(0)) >= line.quantity - line.cancelled_quantity for line in old):
        raise Conflict("Nothing would be left of this order: leave some of it.", code="nothing_left")
    billed_refuse([line for line, quantity in moved.items() if quantity == line.quantity])
    return moved


def _waiting(line: SalesOrderItem) -> Decimal:
    """What is invoiced stays. Kits go whole."""
    waits: Decimal = line.quantity - max(line.cancelled_quantity + line.allocated_quantity, line.invoiced_quantity)
    return waits // 1 if line.sold_by_components else waits


def _quantity(line: SalesOrderItem, begun: Decimal, wanted: Decimal | None, number: int) -> Decimal:
    """`begun`: of how many kits something is picked."""
    free: Decimal = line.quantity - max(line.picked_quantity + line.cancelled_quantity, begun, line.invoiced_quantity)
    quantity = free if wanted is None else wanted
    if not 0 < quantity <= free:
        detail = f"Up to {free.normalize():f} of {line.sku} can go to another order: what is picked or invoiced stays."
        raise Invalid(detail, fields={f"lines/{number}/quantity": detail})
    return quantity


def _share(row: SalesOrder, made: SalesOrder, old: Sequence[SalesOrderItem], moved: Mapping[SalesOrderItem, Decimal]) -> None:
    """Lines, reservations, discounts and totals."""
    unit = minor_unit(row.currency)
    before = [(line.net_amount, line.tax_amount) for line in moved]
    new = [_line(made, line, quantity, unit) for line, quantity in moved.items()]
    twins = {line.pk: one for line, one in zip(moved, new, strict=True)}
    for line, one in zip(moved, new, strict=True):
        one.kit = twins[line.kit_id] if line.kit_id else None
    SalesOrderItem.objects.bulk_create(new)
    demand_hand_over(demand=Demand(DOCUMENT, row.pk), to=Demand(DOCUMENT, made.pk), lines=[
        Handed(line.pk, one.pk, one.quantity) for line, one in zip(moved, new, strict=True)
    ])
    kept = [line for line in moved if line.quantity]
    SalesOrderItem.objects.bulk_update(kept, ["quantity", "allocated_quantity", *MONEY])
    picks_stop(row)
    gone = [line for line in moved if not line.quantity]
    lines_forget(row, [line for line in gone if line.kit_id])
    lines_forget(row, [line for line in gone if not line.kit_id])
    discounts: list[OrderAdjustment] = list(row.adjustments.filter(kind=OrderAdjustment.Kind.DISCOUNT).order_by("pk"))
    taken = [(one.net_amount, one.tax_amount) for one in discounts]
    others = [_discount(made, one, _worth(new, one), _worth([*new, *old], one), unit) for one in discounts]
    _level(row.total, new, discounts, others, unit)
    promotions_share(row, made, _promoted(discounts, others))
    OrderAdjustment.objects.bulk_update(discounts, ["net_amount", "tax_amount"])
    OrderAdjustment.objects.bulk_create(others)
    totals_change(row, [*before, *taken], _amounts(kept, discounts))
    totals_change(made, [], _amounts(new, others))
    row.save(update_fields=TOTALS)
    made.save(update_fields=TOTALS)
    allocated_follow(row)
    allocated_follow(made)


def _level(
    whole: Decimal, new: Sequence[SalesOrderItem], kept: Sequence[OrderAdjustment], gone: Sequence[OrderAdjustment],
    unit: Decimal,
) -> None:
    """Neither order is worth less than nothing because goods and discounts are rounded apart."""
    total = sum((net + tax for net, tax in _amounts(new, gone)), Decimal(0))
    off = over(total, whole, 2 * (len(new) + len(gone)) * unit)
    for one, other in zip(kept, gone, strict=True):
        if off and (one if off > 0 else other).net_amount <= -abs(off):
            one.net_amount, other.net_amount, off = one.net_amount + off, other.net_amount - off, Decimal(0)


def _worth(lines: Iterable[SalesOrderItem], discount: OrderAdjustment) -> Decimal:
    return sum((weight_of(line, discount) for line in lines), Decimal(0))


def _promoted(kept: Iterable[OrderAdjustment], gone: Iterable[OrderAdjustment]) -> dict[UUID, tuple[Decimal, Decimal]]:
    """By promotion, what it takes off the one order and off the other, with tax."""
    found: dict[UUID, tuple[Decimal, Decimal]] = {}
    for one, other in zip(kept, gone, strict=True):
        if one.source_type == PROMOTION and one.source_id:
            here, there = found.get(one.source_id, (Decimal(0), Decimal(0)))
            found[one.source_id] = (here - one.net_amount - one.tax_amount, there - other.net_amount - other.tax_amount)
    return found


def _amounts(lines: Sequence[SalesOrderItem], others: Sequence[OrderAdjustment]) -> list[tuple[Decimal, Decimal]]:
    return [
        *((line.net_amount, line.tax_amount) for line in lines), *((one.net_amount, one.tax_amount) for one in others),
    ]


def _line(made: SalesOrder, line: SalesOrderItem, quantity: Decimal, unit: Decimal) -> SalesOrderItem:
    """What goes, and the line loses."""
    one = SalesOrderItem(order=made, quantity=quantity, **{name: getattr(line, name) for name in OF_LINE})
    for name in MONEY:
        setattr(one, name, share(getattr(line, name), quantity, line.quantity, unit))
        setattr(line, name, getattr(line, name) - getattr(one, name))
    line.quantity -= quantity
    line.allocated_quantity = min(line.allocated_quantity, line.quantity - line.cancelled_quantity)
    return one


def _discount(made: SalesOrder, one: OrderAdjustment, goes: Decimal, worth: Decimal, unit: Decimal) -> OrderAdjustment:
    other = OrderAdjustment(
        order=made, kind=one.kind, label=one.label, tax_rate=one.tax_rate, source_type=one.source_type, source_id=one.source_id,
        net_amount=share(one.net_amount, goes, worth, unit), tax_amount=share(one.tax_amount, goes, worth, unit),
    )
    one.net_amount -= other.net_amount
    one.tax_amount -= other.tax_amount
    return other


def share(amount: Decimal, part: Decimal, whole: Decimal, unit: Decimal) -> Decimal:
    """Rounded once; the rest of the amount is the other's."""
    with localcontext(prec=DIGITS):
        return (amount * part / whole).quantize(unit, ROUND_HALF_UP) if whole else Decimal(0)


def _begin(row: SalesOrder, made: SalesOrder) -> str:
    """The new one stands where the old one does, with its place among those who wait; answers its number."""
    number = number_next(document_type=DOCUMENT, first=NUMBERS)
    step(
        SALES_ORDERS, made, "place", note=f"Split from {row.number}", number=number, placed_at=row.placed_at,
        payment_status=status_unpaid(made.total),
    )
    told(SALES_ORDERS, "place", OrderPlaced(
        **parts(made), currency=made.currency, net_total=made.net_total, tax_total=made.tax_total, total=made.total,
        lines=[order_line(line) for line in made.lines.order_by(*AS_SHOWN)],
    ), aggregate_id=made.pk)
    if row.status == Status.CONFIRMED:
        step(SALES_ORDERS, made, "confirm")
        told(SALES_ORDERS, "confirm", OrderConfirmed(**parts(made)), aggregate_id=made.pk)
    return number

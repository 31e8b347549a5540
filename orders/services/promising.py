"""What an order needs before it is one: goods that are promised to it, and a customer who may owe that much."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import Organization
from accounts.queries.rates import convert
from core.arrays import array
from core.errors import Conflict
from core.fields import MoneyField
from core.kept import Beside, Kept, send_alone
from core.tenancy import active_organization_id
from inventory.models import Reservation
from inventory.services.candidates import Wanted
from inventory.services.locks import lock_ahead
from inventory.services.reservations import Demand, Shortage, demand_keep, stock_release, stock_reserve
from orders.models import Customer, SalesOrder, SalesOrderItem
from orders.services.kits import in_kits

DOCUMENT = "sales_order"
ZERO = Decimal(0)
Policy = SalesOrderItem.BackorderPolicy
PaymentStatus, Status = SalesOrder.PaymentStatus, SalesOrder.Status

# To lines of an order that is about to be placed.
ALLOCATED = Kept("allocated_first", """
    UPDATE orders_salesorderitem AS i SET allocated_quantity = a.quantity
    FROM unnest(%s::uuid[], %s::numeric[]) AS a(id, quantity)
    WHERE i.organization_id = %s::uuid AND i.id = a.id
""")

# What is allocated was shipped or lies reserved, picked or not: goods are issued as they are shipped. What waits is neither.
# Of an order of an organization, by line.
GOODS = f"""
    SELECT l.id, l.allocated_quantity AS said, l.shipped_quantity + COALESCE(sum(r.quantity - r.picked_quantity), 0) AS allocated
    FROM orders_salesorderitem AS l
    LEFT JOIN inventory_reservation AS r ON r.organization_id = l.organization_id AND r.demand_id = l.order_id
        AND r.demand_line_id = l.id AND r.demand_type = '{DOCUMENT}' AND r.status = 'active' AND r.stock_item_id IS NOT NULL
    WHERE l.organization_id = {{organization}} AND l.order_id = {{order}} AND NOT l.sold_by_components
    GROUP BY l.id, l.allocated_quantity, l.shipped_quantity
"""
FOLLOW = Kept("allocated", f"""
    UPDATE orders_salesorderitem AS i
    SET allocated_quantity = found.allocated, picked_quantity = LEAST(i.picked_quantity, found.allocated)
    FROM ({GOODS.format(organization="%s::uuid", order="%s::uuid")}) AS found
    WHERE i.organization_id = %s::uuid AND i.id = found.id AND i.allocated_quantity <> found.allocated
""")


def unfollowed(order: str) -> str:
    """Of an event e about the goods of a demand, which is in SQL `order`: whether that is an order whose lines say something
    else than the inventory. Its own verbs have seen to it.
    """
    goods = GOODS.format(organization="e.organization_id", order=order)
    return f"(e.payload ->> 'demand_type' = '{DOCUMENT}' AND EXISTS (SELECT FROM ({goods}) AS g WHERE g.said <> g.allocated))"


def goods_promise(
    order: SalesOrder, wanted: Mapping[SalesOrderItem, Decimal], *, expires_at: datetime | None, waits_for_others: bool = True,
) -> dict[SalesOrderItem, Decimal]:
    """What each line has got; of kits their components have it, as whole kits. Who holds stock items already does not wait for
    others, as in `stock_reserve`. Raises Conflict where goods are short for a line that may not wait for them.
    """
    wanted = {line: quantity for line, quantity in wanted.items() if not line.sold_by_components}
    if not wanted:
        return {}
    lines = list(wanted)
    waiting = {number for number, line in enumerate(lines) if waits(order, line)}
    demand = Demand(DOCUMENT, order.pk, expires_at)
    goods = [
        Wanted(line.variant_id, order.warehouse_id, quantity, demand_line_id=line.pk, in_sets=in_kits(line))
        for line, quantity in wanted.items()
    ]
    if not waiting or len(waiting) == len(lines):
        shortage = Shortage.BACKORDER if waiting else Shortage.REFUSE
        return _got(wanted, stock_reserve(lines=goods, demand=demand, shortage=shortage, waits=waits_for_others).short)
    with transaction.atomic():  # who of them is short is known afterwards
        short = stock_reserve(lines=goods, demand=demand, shortage=Shortage.BACKORDER, waits=waits_for_others).short
        if missing := {number: short[number] for number in short if number not in waiting}:
            words = "; ".join(f"{quantity.normalize():f} of {lines[number].sku}" for number, quantity in missing.items())
            raise Conflict(f"There is not enough stock: missing are {words}.", code="insufficient_stock")
    return _got(wanted, short)


def _got(wanted: Mapping[SalesOrderItem, Decimal], short: Mapping[int, Decimal]) -> dict[SalesOrderItem, Decimal]:
    return {line: quantity - short.get(number, ZERO) for number, (line, quantity) in enumerate(wanted.items())}


def goods_keep(order: SalesOrder) -> None:
    """What is promised stays so, without an end; what was given up meanwhile is promised anew."""
    if missing := _missing(order):
        _lock_ahead(order, missing)
    if not demand_keep(demand=Demand(DOCUMENT, order.pk)) or missing:
        missing = _missing(order)
    goods_promise(order, missing, expires_at=None, waits_for_others=False)


def _missing(order: SalesOrder) -> dict[SalesOrderItem, Decimal]:
    """What is open of each line, and neither promised nor waits."""
    active = Reservation.objects.filter(demand_type=DOCUMENT, demand_id=order.pk, status=Reservation.Status.ACTIVE)
    held = {
        row["demand_line_id"]: row["whole"] - row["picked"]
        for row in active.values("demand_line_id").annotate(whole=Sum("quantity"), picked=Sum("picked_quantity"))
    }
    return {
        line: left for line in order.lines.filter(sold_by_components=False).order_by("line")
        if (left := line.quantity - line.cancelled_quantity - line.shipped_quantity - held.get(line.pk, 0)) > 0
    }


def _lock_ahead(order: SalesOrder, wanted: Iterable[SalesOrderItem]) -> None:
    """What the order has of all its goods, and all places of what it wants, before any of it changes."""
    lock_ahead(demand=order.pk, whole={(line.variant_id, order.warehouse_id) for line in wanted})


def goods_follow(order: SalesOrder, wanted: Mapping[SalesOrderItem, Decimal], *, expires_at: datetime | None) -> None:
    """Each of these lines has as much promised as is wanted of it, no more: what waits is given up first, then the newest."""
    active = Reservation.objects.filter(
        demand_type=DOCUMENT, demand_id=order.pk, demand_line_id__in=[line.pk for line in wanted],
        status=Reservation.Status.ACTIVE,
    )
    held: dict[UUID, list[Reservation]] = defaultdict(list)
    for one in active.order_by(F("stock_item").asc(nulls_first=True), "-pk"):
        held[one.demand_line_id].append(one)
    ended, more = [], {}
    for line, whole in wanted.items():
        missing = whole - sum((one.quantity - one.picked_quantity for one in held[line.pk]), ZERO)
        for one in held[line.pk]:
            if missing < 0:
                missing += one.quantity - one.picked_quantity
                ended.append(one.pk)
        if missing > 0:
            more[line] = missing
    if ended and more:
        _lock_ahead(order, more)
    if ended:
        stock_release(reservations=ended)
    goods_promise(order, more, expires_at=expires_at, waits_for_others=not ended)


def waits(order: SalesOrder, line: SalesOrderItem) -> bool:
    if line.backorder_policy == Policy.CHANNEL:
        return bool(order.channel.backorders)
    return bool(line.backorder_policy == Policy.WAIT)


def allocated_follow(order: SalesOrder) -> None:
    """The lines say how much is really promised to them."""
    send_alone([allocated(order)])


def allocated(order: SalesOrder) -> Beside:
    """The same, to go along with another statement, which writes neither the lines nor what is reserved."""
    organization = active_organization_id()
    return Beside(FOLLOW, [organization, order.pk, organization])


def allocated_first(got: Mapping[SalesOrderItem, Decimal]) -> list[Beside]:
    """The same of an order that is placed, which has what it has just got."""
    filled = {line.pk: quantity for line, quantity in got.items() if quantity}
    if not filled:
        return []
    return [Beside(ALLOCATED, [array(filled), array(filled.values()), active_organization_id()])]


def credit_check(order: SalesOrder) -> None:
    """Raises Conflict if the order is more than its customer may owe. Who has a limit orders one after the other."""
    if order.customer is None or order.customer.credit_limit is None:
        return
    limit = Customer.objects.select_for_update(no_key=True).values_list("credit_limit", flat=True).get(pk=order.customer_id)
    if limit is None:
        return
    owed = dict(
        SalesOrder.objects.filter(customer=order.customer_id).exclude(pk=order.pk)
        .exclude(status__in=[Status.DRAFT, Status.CANCELLED])
        .exclude(payment_status__in=[PaymentStatus.PAID, PaymentStatus.REFUNDED]).order_by()
        .values_list("currency").annotate(open=Sum(Greatest(
            F("total") - F("credited_total") - F("paid_total") + F("refunded_total"), ZERO, output_field=MoneyField(),
        )))
    )
    own = Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id())
    today = timezone.localdate()
    here = order.total - order.credited_total - order.paid_total + order.refunded_total
    owed[order.currency] = owed.get(order.currency, ZERO) + here
    whole = sum((convert(amount, currency, own, today) for currency, amount in owed.items()), ZERO)
    if whole > limit:
        code = order.customer.code
        raise Conflict(
            f"Customer {code} would owe {whole.normalize():f} {own}, and may owe {limit.normalize():f}: let them pay what is"
            " open, or raise the limit.", code="over_credit_limit",
        )

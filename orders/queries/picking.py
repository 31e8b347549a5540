"""A round with a pick list: where one stands, and what is to be packed after it."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from inventory.models import Reservation
from orders.models import PickList, PickListItem, SalesOrder, Shipment, ShipmentItem

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stop:
    """A line of the list."""

    line: PickListItem

    @property
    def order(self) -> SalesOrder:
        order: SalesOrder = self.line.order_item.order
        return order

    @property
    def left(self) -> Decimal:
        return self.line.quantity - self.line.picked_quantity - self.line.short_quantity

    @property
    def is_wanted(self) -> bool:
        """Whether somebody may pick it now: its order needs it, and is not held."""
        line = self.line
        is_reserved = line.is_open and line.reservation.status == Reservation.Status.ACTIVE
        return is_reserved and self.order.status in SalesOrder.UNDER_WAY

    @property
    def is_next(self) -> bool:
        return self.left > 0 and self.is_wanted


def stops(pick_list: PickList) -> list[Stop]:
    """In the order in which one passes them."""
    rows = pick_list.lines.select_related(
        "order_item__order__customer__party", "order_item__kit", "reservation", "variant", "lot", "stock_item__location",
    )
    return [Stop(line) for line in rows.order_by("line")]


@dataclass(frozen=True, slots=True)
class ToPack:
    """Goods of a line of an order, perhaps of a lot, that the list took from the shelves and that have not left."""

    line: PickListItem
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderToPack:
    order: SalesOrder
    goods: list[ToPack]
    shipment: Shipment | None  # one that is begun, and goes first


def to_pack(pick_list: PickList) -> list[OrderToPack]:
    """By order, the first picked first. An order that is held, or over, is none of them."""
    rows = [stop for stop in stops(pick_list) if stop.line.picked_quantity > 0 and stop.order.status in SalesOrder.LEAVING]
    orders = {stop.order.pk: stop.order for stop in rows}
    begun: dict[UUID, Shipment] = {}
    for shipment in Shipment.objects.filter(order__in=orders, status__in=Shipment.OPEN).order_by("-pk"):
        begun[shipment.order_id] = shipment
    left = _left({stop.line.reservation_id for stop in rows})
    goods: dict[UUID, list[ToPack]] = defaultdict(list)
    for stop in rows:
        if (quantity := stop.line.picked_quantity - left.get(stop.line.reservation_id, ZERO)) > 0:
            goods[stop.order.pk].append(ToPack(stop.line, quantity))
    return [OrderToPack(orders[key], found, begun.get(key)) for key, found in goods.items()]


def _left(reservations: set[UUID]) -> dict[UUID, Decimal]:
    """How much of each has left the warehouse."""
    found = ShipmentItem.objects.filter(reservation__in=reservations, shipment__status__in=Shipment.LEFT)
    return dict(found.order_by().values_list("reservation").annotate(whole=Sum("quantity")))

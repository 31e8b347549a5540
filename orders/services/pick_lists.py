"""Pick lists: what is reserved for orders is taken from its places, in the order in which one passes them.

The stock stays where the books have it until a shipment leaves: what is picked counts in the lines of the orders. Orders are
locked first, by id, then the list, then the stock: who has an order has its lines of all lists.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Max, Sum
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from accounts.models import Membership
from accounts.services.documents import number_next
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id, active_scope
from inventory.models import Lot, ProductVariant, Reservation
from inventory.services.reservations import demands_keep
from inventory.services.reserving_elsewhere import reservation_elsewhere
from notifications.services.events import publish
from orders import events_picking as events
from orders.machines import PICK_LISTS, SALES_ORDERS
from orders.models import PickList, PickListItem, SalesOrder, SalesOrderItem, Shipment, ShipmentItem
from orders.queries.to_pick import to_pick, waiting_to_be_picked
from orders.services.order_picking import picking_follows, picking_start
from orders.services.promising import DOCUMENT, allocated_follow
from orders.services.stepping import allow, refusal, step, told

DOCUMENT_TYPE = "pick_list"
NUMBERS = "PL-{number:06}"
MOST_ORDERS = 100

# What was picked by a list that is canceled is on its shelf again, unless it is packed.
PUT_BACK = """
    UPDATE orders_salesorderitem AS l
    SET picked_quantity = LEAST(l.picked_quantity, GREATEST(l.picked_quantity - b.quantity, l.shipped_quantity + COALESCE((
        SELECT sum(i.quantity) FROM orders_shipmentitem AS i
        JOIN orders_shipment AS s ON s.organization_id = i.organization_id AND s.id = i.shipment_id
        WHERE i.organization_id = l.organization_id AND i.order_item_id = l.id AND s.status = 'packed'), 0)))
    FROM (
        SELECT order_item_id AS id, sum(picked_quantity) AS quantity FROM orders_picklistitem
        WHERE organization_id = %(organization)s AND pick_list_id = %(list)s AND picked_quantity > 0 GROUP BY order_item_id
    ) AS b
    WHERE l.organization_id = %(organization)s AND l.id = b.id
"""


def pick_list_create(
    *, warehouse_id: UUID | None = None, orders: Collection[UUID] | None = None, assignee_id: UUID | None = None,
) -> PickList:
    """Of all that is reserved for these orders of one warehouse, and neither picked nor on another list. It stays reserved.

    Without orders, of those of the warehouse that were placed first. Raises Conflict where there is nothing, or an order is not
    to be picked.
    """
    _check_member(assignee_id)
    if orders is None:
        if warehouse_id is None:
            detail = "Name orders, or a warehouse."
            raise Invalid(detail, fields={"orders": detail})
        orders = waiting_to_be_picked(warehouse_id, MOST_ORDERS)
        if not orders:
            raise nothing_to_pick()
    rows = _chosen(set(orders), warehouse_id)
    keys = [row.pk for row in rows]
    demands_keep(type=DOCUMENT, ids=keys)
    found = to_pick(keys)
    if not found:
        raise nothing_to_pick()
    number = number_next(document_type=DOCUMENT_TYPE, first=NUMBERS)
    made: PickList = PickList.objects.create(warehouse_id=rows[0].warehouse_id, assignee_id=assignee_id, number=number)
    PickListItem.objects.bulk_create([
        PickListItem(pick_list=made, line=number, **one._asdict()) for number, one in enumerate(found)
    ])
    publish(events.PickListCreated(**_news(made), orders=keys), aggregate_id=made.pk)
    return made


def pick_list_assign(*, pick_list: PickList, assignee_id: UUID | None) -> PickList:
    """To a member, or to nobody in particular."""
    row = _locked_list(pick_list)
    if row.status in PickList.OVER:
        raise refusal(PICK_LISTS, row.status, "assign")
    _check_member(assignee_id)
    row.assignee_id = assignee_id
    row.save(update_fields=["assignee"])
    return row


def pick_list_start(*, pick_list: PickList) -> PickList:
    """By who is assigned, else by who starts it. Its orders are being picked from now on."""
    orders = _orders_of(pick_list)
    row = _locked_list(pick_list)
    allow(PICK_LISTS, row, "start")
    taken = {} if row.assignee_id else {"assignee": Membership.objects.filter(user_id=active_scope().origin.actor_id).first()}
    step(PICK_LISTS, row, "start", started_at=timezone.now())
    if taken.get("assignee"):
        row.assignee = taken["assignee"]
        row.save(update_fields=["assignee"])
    still = set(row.lines.filter(is_open=True).values_list("order_item__order", flat=True))
    for order in orders:
        if order.pk in still and order.status in SalesOrder.WAITING:
            picking_start(order)
    told(PICK_LISTS, "start", events.PickListStarted(**_news(row)), aggregate_id=row.pk)
    return row


def pick_list_pick(
    *, pick_list: PickList, line_id: UUID, quantity: Decimal | None = None, variant_id: UUID | None = None,
    lot_id: UUID | None = None, step: str = "",
) -> PickList:
    """All of the line that is open, unless told. `variant_id` and `lot_id` are what was scanned.

    What is sent twice with the same `step` counts once. Raises Conflict for other goods than those of the line.
    """
    order, row, line = _line(pick_list, line_id, "pick")
    if step and line.last_step == step:
        return row
    _check_scanned(line, variant_id, lot_id)
    quantity = _open_of(line, quantity)
    line.last_step = step
    _take(order, row, line, quantity)
    return row


def pick_list_put_back(*, pick_list: PickList, line_id: UUID, quantity: Decimal | None = None, step: str = "") -> PickList:
    """Of the line all that was picked, unless told, is at its place again, to be picked. Raises Conflict for what is packed."""
    order, row, line = _line(pick_list, line_id, "put_back")
    if step and line.last_step == step:
        return row
    quantity = line.picked_quantity if quantity is None else quantity
    if not 0 < quantity <= line.picked_quantity:
        raise Conflict(
            f"Of this line {_number(line.picked_quantity)} are picked, not {_number(quantity)}.", code="more_than_picked",
        )
    if _in_shipments(line, Shipment.Status.PACKED, *Shipment.LEFT) > line.picked_quantity - quantity:
        raise Conflict("These goods are packed: reopen their shipment first.", code="in_shipment")
    line.picked_quantity, line.last_step = line.picked_quantity - quantity, step
    line.save(update_fields=["picked_quantity", "last_step"])
    SalesOrderItem.objects.filter(pk=line.order_item_id).update(picked_quantity=Greatest(F("picked_quantity") - quantity, 0))
    told(PICK_LISTS, "put_back", events.PickListPutBack(**_goods(order, row, line, quantity)), aggregate_id=row.pk)
    return row


def pick_list_pick_rest(*, pick_list: PickList) -> PickList:
    """All lines that are open, of orders that may be picked."""
    orders = {order.pk: order for order in _orders_of(pick_list)}
    row = _locked_list(pick_list)
    allow(PICK_LISTS, row, "pick")
    for line in _unfinished(row):
        order = orders[line.order_item.order_id]
        if order.status in SalesOrder.WAITING:
            picking_start(order)
        _take(order, row, line, _open_of(line, None))
    return row


def pick_list_short(
    *, pick_list: PickList, line_id: UUID, reason: str, quantity: Decimal | None = None, step: str = "",
) -> PickList:
    """So much of the line is not there: all that is open, unless told.

    It is reserved from another place, which is a new line at the end, or waits as a back-order.
    """
    if not reason.strip():
        raise Invalid("Say why it is short.", fields={"reason": "missing"})
    order, row, line = _line(pick_list, line_id, "short")
    if step and line.last_step == step:
        return row
    quantity = _open_of(line, quantity)
    _check_shipments(line, quantity)
    reserved = reservation_elsewhere(reservation_id=line.reservation_id, quantity=quantity)
    line.short_quantity += quantity
    line.short_reason, line.last_step = reason, step
    line.save(update_fields=["short_quantity", "short_reason", "last_step"])
    found = _added(row, line, reserved.reservations)
    allocated_follow(order)
    told(PICK_LISTS, "short", events.PickListShort(
        **_goods(order, row, line, quantity), reason=reason, found_elsewhere=found,
    ), aggregate_id=row.pk)
    return row


def pick_list_finish(*, pick_list: PickList) -> PickList:
    """The round is over. Raises Conflict where a line is neither picked nor short, and its order may be picked."""
    orders = _orders_of(pick_list)
    row = _locked_list(pick_list)
    allow(PICK_LISTS, row, "finish")
    if left := _unfinished(row):
        words = ", ".join(f"{_number(_left(line))} of {line.order_item.sku}" for line in left[:5])
        more = f" and {len(left) - 5} more lines" if len(left) > 5 else ""
        raise Conflict(f"Neither picked nor short are {words}{more}.", code="not_all_picked")
    _end(row, orders, "finish")
    told(PICK_LISTS, "finish", events.PickListFinished(**_news(row)), aggregate_id=row.pk)
    return row


def pick_list_cancel(*, pick_list: PickList, reason: str = "") -> PickList:
    """What was picked by it and is not packed goes back on its shelf. All of it stays reserved."""
    orders = _orders_of(pick_list)
    row = _locked_list(pick_list)
    allow(PICK_LISTS, row, "cancel")
    with connection.cursor() as cursor:
        cursor.execute(PUT_BACK, {"organization": active_organization_id(), "list": row.pk})
    _end(row, orders, "cancel", reason)
    told(PICK_LISTS, "cancel", events.PickListCancelled(**_news(row), reason=reason), aggregate_id=row.pk)
    return row


def nothing_to_pick() -> Conflict:
    return Conflict("Nothing is reserved that is neither picked nor on another pick list.", code="nothing_to_pick")


def _chosen(keys: set[UUID], warehouse_id: UUID | None) -> list[SalesOrder]:
    """Locked. Raises Invalid for orders that cannot be on one list, Conflict for one that is not to be picked."""
    if not 1 <= len(keys) <= MOST_ORDERS:
        detail = f"Name 1 to {MOST_ORDERS} orders."
        raise Invalid(detail, fields={"orders": detail})
    rows = _locked_orders(keys)
    if len(rows) != len(keys):
        detail = "There is no such sales order in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"orders": detail})
    if len({row.warehouse_id for row in rows} | ({warehouse_id} if warehouse_id else set())) > 1:
        detail = "A list is of one warehouse: these orders leave from others too."
        raise Invalid(detail, fields={"orders": detail})
    for row in rows:
        if row.status not in SalesOrder.UNDER_WAY:
            status = row.get_status_display().lower()
            raise Conflict(f"{row} is {status}: only orders that are placed and not packed are picked.", code="wrong_status")
    return rows


def _check_member(assignee_id: UUID | None) -> None:
    if assignee_id and not Membership.objects.filter(pk=assignee_id, status=Membership.Status.ACTIVE).exists():
        detail = "There is no such active member in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"assignee": detail})


def _locked_orders(keys: Any) -> list[SalesOrder]:
    return list(SalesOrder.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def _orders_of(pick_list: PickList) -> list[SalesOrder]:
    return _locked_orders(PickListItem.objects.filter(pick_list=pick_list).values("order_item__order"))


def _locked_list(pick_list: PickList) -> PickList:
    row: PickList | None = PickList.objects.select_for_update(no_key=True).filter(pk=pick_list.pk).first()
    if row is None:
        raise NotFound("There is no such pick list.")
    return row


def _line(pick_list: PickList, line_id: UUID, verb: str) -> tuple[SalesOrder, PickList, PickListItem]:
    """With its order, which is being picked, and its list, both locked. Raises Conflict where nobody may pick it now."""
    found = PickListItem.objects.filter(pick_list=pick_list, pk=line_id)
    orders = _locked_orders(found.values("order_item__order"))
    if not orders:
        detail = "This list has no such line."
        raise Invalid(detail, code="does_not_exist", fields={"line": detail})
    [order], row = orders, _locked_list(pick_list)
    allow(PICK_LISTS, row, verb)
    line = found.select_related("order_item", "reservation", "lot").get()
    if not line.is_open or line.reservation.status != Reservation.Status.ACTIVE:
        raise Conflict("The order needs these goods no longer: leave them at their place.", code="not_wanted")
    if order.status not in SalesOrder.UNDER_WAY:
        raise refusal(SALES_ORDERS, order.status, "start_picking")
    if order.status in SalesOrder.WAITING:  # it was held as the list was started
        picking_start(order)
    return order, row, line


def _check_scanned(line: PickListItem, variant_id: UUID | None, lot_id: UUID | None) -> None:
    if variant_id not in (None, line.variant_id):
        sku = ProductVariant.objects.filter(pk=variant_id).values_list("sku", flat=True).first() or "something else"
        raise Conflict(f"That is {sku}: this line wants {line.order_item.sku}.", code="wrong_goods")
    if lot_id not in (None, line.lot_id):
        code = Lot.objects.filter(pk=lot_id).values_list("code", flat=True).first() or "another"
        wanted = f"lot {line.lot.code}" if line.lot else "goods of no lot"
        raise Conflict(f"That is lot {code}: this line wants {wanted} of {line.order_item.sku}.", code="wrong_goods")


def _left(line: PickListItem) -> Decimal:
    return line.quantity - line.picked_quantity - line.short_quantity


def _open_of(line: PickListItem, wanted: Decimal | None) -> Decimal:
    left = _left(line)
    quantity = left if wanted is None else wanted
    if wanted is not None and wanted <= 0:
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
    if not 0 < quantity <= left:
        raise Conflict(f"Of this line {_number(left)} are open, not {_number(quantity)}.", code="more_than_open")
    return quantity


def _take(order: SalesOrder, row: PickList, line: PickListItem, quantity: Decimal) -> None:
    line.picked_quantity += quantity
    line.save(update_fields=["picked_quantity", "last_step"])
    SalesOrderItem.objects.filter(pk=line.order_item_id).update(
        picked_quantity=Least(F("allocated_quantity"), F("picked_quantity") + quantity),
    )
    told(PICK_LISTS, "pick", events.PickListPicked(**_goods(order, row, line, quantity)), aggregate_id=row.pk)


def _check_shipments(line: PickListItem, quantity: Decimal) -> None:
    """Raises Conflict for goods that a shipment counts on."""
    promised = _in_shipments(line, *Shipment.OPEN)
    if promised > line.reservation.quantity - line.reservation.picked_quantity - quantity:
        raise Conflict("These goods are in a shipment: cancel it first.", code="in_shipment")


def _in_shipments(line: PickListItem, *statuses: str) -> Decimal:
    inside = ShipmentItem.objects.filter(reservation=line.reservation_id, shipment__status__in=statuses)
    return inside.aggregate(whole=Sum("quantity"))["whole"] or Decimal(0)


def _added(row: PickList, line: PickListItem, reservations: Sequence[UUID]) -> Decimal:
    """Lines for what another place has; answers how much that is."""
    last = row.lines.aggregate(last=Max("line"))["last"]
    found = Reservation.objects.filter(pk__in=reservations, stock_item__isnull=False).order_by("line")
    made = [
        PickListItem(
            pick_list=row, line=number, order_item_id=line.order_item_id, reservation=one, variant_id=one.variant_id,
            lot_id=one.lot_id, stock_item_id=one.stock_item_id, quantity=one.quantity,
        ) for number, one in enumerate(found, last + 1)
    ]
    PickListItem.objects.bulk_create(made)
    return sum((one.quantity for one in made), Decimal(0))


def _unfinished(row: PickList) -> list[PickListItem]:
    """What is still to be picked or short, of orders that may be picked."""
    return list(row.lines.filter(
        is_open=True, quantity__gt=F("picked_quantity") + F("short_quantity"), reservation__status=Reservation.Status.ACTIVE,
        order_item__order__status__in=SalesOrder.UNDER_WAY,
    ).select_related("order_item").order_by("line"))


def _end(row: PickList, orders: Iterable[SalesOrder], verb: str, note: str = "") -> None:
    row.lines.update(is_open=False)
    step(PICK_LISTS, row, verb, note=note, finished_at=timezone.now())
    for order in orders:
        picking_follows(order)


def _news(row: PickList) -> dict[str, Any]:
    return {"pick_list": row.pk, "number": row.number, "warehouse": row.warehouse_id}


def _goods(order: SalesOrder, row: PickList, line: PickListItem, quantity: Decimal) -> dict[str, Any]:
    return {
        **_news(row), "line": line.pk, "order": order.pk, "order_item": line.order_item_id, "variant": line.variant_id,
        "lot": line.lot_id, "stock_item": line.stock_item_id, "quantity": quantity,
    }


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"

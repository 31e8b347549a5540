"""Goods of a sales order leave the warehouse in shipments, one or several, each with the goods that are reserved for its lines.

The order is locked before any of its shipments and before any stock, so that no two of them take the same goods.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.arrays import array
from core.errors import Conflict, Invalid, NotFound
from core.kept import Beside, Kept, Statement, Together, send_alone
from core.tenancy import active_organization_id
from inventory.models import LogisticUnit, LogisticUnitContent
from inventory.services.locks import lock_pools_and_rules, lock_promised, lock_units
from inventory.services.logistic_units import unit_create
from inventory.services.reservations import Demand, Pick, demand_keep, stock_pick
from notifications.services.events import PUBLISH, published
from orders import events_shipments as events
from orders.machines import SALES_ORDERS, SHIPMENTS
from orders.models import SalesOrder, Shipment, ShipmentItem, ShipmentParcel
from orders.queries.to_ship import Promised, promised
from orders.queries.to_ship import packed as packed_goods
from orders.services.carrying import carried
from orders.services.kits import kits_opened
from orders.services.order_follows import order_follows
from orders.services.sales_orders import DOCUMENT, locked
from orders.services.shipment_writing import made, written, written_packed
from orders.services.stepping import allow, refusal, step

S = Shipment.Status
MOST_PARCELS = 100
TOLD = ("carrier", "tracking_number", "tracking_url")  # by its events, as the step leaves them

# What is packed was picked, and what was picked is allocated, whoever of the others is late to say so.
PACKED = Kept("lines_packed_follow", """
    UPDATE orders_salesorderitem AS l
    SET picked_quantity = GREATEST(l.picked_quantity, l.shipped_quantity + p.packed),
        allocated_quantity = GREATEST(l.allocated_quantity, l.shipped_quantity + p.packed)
    FROM (
        SELECT i.order_item_id AS id, sum(i.quantity) AS packed FROM orders_shipment AS s
        JOIN orders_shipmentitem AS i ON i.organization_id = s.organization_id AND i.shipment_id = s.id
        WHERE s.organization_id = %s::uuid AND s.order_id = %s::uuid AND s.status = 'packed' GROUP BY i.order_item_id
    ) AS p
    WHERE l.organization_id = %s::uuid AND l.id = p.id
""")
Together(PACKED, [PUBLISH])

# Of the goods in a draft, what is not reserved any more for those that are open: the order was changed or split meanwhile.
GIVEN_AWAY = """
    SELECT DISTINCT l.sku FROM orders_shipmentitem AS i
    JOIN orders_salesorderitem AS l ON l.organization_id = i.organization_id AND l.id = i.order_item_id
    LEFT JOIN inventory_reservation AS r ON r.organization_id = i.organization_id AND r.id = i.reservation_id
        AND r.status = 'active' AND r.demand_id = l.order_id AND r.demand_line_id = l.id
    WHERE i.organization_id = %(organization)s AND i.shipment_id = %(shipment)s
        AND COALESCE(r.quantity - r.picked_quantity, 0) < (
            SELECT sum(o.quantity) FROM orders_shipmentitem AS o
            JOIN orders_shipment AS s ON s.organization_id = o.organization_id AND s.id = o.shipment_id
            WHERE o.organization_id = i.organization_id AND o.reservation_id = i.reservation_id
                AND s.status IN ('draft', 'packed')
        )
    ORDER BY 1
"""

MOVED = Statement("moved", """
    UPDATE orders_shipmentitem AS i SET move_id = m.move FROM unnest(%s::uuid[], %s::uuid[]) AS m(item, move)
    WHERE i.organization_id = %s::uuid AND i.id = m.item
    RETURNING i.order_item_id, i.quantity
""")
SHIPPED = Statement("shipped", """
    UPDATE orders_salesorderitem AS l SET shipped_quantity = l.shipped_quantity + s.quantity
    FROM (SELECT order_item_id AS id, sum(quantity) AS quantity FROM moved GROUP BY order_item_id) AS s
    WHERE l.organization_id = %s::uuid AND l.id = s.id
""")


@dataclass(frozen=True, slots=True)
class Part:
    """Of a line of the order; of one of its lots, if it is named."""

    line_id: UUID
    quantity: Decimal
    lot_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """Without an SSCC, the next one with the company's GS1 prefix. The weight is in kilograms."""

    sscc: str = ""
    weight: Decimal | None = None


def shipment_create(*, order: SalesOrder, parts: Sequence[Part] | None = None, **values: Any) -> Shipment:
    """Of all that is allocated and in no shipment yet, unless parts are given. `values` are columns.

    Raises Conflict where less can go.
    """
    row = locked(order)
    _may_leave(row, "pack")
    found = _free(promised(row))
    shares = [one for many in found.values() for one in many] if parts is None else _shares(row, parts, found)
    if not shares:
        raise Conflict("Nothing of this order is allocated and in no shipment yet.", code="nothing_to_ship")
    shipment = made(row, shares, **values)
    send_alone(written(shipment, shares))
    read: Shipment = Shipment.objects.get(pk=shipment.pk)
    return read


def shipment_change(*, shipment: Shipment, **values: Any) -> Shipment:
    """Who carries it, and how it is followed; a canceled one stays as it is."""
    order, row = _both(shipment)
    if row.status == S.CANCELLED:
        raise refusal(SHIPMENTS, row.status, "change")
    values = carried(order, values, row)
    for name, value in values.items():
        setattr(row, name, value)
    if values:
        row.save(update_fields=list(values))
    return row


def shipment_pack(*, shipment: Shipment, parcels: Sequence[Parcel] = ()) -> Shipment:
    """Its goods are in parcels, and stay promised to the order without an end."""
    order, row = _both(shipment)
    _may_leave(order, "pack")
    allow(SHIPMENTS, row, "pack")
    demand_keep(demand=Demand(DOCUMENT, order.pk))
    packed(order, row, parcels)
    order_follows(order)
    return row


def shipment_reopen(*, shipment: Shipment) -> Shipment:
    order, row = _both(shipment)
    _moved(order, row, "reopen", packed_at=None)
    order_follows(order)
    return row


def shipment_cancel(*, shipment: Shipment, reason: str = "") -> Shipment:
    """It does not leave; its parcels may go with another, and its goods as well."""
    order, row = _both(shipment)
    _moved(order, row, "cancel", reason)
    row.parcels.all().delete()
    order_follows(order)
    return row


def shipment_hand_over(*, shipment: Shipment, **values: Any) -> Shipment:
    """The carrier takes it: its goods issue is posted, once. `values` are columns, such as the tracking number."""
    order, row = _both(shipment)
    if row.status in Shipment.LEFT:
        return row
    _may_leave(order, "ship")
    handed_over(order, row, list(row.lines.order_by("line")), **values)
    order_follows(order)
    return row


def shipment_in_transit(*, shipment: Shipment) -> Shipment:
    order, row = _both(shipment)
    if row.status != S.IN_TRANSIT:
        _moved(order, row, "in_transit")
    return row


def shipment_deliver(*, shipment: Shipment) -> Shipment:
    """The customer has it. With the last one the order is delivered."""
    order, row = _both(shipment)
    if row.status == S.DELIVERED:
        return row
    delivered(order, row)
    order_follows(order)
    return row


def shipment_fail(*, shipment: Shipment, reason: str = "") -> Shipment:
    order, row = _both(shipment)
    if row.status != S.FAILED:
        _moved(order, row, "fail", reason)
    return row


def shipment_come_back(*, shipment: Shipment, reason: str = "") -> Shipment:
    """It is in the warehouse again. Its goods stay shipped until a return takes them in."""
    order, row = _both(shipment)
    if row.status != S.RETURNED:
        _moved(order, row, "come_back", reason)
    return row


def packed_rest(order: SalesOrder) -> None:
    """Of a locked order: all that is open is in packed shipments, and stays promised. Raises Conflict where goods are missing."""
    found = promised(order)
    if any(one.expires_at for one in found):  # goods in a parcel are nobody else's when time is up
        demand_keep(demand=Demand(DOCUMENT, order.pk))
        found = promised(order)
    _refuse_short(found)
    if any(one.in_shipments for one in found):
        for draft in order.shipments.filter(status=S.DRAFT).order_by("pk"):
            packed(order, draft)
    if shares := [one for many in _free(found).values() for one in many]:
        row = made(order, shares, status=S.PACKED, packed_at=timezone.now())
        whole: dict[UUID, Decimal] = defaultdict(Decimal)
        for one in found:
            if one.reservation_id:
                whole[one.line_id] += max(one.left, one.in_shipments)
        send_alone(written_packed(row, shares, events.ShipmentPacked(**_news(order, row)), whole))


def _refuse_short(found: Sequence[Promised]) -> None:
    held: dict[UUID, Decimal] = defaultdict(Decimal)
    for one in found:
        held[one.line_id] += one.left
    wanted = {one.line_id: (one.sku, one.open) for one in found}
    short = [
        f"{(quantity - held[line]).normalize():f} of {sku}" for line, (sku, quantity) in wanted.items() if quantity > held[line]
    ]
    if short:
        raise Conflict(f"Not all of its goods are allocated, {', '.join(short)} are missing.", code="not_allocated")


def packed(order: SalesOrder, row: Shipment, parcels: Sequence[Parcel] = ()) -> None:
    """Raises Conflict where its goods are not reserved any more."""
    with connection.cursor() as cursor:
        cursor.execute(GIVEN_AWAY, {"organization": active_organization_id(), "shipment": row.pk})
        if skus := [sku for (sku,) in cursor.fetchall()]:
            raise Conflict(
                f"Goods in {row.number} are not reserved for it any more: {', '.join(skus)}. The order was changed"
                " meanwhile: cancel this shipment, and make another one.", code="not_allocated",
            )
    step(SHIPMENTS, row, "pack", packed_at=timezone.now())
    if parcels:
        ShipmentParcel.objects.bulk_create([ShipmentParcel(shipment=row, unit=_unit(one)) for one in parcels])
    _packed(order, row)


def _packed(order: SalesOrder, row: Shipment) -> None:
    _, told = published([(events.ShipmentPacked(**_news(order, row)), row.pk)])
    organization = active_organization_id()
    send_alone([told, Beside(PACKED, [organization, order.pk, organization])])


def packed_hand_over(order: SalesOrder) -> None:
    """All packed shipments of a locked order, and what is in none of them: it was packed before there were shipments."""
    found = packed_goods(order)
    if not found.is_all:
        packed_rest(order)
        found = packed_goods(order)
    shipments = [list(items) for _, items in groupby(found.items, key=lambda one: one.shipment_id)]
    if len(shipments) > 1:
        _lock_all(order, found.items)
    for items in shipments:
        handed_over(order, items[0].shipment, items)


def _lock_all(order: SalesOrder, items: Iterable[ShipmentItem]) -> None:
    """Each shipment is a posting of its own: a later one must wait for nobody, who may wait for what an earlier one holds."""
    goods = lock_promised([one.reservation_id for one in items if one.reservation_id])
    lock_pools_and_rules({(one.place.variant_id, order.warehouse_id) for one in goods})


def handed_over(order: SalesOrder, row: Shipment, items: Sequence[ShipmentItem], **values: Any) -> None:
    allow(SHIPMENTS, row, "hand_over")
    try:
        posted = stock_pick(picks=[Pick(one.reservation_id, one.quantity) for one in items])
    except Conflict as error:
        if error.code not in ("not_active", "reservation_changed"):
            raise
        detail = "What is reserved for this order is not what was packed: look at its reservations."
        raise Conflict(detail, code="not_allocated") from error
    organization = active_organization_id()
    _step(order, row, "hand_over", besides=[
        Beside(MOVED, [array(one.pk for one in items), array(posted.moves), organization]),
        Beside(SHIPPED, [organization]),
    ], handed_over_at=timezone.now(), **carried(order, values, row))


def delivered(order: SalesOrder, row: Shipment) -> None:
    _step(order, row, "deliver", delivered_at=timezone.now())


def _moved(order: SalesOrder, row: Shipment, verb: str, reason: str = "", **columns: Any) -> None:
    said = {"reason": reason} if verb in ("fail", "come_back", "cancel") else {}
    _step(order, row, verb, said, note=reason, **columns)


def _step(
    order: SalesOrder, row: Shipment, verb: str, said: Mapping[str, Any] = MappingProxyType({}), *, note: str = "",
    besides: Sequence[Beside] = (), **columns: Any,
) -> None:
    event: Any = SHIPMENTS.by_verb[verb].event
    news = _news(order, row) | {name: columns[name] for name in TOLD if name in columns}
    step(SHIPMENTS, row, verb, event=event(**news, **said), besides=besides, note=note, **columns)


def _both(shipment: Shipment) -> tuple[SalesOrder, Shipment]:
    """Locked: who has the order has its shipments. Raises NotFound."""
    order = locked(SalesOrder(pk=shipment.order_id))
    row: Shipment | None = Shipment.objects.filter(pk=shipment.pk).first()
    if row is None:
        raise NotFound("There is no such shipment.")
    return order, row


def _may_leave(order: SalesOrder, verb: str) -> None:
    """Raises Conflict for an order that is held, in error, a cart, or over."""
    if order.status not in SalesOrder.LEAVING:
        raise refusal(SALES_ORDERS, order.status, verb)


def _free(found: Sequence[Promised]) -> dict[UUID, list[ShipmentItem]]:
    """By line, what is in no open shipment yet."""
    free: dict[UUID, list[ShipmentItem]] = defaultdict(list)
    for one in found:
        if one.left > one.in_shipments:
            free[one.line_id].append(ShipmentItem(
                order_item_id=one.line_id, variant_id=one.variant_id, lot_id=one.lot_id, stock_item_id=one.stock_item_id,
                reservation_id=one.reservation_id, quantity=one.left - one.in_shipments,
            ))
    return free


def _shares(order: SalesOrder, parts: Sequence[Part], found: Mapping[UUID, list[ShipmentItem]]) -> list[ShipmentItem]:
    lines = order.lines.in_bulk()
    taken: dict[UUID, ShipmentItem] = {}
    for number, part in enumerate(kits_opened("line_id", parts, lines)):
        if part.line_id not in lines:
            raise Invalid(
                f"Line {number + 1} is none of this order.", code="does_not_exist", fields={f"lines/{number}": "does not exist"},
            )
        if part.quantity <= 0:
            raise Invalid("A quantity must be above zero.", fields={f"lines/{number}/quantity": "not positive"})
        missing = part.quantity
        for one in found.get(part.line_id, []):
            if missing and part.lot_id in (None, one.lot_id) and one.quantity > 0:
                quantity = min(missing, one.quantity)
                one.quantity -= quantity
                missing -= quantity
                mine = taken.setdefault(one.reservation_id, ShipmentItem(
                    order_item_id=part.line_id, variant_id=one.variant_id, lot_id=one.lot_id, stock_item_id=one.stock_item_id,
                    reservation_id=one.reservation_id, quantity=Decimal(0),
                ))
                mine.quantity += quantity
        if missing:
            raise Conflict(
                f"Of {lines[part.line_id].sku} {(part.quantity - missing).normalize():f} are allocated and in no shipment yet,"
                f" not {part.quantity.normalize():f}.", code="not_allocated",
            )
    return list(taken.values())


def _unit(parcel: Parcel) -> LogisticUnit:
    """The carton of that label, if it is known. Raises Conflict where goods are in it by the books."""
    found: LogisticUnit | None = LogisticUnit.objects.filter(sscc=parcel.sscc).first() if parcel.sscc else None
    if found is None:
        return unit_create(sscc=parcel.sscc, weight=parcel.weight)
    lock_units([found.pk])
    if LogisticUnitContent.objects.filter(unit=found).exists():
        raise Conflict(f"There are goods in {found.sscc}: unpack them first.", code="unit_holds_goods")
    if ShipmentParcel.objects.filter(unit=found).exists():
        raise Conflict(f"{found.sscc} goes with another shipment.", code="parcel_taken")
    return found


def _news(order: SalesOrder, row: Shipment) -> dict[str, Any]:
    return {
        "shipment": row.pk, "number": row.number, "order": order.pk, "order_number": order.number or "",
        "warehouse": row.warehouse_id, "carrier": row.carrier, "tracking_number": row.tracking_number,
        "tracking_url": row.tracking_url,
    }

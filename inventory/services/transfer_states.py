"""What all verbs of transfer orders share: the lock, the status that follows the lines, the place between warehouses."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.errors import Conflict, NotFound
from core.tenancy import active_organization_id
from inventory.models import Location, TransferOrder, TransferOrderLine, Warehouse

TRANSIT = "TRANSIT"
Status = TransferOrder.Status

FOLLOW = """
    UPDATE inventory_transferorder AS t
    SET status = found.status, transit_location_id = COALESCE(t.transit_location_id, %(transit)s),
        confirmed_at = COALESCE(t.confirmed_at, CASE WHEN found.status <> 'cancelled' THEN now() END),
        shipped_at = CASE WHEN %(shipped)s THEN now() ELSE t.shipped_at END,
        received_at = CASE WHEN %(received)s THEN now() ELSE t.received_at END,
        closed_at = CASE WHEN found.status IN ('completed', 'cancelled') THEN now() END
    FROM (
        SELECT CASE
            WHEN sums.to_ship > 0 THEN CASE WHEN sums.shipped = 0 THEN 'confirmed' ELSE 'partly_shipped' END
            WHEN sums.shipped = 0 THEN 'cancelled'
            WHEN sums.in_transit > 0 THEN 'shipped'
            ELSE 'completed' END AS status
        FROM (
            SELECT COALESCE(sum(quantity - cancelled_quantity - shipped_quantity), 0) AS to_ship,
                   COALESCE(sum(shipped_quantity), 0) AS shipped,
                   COALESCE(sum(shipped_quantity - received_quantity - lost_quantity), 0) AS in_transit
            FROM inventory_transferorderline WHERE organization_id = %(organization)s AND order_id = %(order)s
        ) AS sums
    ) AS found
    WHERE t.organization_id = %(organization)s AND t.id = %(order)s
"""

CHANGE_LINES = """
    UPDATE inventory_transferorderline AS l SET {0} = l.{0} + c.quantity
    FROM unnest(%s::uuid[], %s::numeric[]) AS c(id, quantity)
    WHERE l.organization_id = %s AND l.id = c.id
"""


def locked(order: TransferOrder, *, verb: str, among: tuple[str, ...]) -> TransferOrder:
    """As it is once nobody else works on it, before any stock is locked. Raises Conflict in any other status."""
    row: TransferOrder | None = TransferOrder.objects.select_for_update(no_key=True).filter(pk=order.pk).first()
    if row is None:
        raise NotFound("There is no such transfer order.")
    if row.status not in among:
        allowed = ", ".join(one.replace("_", " ") for one in among)
        raise Conflict(
            f"Transfer order {row.number} is {row.status.replace('_', ' ')}: only one that is {allowed} can be {verb}.",
            code="wrong_status",
        )
    return row


def lines_add(quantities: Mapping[UUID, Decimal], column: str) -> None:
    """To a quantity of each line; the constraints stand behind it."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGE_LINES.format(column), [list(quantities), list(quantities.values()), active_organization_id()])


def status_follow(
    order: TransferOrder, *, shipped: bool = False, received: bool = False, transit_id: UUID | None = None,
) -> TransferOrder:
    """The status, and when it last changed so, as the lines say now; the row as it is then."""
    with connection.cursor() as cursor:
        cursor.execute(FOLLOW, {
            "organization": active_organization_id(), "order": order.pk, "transit": transit_id, "shipped": shipped,
            "received": received,
        })
    order.refresh_from_db()
    return order


def lines_of(order: TransferOrder) -> dict[UUID, TransferOrderLine]:
    return {line.pk: line for line in TransferOrderLine.objects.filter(order=order).order_by("line")}


def to_ship(line: TransferOrderLine) -> Decimal:
    left: Decimal = line.quantity - line.cancelled_quantity - line.shipped_quantity
    return left


def transit_to(destination: Warehouse) -> Location:
    """The place for what is under way to the warehouse, in the organization's warehouse of kind transit; made where missing."""
    kind = Warehouse.Kind.TRANSIT
    warehouse = Warehouse.objects.filter(kind=kind, archived_at=None).order_by("pk").first()
    if warehouse is None:
        warehouse, _ = Warehouse.objects.get_or_create(code=TRANSIT, defaults={"name": "Goods in transit", "kind": kind})
        if warehouse.kind != kind:
            raise Conflict(f"Warehouse {TRANSIT} is not of kind transit: make one that is.", code="no_transit_warehouse")
    place: Location
    place, _ = Location.objects.get_or_create(
        warehouse=warehouse, code=destination.code,
        defaults={"kind": Location.Kind.TRANSIT, "name": f"To {destination.name}"[:100]},
    )
    if place.kind != Location.Kind.TRANSIT:
        where = f"Location {place.code} of {warehouse.code}"
        raise Conflict(f"{where} is not of kind transit: give it another code.", code="no_transit_location")
    return place

from typing import Any

from core.errors import Conflict
from inventory.models import Location, StockItem


def location_change(*, location: Location, **values: Any) -> None:
    """Raises Conflict for a change that would silently make stock available, or carry it to another warehouse."""
    kind, warehouse = values.get("kind", location.kind), values.get("warehouse_id", location.warehouse_id)
    becomes_transit = kind != location.kind and Location.Kind.TRANSIT in (kind, location.kind)
    if becomes_transit and StockItem.objects.filter(location=location).exists():
        raise Conflict(f"{location.code} has held stock: make a new location for goods in transit.", code="location_in_use")
    availability = (kind in Location.AVAILABLE) != (location.kind in Location.AVAILABLE)
    if not availability and warehouse == location.warehouse_id:
        return
    if StockItem.objects.filter(location=location).exclude(quantity=0, reserved=0).exists():
        raise Conflict(f"There is stock at {location.code}: move it away first.", code="location_in_use")
    if warehouse != location.warehouse_id and StockItem.objects.filter(location=location).exists():
        raise Conflict(f"{location.code} has held stock: make a new location in the other warehouse.", code="location_in_use")

"""Who carries a shipment, as the shipping method of its order says."""

from typing import Any
from urllib.parse import quote

from orders.models import SalesOrder, Shipment
from orders.models.shipping import NUMBER

LONGEST = 500  # of an address


def carried(order: SalesOrder, values: dict[str, Any], row: Shipment | None = None) -> dict[str, Any]:
    """The values of a shipment, with what the method knows and nobody said: the carrier, and where the parcel is followed."""
    method = order.shipping_method
    if method is None:
        return values
    found = dict(values)
    if row is None and not found.get("carrier"):
        found["carrier"] = method.carrier
    number = found.get("tracking_number")
    if number and not found.get("tracking_url", row.tracking_url if row else ""):
        url = method.tracking_url_template.replace(NUMBER, quote(number, safe=""))
        found["tracking_url"] = url if len(url) <= LONGEST else ""
    return found

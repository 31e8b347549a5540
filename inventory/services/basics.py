"""What an organization needs before its first goods, besides units: reasons, a warehouse with a location."""

from collections.abc import Iterable

from inventory.models import Location, ReasonCode, Warehouse

Kind = ReasonCode.Kind

OPENING = "OPEN"

REASONS = {
    (Kind.ADJUSTMENT, OPENING): ("Opening balance", False),
    (Kind.ADJUSTMENT, "COUNT"): ("Counted", False),
    (Kind.ADJUSTMENT, "DAMAGED"): ("Damaged", True),
    (Kind.ADJUSTMENT, "FOUND"): ("Found", False),
    (Kind.ADJUSTMENT, "LOST"): ("Lost or stolen", True),
    (Kind.ISSUE, "SALE"): ("Sold over the counter", False),
    (Kind.ISSUE, "INTERNAL"): ("Used by ourselves", False),
    (Kind.ISSUE, "SCRAP"): ("Scrapped", True),
    (Kind.ISSUE, "SUPPLIER"): ("Sent back to the supplier", True),
    (Kind.RECEIPT, "PURCHASE"): ("Bought", False),
    (Kind.RECEIPT, "RETURN"): ("Returned by a customer", True),
    (Kind.MOVE, "RESTOCK"): ("Restocking", False),
    (Kind.MOVE, "INSPECT"): ("Set aside for inspection", True),
}

# Goods that are held or expired leave by these.
TAKE_HELD = {(Kind.ISSUE, "SCRAP"), (Kind.ISSUE, "SUPPLIER")}


def reasons_create(keys: Iterable[tuple[ReasonCode.Kind, str]] = tuple(REASONS)) -> None:
    """Those that are missing; existing ones stay as they are."""
    ReasonCode.objects.bulk_create([
        ReasonCode(
            kind=kind, code=code, name=REASONS[kind, code][0], requires_note=REASONS[kind, code][1],
            takes_held=(kind, code) in TAKE_HELD,
        )
        for kind, code in keys
    ], ignore_conflicts=True)


def main_location() -> Location:
    """Location STOCK of warehouse MAIN, made where it is missing."""
    warehouse, _ = Warehouse.objects.get_or_create(code="MAIN", defaults={"name": "Main warehouse"})
    location: Location
    location, _ = Location.objects.get_or_create(warehouse=warehouse, code="STOCK", defaults={"name": "Stock"})
    return location

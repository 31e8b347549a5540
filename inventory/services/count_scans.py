"""What a scan means on a count's sheet: a line of it, goods that nobody expected, or the place where one stands."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from core.errors import Conflict, Invalid
from inventory.models import Location, Product, StockCount, StockCountLine
from inventory.queries.barcodes import Match, Scan
from inventory.services.counts import Counted, stock_count_record
from inventory.services.posting import LotCode

SERIAL = Product.Tracking.SERIAL


@dataclass(frozen=True, slots=True)
class Unexpected:
    """Goods that are not on the sheet; they come on it when somebody says how many there are."""

    match: Match
    location: Location
    lot_id: UUID | None
    lot_code: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """One of the three. `is_counted`: it was a serial number, which is counted by its scan."""

    line_id: UUID | None = None
    unexpected: Unexpected | None = None
    place: Match | None = None
    is_counted: bool = False


def stock_count_scan(*, count: StockCount, scan: Scan, location_id: UUID | None = None) -> Scanned:
    """`location_id`: the place that was scanned before, where goods lie that nobody expected."""
    if scan.matches[0].kind == "location":
        return Scanned(place=scan.matches[0])
    goods = [match for match in scan.matches if match.variant]
    if not goods:
        raise Conflict("This is neither goods nor a place in them.", code="not_counted")
    if len({match.variant for match in goods}) > 1:
        names = ", ".join(sorted({str(match.sku) for match in goods}))
        raise Conflict(f"This may be {names}: scan another code of it.", code="ambiguous")
    lot_id, lot_code = _lot(goods, scan)
    line = _line(count, goods[0].variant, location_id, lot_id, lot_code)
    if goods[0].tracking == SERIAL:
        return _piece(count, goods[0], line, location_id, lot_id, lot_code)
    if line:
        return Scanned(line_id=line)
    if goods[0].tracking == Product.Tracking.LOT and not (lot_id or lot_code):
        raise Invalid(f"{goods[0].sku} is tracked by lot: scan a code that says its lot.", fields={"text": "no lot"})
    return Scanned(unexpected=Unexpected(goods[0], _place(count, location_id), lot_id, lot_code))


def _lot(goods: list[Match], scan: Scan) -> tuple[UUID | None, str]:
    """Its id, or the code of one that may be new."""
    if known := next((match for match in goods if match.kind == "lot"), None):
        return known.id, ""
    said = scan.reading.goods if scan.reading else None
    if said is None or goods[0].tracking == Product.Tracking.NONE:
        return None, ""
    return None, (said.serial if goods[0].tracking == SERIAL else said.lot) or ""


def _line(count: StockCount, variant: Any, location_id: UUID | None, lot_id: UUID | None, lot_code: str) -> UUID | None:
    """What is not counted yet first, here before elsewhere, in the order of the sheet."""
    lines = StockCountLine.objects.filter(count=count, variant=variant)
    if lot_id:
        lines = lines.filter(lot=lot_id)
    elif lot_code:
        lines = lines.filter(lot__code=lot_code)
    if location_id:
        lines = lines.filter(location=location_id)
    found: UUID | None = lines.order_by(F("counted").asc(nulls_first=True), "line").values_list("pk", flat=True).first()
    return found


def _piece(
    count: StockCount, match: Match, line: UUID | None, location_id: UUID | None, lot_id: UUID | None, lot_code: str,
) -> Scanned:
    if not (lot_id or lot_code):
        raise Invalid(f"{match.sku} is counted by its serial numbers: scan each.", fields={"text": "no serial number"})
    counted = Counted(Decimal(1), line_id=line) if line else Counted(
        Decimal(1), variant_id=match.variant, location_id=_place(count, location_id).pk, lot_id=lot_id,
        lot=LotCode(lot_code) if lot_code else None,
    )
    [done] = stock_count_record(count_id=count.pk, lines=[counted])
    return Scanned(line_id=done.id, is_counted=True)


def _place(count: StockCount, location_id: UUID | None) -> Location:
    found: Location | None = Location.objects.filter(pk=location_id or count.location_id).first()
    if found is None:
        raise Invalid("This is not on the sheet. Scan the place where it lies, then the goods.", fields={"text": "where?"})
    return found

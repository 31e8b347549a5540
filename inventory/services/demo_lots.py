"""What the demo's vehicle-parts company keeps by lot and by serial number: brake fluid with dates, and scanners."""

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from inventory.models import Category, Location, Lot, Product, ProductVariant, ReasonCode, UnitOfMeasure
from inventory.services.demo_parts import PORTO
from inventory.services.lots import lot_status_change
from inventory.services.posting import Line, LotCode
from inventory.services.stock import Circumstances, stock_issue, stock_receive
from inventory.services.units import PIECE

FLUID, SCANNER = "BF-7001", "DS-8001"
# Which lot, how many days ago it came, how much, and in how many days it expires.
LOTS = (("DOT4-2605", 27, 24, 18), ("DOT4-2608", 20, 36, 240), ("DOT4-2610", 9, 48, 600))
RECALLED = "DOT4-2608"
SOLD = ((24, "DOT4-2605", 9), (16, "DOT4-2605", 7), (12, "DOT4-2608", 6))
SERIALS = tuple(f"SCN-24{number:04}" for number in range(117, 122))


def lots_create(*, today: date, zone: tzinfo) -> None:
    """Fluid of which one lot expires soon and one is recalled after some of it was sold; scanners by their numbers."""
    shelf = Location.objects.filter(warehouse__code=PORTO, kind=Location.Kind.STORAGE, parent__isnull=False).earliest("code")
    fluid = _variant(FLUID, "Brake fluid DOT 4, 1 l", Product.Tracking.LOT, "Engine", Decimal("4.20"))
    scanner = _variant(SCANNER, "Diagnostic scanner OBD", Product.Tracking.SERIAL, "Tools", Decimal("189.00"))
    reasons = {reason.code: reason.pk for reason in ReasonCode.objects.filter(code__in=("PURCHASE", "SALE"))}

    def at(ago: int, hour: int, reason: str) -> Circumstances:
        return Circumstances(reason_id=reasons[reason], occurred_at=datetime.combine(today - timedelta(ago), time(hour), zone))

    for code, ago, quantity, days in LOTS:
        lot = LotCode(code, expires_on=today + timedelta(days), supplier_lot=f"S{code[-4:]}")
        line = Line(fluid.pk, Decimal(quantity), to_location_id=shelf.pk, lot=lot, unit_cost=fluid.standard_cost)
        stock_receive(lines=[line], circumstances=at(ago, 8, "PURCHASE"))
    for ago, code, quantity in SOLD:
        line = Line(fluid.pk, Decimal(quantity), from_location_id=shelf.pk, lot=LotCode(code))
        stock_issue(lines=[line], circumstances=at(ago, 16, "SALE"))
    lines = [
        Line(scanner.pk, Decimal(1), to_location_id=shelf.pk, lot=LotCode(serial), unit_cost=scanner.standard_cost)
        for serial in SERIALS
    ]
    stock_receive(lines=lines, circumstances=at(10, 9, "PURCHASE"))
    recalled = Lot.objects.get(variant=fluid, code=RECALLED)
    lot_status_change(lot_ids=[recalled.pk], status=Lot.Status.RECALLED, reason="The maker's recall: seals of the bottles leak")


def _variant(sku: str, name: str, tracking: str, category: str, cost: Decimal) -> ProductVariant:
    place, _ = Category.objects.get_or_create(parent=None, slug=category.lower(), defaults={"name": category})
    unit = UnitOfMeasure.objects.get(code=PIECE)
    product = Product.objects.create(name=name, category=place, base_unit=unit, tracking=tracking, external_ref=sku)
    variant: ProductVariant = ProductVariant.objects.create(
        product=product, sku=sku, name=name, standard_cost=cost, external_ref=sku,
    )
    return variant

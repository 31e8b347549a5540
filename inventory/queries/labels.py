"""What stands on the labels of variants, locations and logistic units."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.conf import settings

from core.errors import Invalid
from core.limits import Holder, reach, within
from inventory.gs1.digits import shortest_gtin, wrong_digit
from inventory.gs1.elements import Element, emit, emit_bracketed
from inventory.gs1.errors import GS1Error
from inventory.gs1.links import emit_link
from inventory.gs1.meaning import sscc, yymmdd
from inventory.labels.drawing import DoesNotFit, Label, pdf_of
from inventory.labels.layouts import LAYOUTS
from inventory.labels.symbols import Symbol, code128, fits_bars, gs1_128, qr, retail
from inventory.models import Location, ProductBarcode, ProductVariant

AUTO, CODE128, QR, GS1_128 = "auto", "code128", "qr", "gs1_128"
SYMBOLS = {
    AUTO: "What fits best: the variant's own barcode, or Code 128", CODE128: "Code 128", QR: "QR code", GS1_128: "GS1-128",
}
MOST = 1_000  # labels of a request


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of `variant`, `location`, `sscc`. What a lot, a serial number or an expiry date adds needs a GTIN."""

    variant: UUID | None = None
    location: UUID | None = None
    sscc: str = ""
    copies: int = 1
    symbol: str = AUTO
    lot: str = ""
    serial: str = ""
    expires_on: date | None = None


def labels_of(wanted: Sequence[Wanted], holder: Holder) -> list[Label]:
    """In two statements. Raises Invalid, for rows that are not there or that the holder may not see as well."""
    if sum(one.copies for one in wanted) > MOST:
        raise Invalid(f"At most {MOST:,} labels at a time.", fields={"labels": f"At most {MOST:,} at a time."})
    variants = _variants({one.variant for one in wanted if one.variant})
    gtins = _gtins(variants.keys())
    locations = _locations({one.location for one in wanted if one.location}, holder)
    made = []
    for number, one in enumerate(wanted):
        try:
            made.append(_label(one, variants, gtins, locations))
        except KeyError as error:
            raise _refused(number, "There is no such row in this organization.", "does_not_exist") from error
        except GS1Error as error:
            raise _refused(number, error.problem[:1].upper() + error.problem[1:]) from error
    return made


def labels_pdf(labels: Sequence[Label], *, layout: str, skip: int = 0) -> bytes:
    """`skip`: places of the first sheet that are used up. Raises Invalid where a symbol does not fit."""
    paper = LAYOUTS[layout]
    try:
        return pdf_of(labels, paper, skip=skip % paper.per_page, font=settings.LABEL_FONT)
    except DoesNotFit as error:
        problem = f"The symbol of {error} is too wide for this paper: take a wider one, or QR."
        raise Invalid(problem, code="does_not_fit", fields={"layout": problem}) from error


def _refused(number: int, problem: str, code: str = "invalid") -> Invalid:
    return Invalid(f"Label {number + 1}: {problem}", code=code, fields={f"labels/{number}": problem})


def sscc_of(company_prefix: str, serials: Iterable[int], extension: int = 0) -> list[str]:
    """Raises GS1Error."""
    return [sscc(company_prefix, serial, extension) for serial in serials]


def _variants(ids: Collection[UUID]) -> Mapping[UUID, ProductVariant]:
    return {row.pk: row for row in ProductVariant.objects.filter(pk__in=ids)} if ids else {}


def _locations(ids: Collection[UUID], holder: Holder) -> Mapping[UUID, Location]:
    if not ids:
        return {}
    seen = within(Location, reach(holder, "inventory.view_location"))
    return {row.pk: row for row in Location.objects.filter(seen, pk__in=ids).select_related("warehouse")}


def _gtins(variants: Collection[UUID]) -> Mapping[UUID, str]:
    """Of the smallest pack, usually of one."""
    if not variants:
        return {}
    rows = ProductBarcode.objects.filter(variant__in=variants, gtin__isnull=False).order_by("-quantity", "-pk")
    return dict(rows.values_list("variant_id", "gtin"))


def _label(
    one: Wanted, variants: Mapping[UUID, ProductVariant], gtins: Mapping[UUID, str], locations: Mapping[UUID, Location],
) -> Label:
    if one.variant:
        return _of_variant(one, variants[one.variant], gtins.get(one.variant))
    if one.location:
        return _of_location(one, locations[one.location])
    return _of_unit(one)


def _of_variant(one: Wanted, variant: ProductVariant, gtin: str | None) -> Label:
    lines = [variant.name, *_about(one)]
    elements = _elements(one, gtin)
    if not gtin:
        if elements or one.symbol == GS1_128:
            raise GS1Error(f"{variant.sku} has no GTIN, which a GS1 symbol begins with: add a barcode to it.")
        return Label(variant.sku, lines, *_plain(one.symbol, variant.sku), copies=one.copies)
    number = shortest_gtin(gtin)
    if one.symbol == QR:
        return Label(variant.sku, lines, qr(emit_link(elements), number), copies=one.copies)
    if one.symbol == GS1_128 or len(elements) > 1 or len(number) == 14:
        bars = gs1_128(emit(elements), emit_bracketed(elements))
        return Label(variant.sku, lines, bars, qr(emit_link(elements), emit_bracketed(elements)), one.copies)
    if one.symbol == CODE128:
        return Label(variant.sku, lines, *_plain(CODE128, variant.sku), copies=one.copies)
    return Label(variant.sku, lines, retail(number), copies=one.copies)


def _about(one: Wanted) -> list[str]:
    found = [f"Lot {one.lot}" if one.lot else "", f"Serial {one.serial}" if one.serial else ""]
    return [*found, f"Expires {one.expires_on.isoformat()}" if one.expires_on else ""]


def _elements(one: Wanted, gtin: str | None) -> list[Element]:
    """Fixed lengths first, so that fewer FNC1 are needed."""
    more = [("17", yymmdd(one.expires_on) if one.expires_on else ""), ("10", one.lot), ("21", one.serial)]
    return [Element(ai, value) for ai, value in [("01", gtin or ""), *more] if value]


def _of_location(one: Wanted, location: Location) -> Label:
    if one.symbol == GS1_128:
        raise GS1Error("a location has no GTIN: take Code 128 or QR.")
    lines = [location.name, location.warehouse.name]
    return Label(location.code, lines, *_plain(one.symbol, location.barcode or location.code), copies=one.copies)


def _of_unit(one: Wanted) -> Label:
    if one.symbol in (CODE128, QR):
        raise GS1Error("an SSCC is printed as GS1-128.")
    if len(one.sscc) == 18 and (wrong := wrong_digit(one.sscc)):
        raise GS1Error(wrong)
    elements = [Element("00", one.sscc)]
    bars = gs1_128(emit(elements), emit_bracketed(elements))
    return Label("SSCC", [one.sscc], bars, copies=one.copies)


def _plain(symbol: str, content: str) -> tuple[Symbol, Symbol | None]:
    """Code 128 with a QR code for where the paper is too narrow; QR for what has letters that Code 128 lacks."""
    square = qr(content)
    if symbol == QR or not fits_bars(content):
        return square, None
    return code128(content), square

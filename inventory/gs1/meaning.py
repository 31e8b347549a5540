"""What the elements of a symbol say about goods: dates as dates, quantities as numbers."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from inventory.gs1.digits import completed, is_digits
from inventory.gs1.elements import GS, PREFIXES, SEPARATORS, Elements, parse
from inventory.gs1.errors import GS1Error
from inventory.gs1.identifiers import TABLE
from inventory.gs1.links import is_link, parse_link


def read(text: str) -> Elements:
    """Of an element string, the bracketed form or a Digital Link. Raises GS1Error."""
    return parse_link(text) if is_link(text) else parse(text)


def says_gs1(text: str) -> bool:
    """Whether the text itself claims to be GS1, by a prefix, a separator or brackets; a bare one may be anything."""
    plain = text.translate(SEPARATORS)
    return plain.startswith((*PREFIXES, "(")) or GS in plain


def day_of(yymmdd: str, today: date) -> date:
    """Day 00 is the last of its month; the century is the one within 50 years of today (GS1 General Specifications 7.12)."""
    year, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:6])
    apart = year - today.year % 100
    century = today.year // 100 + (-1 if apart >= 51 else 1 if apart <= -50 else 0)
    whole = century * 100 + year
    last = monthrange(whole, month)[1]
    return date(whole, month, min(day, last) or last)


def yymmdd(day: date) -> str:
    return f"{day:%y%m%d}"


def measure(ai: str, value: str) -> Decimal:
    """With the decimals that the identifier implies: (3103)001250 is 1.250."""
    return Decimal(value).scaleb(-(TABLE[ai].decimals or 0))


@dataclass(frozen=True, slots=True)
class Goods:
    """Quantity: a count of (30) or (37), or a net weight in kilograms."""

    gtin: str | None = None
    content: str | None = None
    sscc: str | None = None
    gln: str | None = None
    gln_extension: str | None = None
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    best_before: date | None = None
    produced_on: date | None = None
    packed_on: date | None = None
    quantity: Decimal | None = None
    net_weight: Decimal | None = None
    customer_part: str | None = None


PLAIN = {
    "01": "gtin", "02": "content", "00": "sscc", "414": "gln", "254": "gln_extension", "10": "lot", "21": "serial",
    "241": "customer_part",
}
DATES = {"7003": "expires_on", "17": "expires_on", "15": "best_before", "11": "produced_on", "13": "packed_on"}


def goods(elements: Sequence[tuple[str, str]], today: date) -> Goods:
    values = dict(elements)
    found: dict[str, object] = {name: values[ai] for ai, name in PLAIN.items() if ai in values}
    found |= {name: day_of(values[ai], today) for ai, name in DATES.items() if ai in values}
    if count := values.get("30") or values.get("37"):
        found["quantity"] = Decimal(count)
    if weight := next((measure(ai, value) for ai, value in values.items() if ai.startswith("310")), None):
        found["net_weight"] = weight
    return Goods(**found)  # type: ignore[arg-type]  # each by the name and kind of the tables above


def sscc(company_prefix: str, serial: int, extension: int = 0) -> str:
    """Eighteen digits: extension, GS1 company prefix, serial reference, check digit. Raises GS1Error."""
    from_prefix = f"{extension}{company_prefix}"
    if not (is_digits(company_prefix) and 4 <= len(company_prefix) <= 12):
        raise GS1Error("a GS1 company prefix has 4 to 12 digits.")
    if not 0 <= extension <= 9:
        raise GS1Error("the extension digit is 0 to 9.")
    room = 17 - len(from_prefix)
    if not 0 <= serial < 10**room:
        raise GS1Error(f"with this prefix a serial reference has at most {room} digits.")
    return completed(f"{from_prefix}{serial:0{room}}")

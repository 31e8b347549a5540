"""The application identifiers of the GS1 General Specifications that matter to stock, and the rule for each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from inventory.gs1.digits import is_digits, wrong_digit

# The 82 characters that a value may hold, and the fewer of part numbers.
INVARIANT = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*")
PART_NUMBER = re.compile(r"[#\-/0-9A-Z]*")

# Values whose length the first two digits of their identifier say, so that nothing need end them; in digits, with the identifier.
PREDEFINED = {
    "00": 20, "01": 16, "02": 16, "03": 16, "04": 18, **{f"{number}": 8 for number in range(11, 20)}, "20": 4,
    **{f"{number}": 10 for number in range(31, 37)}, "41": 16,
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """Lengths without the identifier itself. `checked`: how many leading digits end in a check digit."""

    ai: str
    title: str
    shortest: int
    longest: int
    numeric: bool = True
    date: bool = False
    checked: int = 0
    decimals: int | None = None
    characters: re.Pattern[str] = INVARIANT

    @property
    def is_predefined(self) -> bool:
        return self.ai[:2] in PREDEFINED

    @property
    def length(self) -> str:
        unit = "digits" if self.numeric else "characters"
        return f"{self.shortest} {unit}" if self.shortest == self.longest else f"{self.shortest} to {self.longest} {unit}"

    def problem(self, value: str) -> str:
        """What is wrong with the value; empty if nothing is."""
        if not self.shortest <= len(value) <= self.longest:
            return f"({self.ai}) {self.title} takes {self.length}, and {len(value)} were given."
        if self.numeric and not is_digits(value):
            return f"({self.ai}) {self.title} takes digits alone, not {_strange(value, '0123456789')!r}."
        if not self.characters.fullmatch(value):
            strange = next(character for character in value if not self.characters.fullmatch(character))
            return f"({self.ai}) {self.title} cannot hold {strange!r}."
        if self.checked and (wrong := wrong_digit(value[: self.checked])):
            return f"({self.ai}) {self.title}: {wrong}"
        if self.date and not (_is_date(value) and _is_time(value[6:])):
            return f"({self.ai}) {self.title} is a date {'YYMMDD' if self.longest == 6 else 'YYMMDDhhmm'}, and {value} is none."
        return ""


def _strange(value: str, allowed: str) -> str:
    return next(character for character in value if character not in allowed)


def _is_date(value: str) -> bool:
    month, day = int(value[2:4]), int(value[4:6])
    if not 1 <= month <= 12:
        return False
    # 2000 has a 29 February, as has each year that ends in 00 within the fifty years around now.
    longest = 29 if month == 2 and int(value[:2]) % 4 == 0 else 28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    return day <= longest


def _is_time(hhmm: str) -> bool:
    """Also without one."""
    return not hhmm or (int(hhmm[:2]) <= 23 and int(hhmm[2:]) <= 59)


def _digits(ai: str, title: str, shortest: int, longest: int = 0, checked: int = 0) -> Identifier:
    return Identifier(ai, title, shortest, longest or shortest, checked=checked)


def _text(ai: str, title: str, longest: int, shortest: int = 1) -> Identifier:
    return Identifier(ai, title, shortest, longest, numeric=False)


def _date(ai: str, title: str, length: int = 6) -> Identifier:
    """With its time of day in ten digits."""
    return Identifier(ai, title, length, length, date=True)


def _measures(first: int, last: int, titles: str) -> Iterator[Identifier]:
    """Six digits of which the identifier's fourth digit says how many are decimals."""
    for family, title in zip(range(first, last + 1), titles.split("; "), strict=True):
        for decimals in range(6):
            yield Identifier(f"{family}{decimals}", title, 6, 6, decimals=decimals)


def _addresses(first: int, whom: str) -> Iterator[Identifier]:
    """Of a transport label: eight lines, with the country as the last."""
    for number, (title, longest) in enumerate((
        ("company", 35), ("contact", 35), ("address line 1", 70), ("address line 2", 70), ("suburb", 70), ("locality", 70),
        ("region", 70), ("country", 2),
    )):
        yield Identifier(f"{first + number}", f"{whom}: {title}", 2 if longest == 2 else 1, longest, numeric=False)


def _temperatures() -> Iterator[Identifier]:
    """A hyphen after the six digits is below zero."""
    for ai, title in (("4330", "Highest, F"), ("4331", "Highest, C"), ("4332", "Lowest, F"), ("4333", "Lowest, C")):
        yield Identifier(ai, f"{title}: temperature", 6, 7, numeric=False)


def _amounts() -> Iterator[Identifier]:
    for decimals in range(10):
        yield Identifier(f"390{decimals}", "Amount payable", 1, 15, decimals=decimals)
        yield Identifier(f"391{decimals}", "Amount payable and currency", 4, 18, decimals=decimals)
        yield Identifier(f"392{decimals}", "Price", 1, 15, decimals=decimals)
        yield Identifier(f"393{decimals}", "Price and currency", 4, 18, decimals=decimals)
    for decimals in range(4):
        yield Identifier(f"394{decimals}", "Discount in percent", 4, 4, decimals=decimals)
    for decimals in range(6):
        yield Identifier(f"395{decimals}", "Price per unit of measure", 6, 6, decimals=decimals)


TABLE: dict[str, Identifier] = {
    one.ai: one for one in (
        _digits("00", "SSCC", 18, checked=18), _digits("01", "GTIN", 14, checked=14), _digits("02", "Content", 14, checked=14),
        _text("10", "Batch or lot", 20), _date("11", "Production date"), _date("12", "Due date"), _date("13", "Packaging date"),
        _date("15", "Best before"), _date("16", "Sell by"), _date("17", "Expiry date"), _digits("20", "Variant", 2),
        _text("21", "Serial number", 20), _text("22", "Consumer product variant", 20), _text("235", "Third-party serial", 28),
        _text("240", "Additional identification", 30), _text("241", "Customer part number", 30),
        _digits("242", "Made-to-order variation", 1, 6), _text("243", "Packaging component", 20),
        _text("250", "Secondary serial", 30), _text("251", "Reference to source", 30),
        Identifier("253", "GDTI", 13, 30, numeric=False, checked=13), _text("254", "GLN extension", 20),
        Identifier("255", "GCN", 13, 25, checked=13), _digits("30", "Variable count", 1, 8),
        *_measures(310, 316, "Net weight, kg; Length, m; Width, m; Height, m; Area, m2; Net volume, l; Net volume, m3"),
        *_measures(320, 329, "Net weight, lb; Length, in; Length, ft; Length, yd; Width, in; Width, ft; Width, yd; Height, in;"
                             " Height, ft; Height, yd"),
        *_measures(330, 337, "Gross weight, kg; Gross length, m; Gross width, m; Gross height, m; Gross area, m2;"
                             " Gross volume, l; Gross volume, m3; Weight per area, kg/m2"),
        *_measures(340, 349, "Gross weight, lb; Gross length, in; Gross length, ft; Gross length, yd; Gross width, in;"
                             " Gross width, ft; Gross width, yd; Gross height, in; Gross height, ft; Gross height, yd"),
        *_measures(350, 357, "Area, in2; Area, ft2; Area, yd2; Gross area, in2; Gross area, ft2; Gross area, yd2;"
                             " Net weight, troy oz; Net weight, oz"),
        *_measures(360, 369, "Net volume, qt; Net volume, gal; Gross volume, qt; Gross volume, gal; Net volume, in3;"
                             " Net volume, ft3; Net volume, yd3; Gross volume, in3; Gross volume, ft3; Gross volume, yd3"),
        _digits("37", "Count of units", 1, 8), *_amounts(),
        _text("400", "Customer's order", 30), _text("401", "GINC", 30), _digits("402", "GSIN", 17, checked=17),
        _text("403", "Route", 30), _digits("410", "Ship to", 13, checked=13), _digits("411", "Bill to", 13, checked=13),
        _digits("412", "Purchased from", 13, checked=13), _digits("413", "Ship for", 13, checked=13),
        _digits("414", "GLN of the place", 13, checked=13), _digits("415", "Pay to", 13, checked=13),
        _digits("416", "GLN of production", 13, checked=13), _digits("417", "Party GLN", 13, checked=13),
        _text("420", "Postal code", 20), Identifier("421", "Country and postal code", 4, 12, numeric=False),
        _digits("422", "Country of origin", 3), _digits("423", "Country of processing", 3, 15),
        _digits("424", "Country of processing", 3), _digits("425", "Country of disassembly", 3, 15),
        _digits("426", "Country of the full process", 3), _text("427", "Subdivision of origin", 3),
        *_addresses(4300, "Ship to"), _text("4308", "Ship to: telephone", 30), _digits("4309", "Ship to: position", 20),
        *_addresses(4310, "Return to"), _text("4318", "Return to: postal code", 20), _text("4319", "Return to: telephone", 30),
        _text("4320", "Service", 35), _digits("4321", "Dangerous goods", 1), _digits("4322", "May be left", 1),
        _digits("4323", "Signature wanted", 1), _date("4324", "Not delivered before", 10),
        _date("4325", "Not delivered after", 10), _date("4326", "Release date"), *_temperatures(),
        _digits("7001", "NATO stock number", 13), _text("7002", "Meat cut", 30), _date("7003", "Expiry date and time", 10),
        _digits("7004", "Active potency", 1, 4), _text("7005", "Catch area", 12), _date("7006", "First freezing date"),
        _digits("7007", "Harvest date", 6, 12), _text("7008", "Aquatic species", 3), _text("7009", "Fishing gear", 10),
        _text("7010", "Production method", 2), _digits("7011", "Test by", 6, 10),
        _text("7020", "Refurbishment lot", 20), _text("7021", "Functional status", 20),
        _text("7022", "Revision status", 20), _text("7023", "GIAI of an assembly", 30),
        *(_text(f"703{number}", "Processor and its country", 30, 4) for number in range(10)),
        _text("7040", "Unique identification code", 4, 4),
        _text("710", "German national number", 20),
        _text("711", "French national number", 20), _text("712", "Spanish national number", 20),
        _text("713", "Brazilian national number", 20), _text("714", "Portuguese national number", 20),
        _text("715", "United States national number", 20), _text("716", "Italian national number", 20),
        *(_text(f"723{number}", "Certificate", 30, 3) for number in range(10)), _text("7240", "Protocol", 20),
        _digits("7241", "Kind of medium", 2), _text("7242", "Version", 25),
        _digits("8001", "Roll dimensions", 14), _text("8002", "Mobile phone", 20),
        Identifier("8003", "GRAI", 14, 30, numeric=False, checked=14), _text("8004", "GIAI", 30),
        _digits("8005", "Price per unit", 6),
        _digits("8006", "Piece of a trade item", 18, checked=14), _text("8007", "IBAN", 34),
        _digits("8008", "Production date and time", 8, 12), _text("8009", "Optical sensor", 50),
        Identifier("8010", "Component or part", 1, 30, numeric=False, characters=PART_NUMBER),
        _digits("8011", "Serial of a component", 1, 12), _text("8012", "Software version", 20), _text("8013", "Model number", 25),
        _digits("8017", "GSRN of the provider", 18, checked=18), _digits("8018", "GSRN of the recipient", 18, checked=18),
        _digits("8019", "Service instance", 1, 10), _text("8020", "Payment slip", 25),
        _digits("8026", "Piece of contained items", 18, checked=14), _text("8200", "Packaging address", 70),
        _text("8030", "Digital signature", 90), _text("8110", "Coupon", 70), _digits("8111", "Loyalty points", 4),
        _text("8112", "Coupon offer", 70),
        _text("90", "Agreed between partners", 30), *(_text(f"{number}", "Company's own", 90) for number in range(91, 100)),
    )
}  # fmt: skip


@lru_cache(maxsize=256)
def leading(text: str) -> Identifier | None:
    """The identifier with which a text begins: none is the beginning of another."""
    return next((TABLE[text[:size]] for size in (2, 3, 4) if text[:size] in TABLE), None)

"""What a scan, or what was typed into a line, says of goods that are received."""

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal
from uuid import UUID

from core.errors import Invalid
from inventory.queries.barcodes import Scan
from inventory.queries.drafts import ReceiptLine
from inventory.services.receiving import Goods

NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,6})?")
NEGATIVE = re.compile(r"-[\d.,]+")
DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")


def goods_scanned(variant_id: UUID, scan: Scan) -> Goods:
    """As many as the pack has, or as the symbol counts; the lot is that of the symbol, or the one whose code was scanned."""
    said = scan.reading.goods if scan.reading else None
    match = next((match for match in scan.matches if match.variant == variant_id), None)
    pack = (match.quantity if match else None) or Decimal(1)
    count = (said.quantity if said else None) or Decimal(1)
    lot = (said.lot or said.serial or "") if said else ""
    if match and match.kind == "lot" and not lot:
        lot = match.title
    return Goods(variant_id, pack * count, lot, said.expires_on if said else None)


def goods_typed(text: str, line: ReceiptLine, rest: Decimal | None = None) -> Goods:
    """"12", "12 L77", "12 L77 2027-03-31", "L77"; "+" in the place of 12 is the rest that a document expects. Raises Invalid."""
    words, quantity, lot, expires_on = text.split(), line.quantity, line.lot, line.expires_on
    if words and NUMBER.fullmatch(words[0]):
        quantity = Decimal(words.pop(0).replace(",", "."))
    elif words and words[0] == "+" and rest is not None:
        quantity = rest
        words.pop(0)
    for word in words:
        if NEGATIVE.fullmatch(word):
            raise Invalid("Nobody receives less than nothing.")
        if DAY.fullmatch(word):
            expires_on = _day(word)
        elif line.tracking == "none":
            raise Invalid(f"{line.sku} has no lots: type the quantity alone.")
        else:
            lot = word
    if len(lot) > 80:
        raise Invalid("A lot has at most 80 characters.")
    return Goods(line.variant, quantity, lot, expires_on)


def _day(word: str) -> date:
    """A month ends on its last day. Raises Invalid."""
    year, month, day = (int(part) if part else 0 for part in DAY.fullmatch(word).groups())  # type: ignore[union-attr]  # the caller has looked
    try:
        return date(year, month, day) if day else _last_of(year, month)
    except ValueError as error:
        raise Invalid(f"{word} is no day.") from error


def _last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])

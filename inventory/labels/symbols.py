"""The dark and light modules of a symbol. The libraries are imported when the first label is made: a cold start does without."""

from typing import NamedTuple

from inventory.gs1.digits import is_gtin
from inventory.gs1.elements import GS

QUIET_BARS, QUIET_QR = 10, 4  # modules that stay light around a symbol


class Symbol(NamedTuple):
    """Rows of modules, 1 dark; a single row stands for bars of any height. `text` is what a person reads below it."""

    rows: tuple[str, ...]
    text: str

    @property
    def is_bars(self) -> bool:
        return len(self.rows) == 1

    @property
    def quiet(self) -> int:
        return QUIET_BARS if self.is_bars else QUIET_QR

    @property
    def width(self) -> int:
        return len(self.rows[0]) + 2 * self.quiet


def fits_bars(content: str) -> bool:
    """Code 128 has ASCII alone."""
    return content.isascii() and content.isprintable()


def code128(content: str, text: str = "") -> Symbol:
    from barcode.codex import Code128  # noqa: PLC0415  # 30 ms, for labels alone

    return Symbol(tuple(Code128(content).build()), text or content)


def gs1_128(element_string: str, text: str) -> Symbol:
    """Of an element string as `gs1.elements.emit` gives it; FNC1 stands at its beginning and where GS does."""
    from barcode.codex import Gs1_128  # noqa: PLC0415  # as above

    return Symbol(tuple(Gs1_128(element_string.replace(GS, Gs1_128.FNC1_CHAR)).build()), text)


def retail(number: str) -> Symbol:
    """EAN-13, EAN-8 or UPC-A of 13, 8 or 12 digits, with the right check digit."""
    from barcode import ean, upc  # noqa: PLC0415  # as above

    if not is_gtin(number) or len(number) == 14:
        raise ValueError(number)
    made = {8: ean.EuropeanArticleNumber8, 12: upc.UniversalProductCodeA, 13: ean.EuropeanArticleNumber13}[len(number)](number)
    return Symbol(tuple(made.build()), number)


def qr(content: str, text: str = "") -> Symbol:
    import segno  # noqa: PLC0415  # 10 ms, for labels alone

    made = segno.make(content, error="m", micro=False)
    return Symbol(tuple("".join(map(str, row)) for row in made.matrix), text or content)

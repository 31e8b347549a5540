"""Labels on paper. fpdf2 takes a second to import, so it waits for the first label."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from inventory.labels.layouts import Layout
from inventory.labels.symbols import Symbol

PADDING, GAP = 2.0, 1.0  # mm
LARGE, SMALL = 10.0, 7.0  # points
POINT = 25.4 / 72  # mm
NARROWEST, WIDEST = 0.17, 0.5  # mm of a module: what cheap scanners still read, and what is needless
LOWEST_BARS, HIGHEST_BARS = 5.0, 40.0  # mm


@dataclass(frozen=True, slots=True)
class Label:
    """`title` large, `lines` small; the symbol's text below it. `instead` is drawn where `symbol` is too wide for the paper."""

    title: str
    lines: Sequence[str]
    symbol: Symbol
    instead: Symbol | None = None
    copies: int = 1


class DoesNotFit(ValueError):
    """The symbol would be too fine for scanners on this paper."""


def pdf_of(labels: Iterable[Label], layout: Layout, *, skip: int = 0, font: str = "") -> bytes:
    """`skip`: places of the first page that are used already. `font` is the path of a TrueType font for all scripts.

    Raises DoesNotFit.
    """
    paper = _Paper(layout, font)
    place = skip
    for label in labels:
        for _ in range(label.copies):
            paper.draw(label, place)
            place += 1
    return bytes(paper.pdf.output())


class _Paper:
    def __init__(self, layout: Layout, font: str) -> None:
        from fpdf import FPDF  # noqa: PLC0415  # 1.2 s, for labels alone

        self.layout = layout
        self.pdf: Any = FPDF(unit="mm", format=layout.page)
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        self.speaks_all = bool(font)
        self.family = "label" if font else "helvetica"
        if font:
            self.pdf.add_font(self.family, fname=font)

    def draw(self, label: Label, place: int) -> None:
        if place % self.layout.per_page == 0 or not self.pdf.pages:
            self.pdf.add_page()
        x, y = self.layout.corner(place % self.layout.per_page)
        width, height = self.layout.label
        inner = (x + PADDING, y + PADDING, width - 2 * PADDING, height - 2 * PADDING)
        symbol = self._fitting(label, inner[2])
        (self._with_bars if symbol.is_bars else self._with_square)(label, symbol, inner)

    def _fitting(self, label: Label, width: float) -> Symbol:
        for symbol in (label.symbol, label.instead):
            if symbol and (not symbol.is_bars or width / symbol.width >= NARROWEST):
                return symbol
        raise DoesNotFit(label.title)

    def _with_bars(self, label: Label, symbol: Symbol, inner: tuple[float, float, float, float]) -> None:
        x, y, width, height = inner
        foot = SMALL * POINT + GAP
        top = self._texts(label, x, y, width, height - foot - LOWEST_BARS)
        module = min(width / symbol.width, WIDEST)
        left = x + (width - symbol.width * module) / 2 + symbol.quiet * module
        high = min(y + height - foot - top, HIGHEST_BARS)
        self._modules(symbol.rows[0], left, top, module, high)
        self._line(symbol.text, x, top + high + GAP, width, SMALL, align="C")

    def _with_square(self, label: Label, symbol: Symbol, inner: tuple[float, float, float, float]) -> None:
        """The square at the left, as high as the label, or above the texts of a label that is higher than wide."""
        x, y, width, height = inner
        side = min(height, width / 2) if width > height else min(width, height / 2)
        module = side / symbol.width
        for number, row in enumerate(symbol.rows):
            self._modules(row, x + symbol.quiet * module, y + (number + symbol.quiet) * module, module, module)
        texts = Label(label.title, [*label.lines, symbol.text], symbol)
        if width > height:
            self._texts(texts, x + side + GAP, y, width - side - GAP, height)
        else:
            self._texts(texts, x, y + side + GAP, width, height - side - GAP)

    def _modules(self, row: str, x: float, y: float, module: float, height: float) -> None:
        """A rectangle for each run of dark modules, so that no hairline parts them."""
        at = 0
        for dark, run in groupby(row):
            size = len(list(run))
            if dark == "1":
                self.pdf.rect(x + at * module, y, size * module, height, style="F")
            at += size

    def _texts(self, label: Label, x: float, y: float, width: float, height: float) -> float:
        """As many as there is room for; answers where they end."""
        end = y + height
        for text, size in [(label.title, LARGE), *((line, SMALL) for line in label.lines)]:
            if not text or y + size * POINT > end:
                continue
            self._line(text, x, y, width, size)
            y += size * POINT + GAP / 2
        return y + GAP / 2

    def _line(self, text: str, x: float, y: float, width: float, size: float, align: str = "L") -> None:
        shown = text if self.speaks_all else printable(text)
        self.pdf.set_font(self.family, size=size)
        while shown and self.pdf.get_string_width(shown) > width:
            shown = shown[:-2].rstrip(" .") + "." if len(shown) > 2 else ""
        self.pdf.set_xy(x, y)
        self.pdf.cell(w=width, h=size * POINT, text=shown, align=align)


def printable(text: str) -> str:
    """In the Western European letters that every PDF reader has: others without their accent, or as a question mark."""
    found = []
    for character in unicodedata.normalize("NFC", text):
        for spelling in (character, unicodedata.normalize("NFKD", character)[0]):
            if spelling.isprintable() and spelling.encode("latin-1", "ignore"):
                found.append(spelling)
                break
        else:
            found.append("?" if character.isprintable() else " ")
    return "".join(found)

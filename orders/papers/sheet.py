"""What papers are made of. fpdf2 takes a second to import, so it waits for the first one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from accounts.queries.rates import minor_unit

MARGIN, WIDTH, LOGO = 18, 174, (50, 22)  # mm
TEXT, SMALL, TITLE = 9, 7.5, 16  # points
LINE = 4.2  # mm

type Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`texts` is all that anybody wrote; `font` a TrueType font for all scripts. The same paper has the same bytes."""

    title: str
    made_at: datetime
    texts: Collection[str]
    footer: str = ""
    font: str = ""


def document(sheet: Sheet) -> Any:
    from fpdf import FPDF  # noqa: PLC0415  # 1.2 s, for papers alone

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font(self.own, size=SMALL)  # type: ignore[attr-defined]  # set below
            self.cell(w=140, h=LINE, text=sheet.footer)
            self.cell(w=WIDTH - 140, h=LINE, text=f"{self.page_no()} / {{nb}}", align="R")

    pdf: Any = Document(unit="mm", format="A4")
    pdf.own, pdf.bold = "helvetica", "B"
    if not all(text.isascii() or _is_western(text) for text in sheet.texts):
        pdf.own, pdf.bold = "all", ""
        pdf.add_font("all", fname=sheet.font or _spare_font())
        if sheet.font:
            pdf.add_font("spare", fname=_spare_font())
            pdf.set_fallback_fonts(["spare"], exact_match=False)
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.set_auto_page_break(True, margin=20)
    pdf.set_title(sheet.title)
    pdf.set_lang("en")
    pdf.set_creation_date(sheet.made_at)
    pdf.add_page()
    return pdf


def _spare_font() -> str:
    """It comes with the library of the barcodes: Latin, Greek, Cyrillic and more, not Chinese, Japanese or Korean."""
    found = find_spec("barcode")
    return str(Path(found.origin).parent / "fonts" / "DejaVuSansMono.ttf") if found and found.origin else ""


def _is_western(text: str) -> bool:
    return len(text.encode("latin-1", "ignore")) == len(text)


def head(pdf: Any, *, title: str, logo: bytes, sender: dict[str, Any], to: dict[str, Any], facts: Facts) -> None:
    """Who writes to whom, what is to be known at once, and what it is."""
    if logo:
        pdf.image(BytesIO(logo), x=MARGIN + WIDTH - LOGO[0], y=MARGIN, w=LOGO[0], h=LOGO[1], keep_aspect_ratio=True)
    pdf.set_xy(MARGIN, MARGIN)
    for number, line in enumerate(party_lines(sender)):
        write(pdf, line, size=TEXT, bold=number == 0)
    pdf.set_y(max(pdf.get_y(), MARGIN + LOGO[1]) + 8)
    top = pdf.get_y()
    for line in party_lines(to):
        write(pdf, line, size=TEXT, width=WIDTH / 2)
    low = pdf.get_y()
    pdf.set_y(top)
    for label, value in facts:
        if value:
            pdf.set_x(MARGIN + WIDTH / 2 + 8)
            pdf.set_font(pdf.own, size=TEXT)
            pdf.cell(w=34, h=LINE, text=label)
            pdf.cell(w=0, h=LINE, text=value, align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(max(low, pdf.get_y()) + 8)
    write(pdf, title, size=TITLE, bold=True, height=8)
    pdf.ln(2)


def party_lines(party: dict[str, Any]) -> list[str]:
    town = " ".join(filter(None, (party.get("postal_code"), party.get("city"))))
    tax_number = party.get("tax_number")
    lines = [
        party.get("name"), party.get("street1"), party.get("street2"), town, party.get("region"), party.get("country"),
        f"Tax number {tax_number}" if tax_number else "",
    ]
    return [line for line in lines if line]


def table(pdf: Any, columns: Sequence[tuple[str, float, str]], rows: Sequence[Sequence[str]]) -> None:
    """Each column: its heading, its width in mm, and LEFT or RIGHT. The headings come again on each page."""
    from fpdf.fonts import FontFace  # noqa: PLC0415  # as above

    headings, widths, sides = zip(*columns, strict=True)
    pdf.set_font(pdf.own, size=SMALL + 0.5)
    style = FontFace(emphasis="BOLD" if pdf.bold else None, fill_color=(235, 235, 235))
    with pdf.table(
        col_widths=widths, text_align=sides, line_height=LINE, borders_layout="HORIZONTAL_LINES", padding=0.8,
        headings_style=style, width=WIDTH,
    ) as drawn:
        for cells in (headings, *rows):
            row = drawn.row()
            for words in cells:
                row.cell(words)
    pdf.ln(3)


def totals(pdf: Any, lines: Facts, total: tuple[str, str]) -> None:
    """On one page, below the table."""
    pdf.set_auto_page_break(True, margin=20)
    if pdf.get_y() + (len(lines) + 2) * (LINE + 0.6) > pdf.h - 20:
        pdf.add_page()
    for label, value in lines:
        _sum(pdf, label, value)
    _sum(pdf, *total, bold=True)
    pdf.ln(5)


def _sum(pdf: Any, label: str, value: str, *, bold: bool = False) -> None:
    pdf.set_font(pdf.own, pdf.bold if bold else "", size=TEXT + (1 if bold else 0))
    pdf.set_x(MARGIN + WIDTH - 100)
    pdf.cell(w=68, h=LINE + 0.6, text=label)
    pdf.cell(w=32, h=LINE + 0.6, text=value, align="R", new_x="LMARGIN", new_y="NEXT")


def write(pdf: Any, words: str, *, size: float, bold: bool = False, width: float = WIDTH, height: float = LINE) -> None:
    pdf.set_font(pdf.own, pdf.bold if bold else "", size=size)
    pdf.set_x(MARGIN)
    pdf.multi_cell(w=width, h=height, text=words, align="L", new_x="LMARGIN", new_y="NEXT")


def words(pdf: Any, lines: Sequence[str]) -> None:
    """A paragraph for each that is not empty."""
    for line in filter(None, lines):
        write(pdf, line, size=TEXT)
        pdf.ln(1.5)


def money(amount: Decimal, currency: str) -> str:
    return f"{amount.quantize(minor_unit(currency)):,f}"


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def day_of(day: date | None) -> str:
    return day.isoformat() if day else ""


def filename(name: str, ending: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name) + f".{ending}"

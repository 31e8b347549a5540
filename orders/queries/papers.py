"""What papers of the warehouse have in common. fpdf2 takes a second to import, so it waits for the first paper."""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings


def paper() -> tuple[Any, str]:
    """An empty page, and the font to write in."""
    from fpdf import FPDF  # noqa: PLC0415  # 1.2 s, for papers alone

    pdf: Any = FPDF(unit="mm", format="A4")
    family = "paper" if settings.LABEL_FONT else "helvetica"
    if settings.LABEL_FONT:
        pdf.add_font(family, fname=settings.LABEL_FONT)
    pdf.add_page()
    return pdf, family


def rows(
    pdf: Any, family: str, widths: tuple[int, ...], head: tuple[str, ...], lines: Sequence[tuple[str, ...]],
) -> None:
    """In each line, as in the head, the quantity stands to the right."""
    pdf.set_font(family, size=9)
    align = ["RIGHT" if name == "Quantity" else "LEFT" for name in head]
    with pdf.table(col_widths=widths, text_align=align, first_row_as_headings=False) as table:
        for line in (head, *lines):
            cells = table.row()
            for value in line:
                cells.cell(_plain(value))
    pdf.ln(4)


def text(pdf: Any, family: str, words: str, size: int) -> None:
    pdf.set_font(family, size=size)
    pdf.multi_cell(0, size / 2, _plain(words), new_x="LMARGIN", new_y="NEXT")


def number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _plain(text: str) -> str:
    """Without a font of one's own, in the letters that the built-in one has."""
    shown = "".join(one for one in unicodedata.normalize("NFC", text) if one.isprintable())
    if settings.LABEL_FONT:
        return shown
    return "".join(
        one if one.encode("latin-1", "ignore") else unicodedata.normalize("NFKD", one)[0] for one in shown
    ).encode("latin-1", "replace").decode("latin-1")

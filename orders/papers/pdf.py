"""An invoice on paper. fpdf2 takes a second to import, so it waits for the first one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from accounts.queries.rates import minor_unit
from orders.models import Invoice, InvoiceItem

MARGIN, WIDTH, LOGO = 18, 174, (50, 22)  # mm
TEXT, SMALL, TITLE = 9, 7.5, 16  # points
LINE = 4.2  # mm
COLUMNS = (12, 68, 22, 26, 16, 30)


@dataclass(frozen=True, slots=True)
class Paper:
    """`font` is a TrueType font for all scripts; `logo` the bytes of a picture."""

    invoice: Invoice
    items: Sequence[InvoiceItem]
    order_number: str
    corrects: str = ""
    logo: bytes = b""
    font: str = ""


def pdf_of(paper: Paper) -> bytes:
    pdf = _document(paper)
    _head(pdf, paper)
    _table(pdf, paper)
    _totals(pdf, paper.invoice)
    _words(pdf, paper.invoice)
    return bytes(pdf.output())


def title_of(invoice: Invoice) -> str:
    kind = str(invoice.get_kind_display())
    return f"{kind} {invoice.number}" if invoice.status == Invoice.Status.ISSUED else f"{kind}: draft, not issued"


def _document(paper: Paper) -> Any:
    from fpdf import FPDF  # noqa: PLC0415  # 1.2 s, for papers alone

    footer = str(paper.invoice.seller.get("footer", ""))

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font(self.own, size=SMALL)  # type: ignore[attr-defined]  # set below
            self.cell(w=140, h=LINE, text=footer)
            self.cell(w=WIDTH - 140, h=LINE, text=f"{self.page_no()} / {{nb}}", align="R")

    pdf: Any = Document(unit="mm", format="A4")
    pdf.own, pdf.bold = "helvetica", "B"
    if not all(text.isascii() or _is_western(text) for text in _texts(paper)):
        pdf.own, pdf.bold = "all", ""
        pdf.add_font("all", fname=paper.font or _spare_font())
        if paper.font:
            pdf.add_font("spare", fname=_spare_font())
            pdf.set_fallback_fonts(["spare"], exact_match=False)
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.set_auto_page_break(True, margin=20)
    pdf.set_title(title_of(paper.invoice))
    pdf.set_lang("en")
    pdf.set_creation_date(paper.invoice.issued_at or paper.invoice.created_at)  # the same paper has the same bytes
    pdf.add_page()
    return pdf


def _spare_font() -> str:
    """It comes with the library of the barcodes: Latin, Greek, Cyrillic and more, not Chinese, Japanese or Korean."""
    found = find_spec("barcode")
    return str(Path(found.origin).parent / "fonts" / "DejaVuSansMono.ttf") if found and found.origin else ""


def _is_western(text: str) -> bool:
    return len(text.encode("latin-1", "ignore")) == len(text)


def _texts(paper: Paper) -> list[str]:
    invoice = paper.invoice
    said = [str(value) for party in (invoice.seller, invoice.buyer) for value in party.values()]
    return [*said, invoice.note, paper.order_number, *(one.name for one in paper.items), *(one.sku for one in paper.items)]


def _head(pdf: Any, paper: Paper) -> None:
    invoice = paper.invoice
    if paper.logo:
        pdf.image(BytesIO(paper.logo), x=MARGIN + WIDTH - LOGO[0], y=MARGIN, w=LOGO[0], h=LOGO[1], keep_aspect_ratio=True)
    pdf.set_xy(MARGIN, MARGIN)
    for number, line in enumerate(_party(invoice.seller)):
        _write(pdf, line, size=TEXT, bold=number == 0)
    pdf.set_y(max(pdf.get_y(), MARGIN + LOGO[1]) + 8)
    top = pdf.get_y()
    for line in _party(invoice.buyer):
        _write(pdf, line, size=TEXT, width=WIDTH / 2)
    low = pdf.get_y()
    pdf.set_y(top)
    for label, value in _facts(paper):
        pdf.set_x(MARGIN + WIDTH / 2 + 8)
        pdf.set_font(pdf.own, size=TEXT)
        pdf.cell(w=34, h=LINE, text=label)
        pdf.cell(w=0, h=LINE, text=value, align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(max(low, pdf.get_y()) + 8)
    _write(pdf, title_of(invoice), size=TITLE, bold=True, height=8)
    pdf.ln(2)


def _party(party: dict[str, Any]) -> list[str]:
    town = " ".join(filter(None, (party.get("postal_code"), party.get("city"))))
    tax_number = party.get("tax_number")
    lines = [
        party.get("name"), party.get("street1"), party.get("street2"), town, party.get("region"), party.get("country"),
        f"Tax number {tax_number}" if tax_number else "",
    ]
    return [line for line in lines if line]


def _facts(paper: Paper) -> list[tuple[str, str]]:
    invoice = paper.invoice
    found = [
        ("Date", _day(invoice.issued_on)), ("Due", _day(invoice.due_on)), ("Delivered", _day(invoice.delivered_on)),
        ("Corrects invoice", paper.corrects), ("Order", paper.order_number), ("Customer", str(invoice.buyer.get("code", ""))),
    ]
    return [(label, value) for label, value in found if value]


def _table(pdf: Any, paper: Paper) -> None:
    currency = paper.invoice.currency
    pdf.set_font(pdf.own, size=SMALL + 0.5)
    heading = _style(pdf)
    with pdf.table(
        col_widths=COLUMNS, text_align=("RIGHT", "LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"), line_height=LINE,
        borders_layout="HORIZONTAL_LINES", padding=0.8, headings_style=heading, width=WIDTH,
    ) as table:
        row = table.row()
        for words in ("Line", "Goods", "Quantity", "Price", "Tax %", f"Net, {currency}"):
            row.cell(words)
        for item in paper.items:
            row = table.row()
            for words in _cells(item, currency):
                row.cell(words)
    pdf.ln(3)


def _style(pdf: Any) -> Any:
    from fpdf.fonts import FontFace  # noqa: PLC0415  # as above

    return FontFace(emphasis="BOLD" if pdf.bold else None, fill_color=(235, 235, 235))


def _cells(item: InvoiceItem, currency: str) -> tuple[str, ...]:
    name = f"{item.sku}  {item.name}" if item.sku else item.name
    price = f"{plain(item.unit_price)}{' incl.' if item.includes_tax else ''}" if item.kind == "goods" and item.quantity else ""
    if item.discount:
        name += f"\nless {money(item.discount, currency)}"
    quantity = plain(item.quantity) if item.quantity and item.kind == "goods" else ""
    return (str(item.line), name, quantity, price, plain(item.tax_rate), money(item.net_amount, currency))


def _totals(pdf: Any, invoice: Invoice) -> None:
    currency = invoice.currency
    lines = [("Net", money(invoice.net_total, currency))]
    for tax in invoice.taxes:
        rate, net = plain(Decimal(tax["rate"])), money(Decimal(tax["net"]), currency)
        words = "Exempt from tax" if tax["category"] == "E" else f"Tax {rate} % of {net}"
        lines.append((words, money(Decimal(tax["tax"]), currency)))
    if invoice.rounding:
        lines.append(("Rounding", money(invoice.rounding, currency)))
    pdf.set_auto_page_break(True, margin=20)
    if pdf.get_y() + (len(lines) + 2) * (LINE + 0.6) > pdf.h - 20:
        pdf.add_page()
    for label, value in lines:
        _sum(pdf, label, value)
    _sum(pdf, f"Total, {currency}", money(invoice.total, currency), bold=True)
    pdf.ln(5)


def _sum(pdf: Any, label: str, value: str, *, bold: bool = False) -> None:
    pdf.set_font(pdf.own, pdf.bold if bold else "", size=TEXT + (1 if bold else 0))
    pdf.set_x(MARGIN + WIDTH - 100)
    pdf.cell(w=68, h=LINE + 0.6, text=label)
    pdf.cell(w=32, h=LINE + 0.6, text=value, align="R", new_x="LMARGIN", new_y="NEXT")


def _words(pdf: Any, invoice: Invoice) -> None:
    seller = invoice.seller
    bank = ", ".join(f"{label} {seller[name]}" for label, name in (("IBAN", "iban"), ("BIC", "bic")) if seller.get(name))
    for words in (payment_of(invoice), bank, str(seller.get("terms", "")), invoice.note):
        if words:
            _write(pdf, words, size=TEXT)
            pdf.ln(1.5)


def payment_of(invoice: Invoice) -> str:
    if invoice.kind == Invoice.Kind.CREDIT_NOTE or invoice.due_on is None:
        return ""
    at_once = invoice.issued_on is not None and invoice.due_on <= invoice.issued_on
    return "Payable at once." if at_once else f"Payable until {_day(invoice.due_on)}."


def money(amount: Decimal, currency: str) -> str:
    return f"{amount.quantize(minor_unit(currency)):,f}"


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _write(pdf: Any, words: str, *, size: float, bold: bool = False, width: float = WIDTH, height: float = LINE) -> None:
    pdf.set_font(pdf.own, pdf.bold if bold else "", size=size)
    pdf.set_x(MARGIN)
    pdf.multi_cell(w=width, h=height, text=words, align="L", new_x="LMARGIN", new_y="NEXT")

"""An invoice on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from orders.models import Invoice, InvoiceItem
from orders.papers.sheet import Facts, Sheet, day_of, document, head, money, plain, table, totals, words


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
    invoice, currency = paper.invoice, paper.invoice.currency
    title, footer = title_of(invoice), str(invoice.seller.get("footer", ""))
    pdf = document(Sheet(title, invoice.issued_at or invoice.created_at, _texts(paper), footer, paper.font))
    head(pdf, title=title, logo=paper.logo, sender=invoice.seller, to=invoice.buyer, facts=_facts(paper))
    columns = [
        ("Line", 12, "RIGHT"), ("Goods", 68, "LEFT"), ("Quantity", 22, "RIGHT"), ("Price", 26, "RIGHT"), ("Tax %", 16, "RIGHT"),
        (f"Net, {currency}", 30, "RIGHT"),
    ]
    table(pdf, columns, [_cells(item, currency) for item in paper.items])
    totals(pdf, _sums(invoice), (f"Total, {currency}", money(invoice.total, currency)))
    seller = invoice.seller
    bank = ", ".join(f"{label} {seller[name]}" for label, name in (("IBAN", "iban"), ("BIC", "bic")) if seller.get(name))
    words(pdf, [payment_of(invoice), bank, str(seller.get("terms", "")), invoice.note])
    return bytes(pdf.output())


def title_of(invoice: Invoice) -> str:
    kind = str(invoice.get_kind_display())
    return f"{kind} {invoice.number}" if invoice.status == Invoice.Status.ISSUED else f"{kind}: draft, not issued"


def _texts(paper: Paper) -> list[str]:
    invoice = paper.invoice
    said = [str(value) for party in (invoice.seller, invoice.buyer) for value in party.values()]
    return [*said, invoice.note, paper.order_number, *(one.name for one in paper.items), *(one.sku for one in paper.items)]


def _facts(paper: Paper) -> Facts:
    invoice = paper.invoice
    return [
        ("Date", day_of(invoice.issued_on)), ("Due", day_of(invoice.due_on)), ("Delivered", day_of(invoice.delivered_on)),
        ("Corrects invoice", paper.corrects), ("Order", paper.order_number), ("Customer", str(invoice.buyer.get("code", ""))),
    ]


def _cells(item: InvoiceItem, currency: str) -> tuple[str, ...]:
    name = f"{item.sku}  {item.name}" if item.sku else item.name
    price = f"{plain(item.unit_price)}{' incl.' if item.includes_tax else ''}" if item.kind == "goods" and item.quantity else ""
    if item.discount:
        name += f"\nless {money(item.discount, currency)}"
    quantity = plain(item.quantity) if item.quantity and item.kind == "goods" else ""
    return (str(item.line), name, quantity, price, plain(item.tax_rate), money(item.net_amount, currency))


def _sums(invoice: Invoice) -> Facts:
    currency = invoice.currency
    lines = [("Net", money(invoice.net_total, currency))]
    for tax in invoice.taxes:
        rate, net = plain(Decimal(tax["rate"])), money(Decimal(tax["net"]), currency)
        label = "Exempt from tax" if tax["category"] == "E" else f"Tax {rate} % of {net}"
        lines.append((label, money(Decimal(tax["tax"]), currency)))
    if invoice.rounding:
        lines.append(("Rounding", money(invoice.rounding, currency)))
    return lines


def payment_of(invoice: Invoice) -> str:
    if invoice.kind == Invoice.Kind.CREDIT_NOTE or invoice.due_on is None:
        return ""
    at_once = invoice.issued_on is not None and invoice.due_on <= invoice.issued_on
    return "Payable at once." if at_once else f"Payable until {day_of(invoice.due_on)}."

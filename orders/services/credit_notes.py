"""Credit notes: what of an invoice is taken back, in goods or in money, and never more than it asked for.

The order is locked first, then the invoice, as for invoices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from uuid import UUID

from django.db.models import Sum

from accounts.queries.rates import DIGITS, minor_unit
from core.errors import Conflict, Invalid
from orders.models import Invoice, InvoiceItem, SalesOrder
from orders.services.discount_shares import PROMOTION, weight_of
from orders.services.invoice_amounts import NOTHING, ZERO, Amount, part_of, spread
from orders.services.invoices import in_proportion, invoice_write, locked

Kind, Status = Invoice.Kind, Invoice.Status
SMALLEST = Decimal("0.000001")  # of a quantity


@dataclass(frozen=True, slots=True)
class CreditLine:
    """So much of a line of the invoice, or so much money of it, with tax."""

    item_id: UUID
    quantity: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """So much of a line of the order came back; `kit_id` is the line of the kit whose component it is."""

    order_item_id: UUID
    quantity: Decimal
    kit_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Left:
    """What of a line of the invoice no credit note has taken, drafts among them."""

    item: InvoiceItem
    quantity: Decimal
    amount: Amount

    @property
    def credited(self) -> Amount:
        return Amount(self.item.net_amount, self.item.tax_amount).less(self.amount)


def credit_note_draft(
    *, invoice: Invoice, lines: Sequence[CreditLine] | None = None, amount: Decimal | None = None, note: str = "",
) -> Invoice:
    """Of these lines, with their part of the discounts; or of an amount with tax, over all lines; or of all that is left.

    Goods that are credited may be invoiced again once it is issued; money alone is not. Raises Conflict for more than is left.
    """
    row = locked(invoice)
    if row.kind != Kind.INVOICE or row.status != Status.ISSUED:
        raise Conflict("Only an invoice that is issued is credited; change or delete a draft.", code="wrong_status")
    if lines is not None and amount is not None:
        raise Invalid("Say which lines, or how much, but not both.", fields={"amount": "not with lines"})
    left, made = _left(row), _empty(row, note)
    if amount is not None:
        items = _of_amount(made, left, amount)
    elif lines is not None:
        items = _of_lines(made, left, lines)
    else:
        items = [_item(made, one, one.quantity, one.amount) for one in left.values() if one.quantity or one.amount != NOTHING]
    return _written(made, items, left)


def credit_notes_draft_for_return(*, order: SalesOrder, lines: Sequence[ReturnedLine], note: str = "") -> list[Invoice]:
    """Of an order that is locked: a draft for each invoice that the goods are on, the newest first. What was never invoiced
    needs none.
    """
    wanted: dict[UUID, Decimal] = {}
    for line in lines:
        wanted[line.order_item_id] = wanted.get(line.order_item_id, ZERO) + line.quantity
    made = []
    issued = Invoice.objects.filter(order=order, kind=Kind.INVOICE, status=Status.ISSUED).order_by("-issued_at", "-pk")
    for invoice in issued.select_for_update(no_key=True):
        left, credited = _left(invoice), []
        for one in left.values():
            key = one.item.order_item_id
            if key is not None and (quantity := min(one.quantity, wanted.get(key, ZERO))) > 0:
                wanted[key] -= quantity
                credited.append(CreditLine(one.item.pk, quantity))
        if credited:
            note_of = _empty(invoice, note)
            made.append(_written(note_of, _of_lines(note_of, left, credited), left))
    return made


def _empty(invoice: Invoice, note: str) -> Invoice:
    return Invoice(
        kind=Kind.CREDIT_NOTE, corrects=invoice, order_id=invoice.order_id, customer_id=invoice.customer_id,
        warehouse_id=invoice.warehouse_id, currency=invoice.currency, note=note, delivered_on=invoice.delivered_on,
        seller=invoice.seller, buyer=invoice.buyer,
    )


def _written(made: Invoice, items: Sequence[InvoiceItem], left: Mapping[UUID, _Left]) -> Invoice:
    """Raises Conflict for more than is left, or for nothing."""
    if not items:
        raise Conflict(f"Nothing of {made.corrects} is left to credit.", code="nothing_to_credit")
    most = sum((one.amount.gross for one in left.values()), ZERO)
    if sum((one.net_amount + one.tax_amount for one in items), ZERO) > most:
        raise _over(made.corrects, most)
    invoice_write(made, items)
    return made


def _left(invoice: Invoice) -> dict[UUID, _Left]:
    taken = {
        row["corrects"]: row for row in InvoiceItem.objects.filter(corrects__invoice=invoice).order_by().values("corrects")
        .annotate(quantity=Sum("quantity"), net=Sum("net_amount"), tax=Sum("tax_amount"))
    }
    found = {}
    for item in invoice.items.select_related("order_item", "adjustment").order_by("line"):
        gone = taken.get(item.pk, {"quantity": ZERO, "net": ZERO, "tax": ZERO})
        amount = Amount(item.net_amount, item.tax_amount).less(Amount(gone["net"], gone["tax"]))
        found[item.pk] = _Left(item, item.quantity - gone["quantity"], amount)
    return found


def _of_amount(made: Invoice, left: Mapping[UUID, _Left], amount: Decimal) -> list[InvoiceItem]:
    _check_amount(amount, made.currency, "amount")
    whole = sum((one.amount.gross for one in left.values()), ZERO)
    if amount > whole:
        raise _over(made.corrects, whole)
    rows = list(left.values())
    parts = spread([one.amount for one in rows], amount, made.currency, rates=[one.item.tax_rate for one in rows])
    return [_item(made, one, ZERO, part) for one, part in zip(rows, parts, strict=True) if part != NOTHING]


def _of_lines(made: Invoice, left: Mapping[UUID, _Left], lines: Sequence[CreditLine]) -> list[InvoiceItem]:
    if not lines:
        raise Invalid("Say which lines, or leave them out for all.", fields={"lines": "empty"})
    items: dict[UUID, InvoiceItem] = {}
    for number, line in enumerate(lines):
        found = left.get(line.item_id)
        if found is None or line.item_id in items:
            detail = "This line comes twice." if found else "There is no such line on this invoice."
            raise Invalid(detail, code="does_not_exist", fields={f"lines/{number}/line": detail})
        items[line.item_id] = _of_line(made, found, line, f"lines/{number}")
    if any(item.quantity for item in items.values()):
        items |= _discounts(made, left, items)
    return list(items.values())


def _of_line(made: Invoice, left: _Left, line: CreditLine, where: str) -> InvoiceItem:
    if (line.quantity is None) == (line.amount is None):
        detail = "Say how many are credited, or how much money."
        raise Invalid(detail, fields={f"{where}/quantity": detail})
    if line.amount is not None:
        _check_amount(line.amount, made.currency, f"{where}/amount")
        if line.amount > left.amount.gross:
            raise _over(made.corrects, left.amount.gross, left.item.sku or left.item.name)
        [part] = spread([left.amount], line.amount, made.currency, rates=[left.item.tax_rate])
        return _item(made, left, ZERO, part)
    quantity = line.quantity or ZERO
    if quantity <= 0:
        raise Invalid("A quantity must be above zero.", fields={f"{where}/quantity": "not positive"})
    if quantity > left.quantity:
        named = left.item.sku or left.item.name
        raise Conflict(f"Of {named} only {left.quantity.normalize():f} are left to credit.", code="over_credited")
    return _item(made, left, quantity, part_of(left.amount, quantity, left.quantity, made.currency, rate=left.item.tax_rate))


def _discounts(made: Invoice, left: Mapping[UUID, _Left], items: Mapping[UUID, InvoiceItem]) -> dict[UUID, InvoiceItem]:
    """Goods that go take their part of the invoice's discounts with them."""
    goods = [one for one in left.values() if one.item.kind == InvoiceItem.Kind.GOODS]
    credited = {
        one.item.pk: one.credited.net + (items[one.item.pk].net_amount if one.item.pk in items else ZERO) for one in goods
    }
    found = {}
    for key, one in left.items():
        if one.item.kind != InvoiceItem.Kind.DISCOUNT or key in items:
            continue
        all_of_it = Amount(one.item.net_amount, one.item.tax_amount)
        weights = {line.item: _weight(line.item, one.item) for line in goods}
        if not any(weights.values()):  # what the promotion is for has changed since
            weights = {line.item: line.item.net_amount for line in goods}
        with localcontext(prec=DIGITS):
            reached = sum((
                weight if credited[item.pk] == item.net_amount else weight * credited[item.pk] / item.net_amount
                for item, weight in weights.items()
            ), ZERO)
        part = in_proportion(all_of_it, one.credited, reached, sum(weights.values(), ZERO), made.currency)
        if part != NOTHING:
            share = one.quantity if part == one.amount else (one.quantity * part.gross / one.amount.gross).quantize(SMALLEST)
            found[key] = _item(made, one, share, part)
    return found


def _weight(item: InvoiceItem, discount: InvoiceItem) -> Decimal:
    """By what the goods of an invoice share its discounts, as those of the order do."""
    line, adjustment = item.order_item, discount.adjustment
    if line is None or adjustment is None or adjustment.source_type != PROMOTION:
        return item.net_amount
    with localcontext(prec=DIGITS):
        return weight_of(line, adjustment) * item.quantity / line.quantity


def _item(made: Invoice, left: _Left, quantity: Decimal, part: Amount) -> InvoiceItem:
    of = left.item
    return InvoiceItem(
        invoice=made, corrects=of, kind=of.kind, order_item_id=of.order_item_id, adjustment_id=of.adjustment_id, sku=of.sku,
        name=of.name, unit=of.unit, quantity=quantity, unit_price=of.unit_price, includes_tax=of.includes_tax,
        tax_rate=of.tax_rate, tax_category=of.tax_category, net_amount=part.net, tax_amount=part.tax,
    )


def _check_amount(amount: Decimal, currency: str, where: str) -> None:
    if amount <= 0 or amount != amount.quantize(minor_unit(currency)):
        detail = f"More than nothing, to {minor_unit(currency).normalize():f} {currency}."
        raise Invalid(detail, fields={where: detail})


def _over(invoice: Invoice | None, left: Decimal, what: str = "") -> Conflict:
    of = f"{what} on {invoice}" if what else f"{invoice}"
    return Conflict(f"Of {of} only {left.normalize():f} are left to credit.", code="over_credited")

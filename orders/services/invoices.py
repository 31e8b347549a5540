"""Invoices: drafted from an order, in parts or whole, and issued, after which they stay as they are.

The order is locked first, then the invoice, and last the number, for which all wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Organization
from accounts.queries.rates import DIGITS, minor_unit
from accounts.services.documents import number_take
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id
from orders.events_invoices import InvoiceIssued
from orders.machines import INVOICES
from orders.models import Invoice, InvoiceItem, OrderAdjustment, SalesOrder, SalesOrderItem
from orders.queries.invoices import buyer_of, layout_of, lines_outdated, lines_to_invoice, seller_of
from orders.services.discount_shares import over, weight_of
from orders.services.invoice_amounts import NOTHING, ZERO, Amount, part_of, totals_set
from orders.services.payment_settling import sales_order_paid_follow
from orders.services.sales_orders import locked as order_locked
from orders.services.stepping import allow, refusal, step, told

NUMBERS = {Invoice.Kind.INVOICE: "INV-{number:06}", Invoice.Kind.CREDIT_NOTE: "CN-{number:06}"}
MOST_NAMED = 5
SHIPPED, ORDERED = "shipped", "ordered"
Kind, Status = Invoice.Kind, Invoice.Status
Category = InvoiceItem.TaxCategory

COUNT = """
    WITH counted AS (
        UPDATE orders_salesorderitem AS l SET invoiced_quantity = l.invoiced_quantity + %(sign)s * t.quantity
        FROM (
            SELECT order_item_id AS id, sum(quantity) AS quantity FROM orders_invoiceitem
            WHERE organization_id = %(organization)s AND invoice_id = %(invoice)s AND order_item_id IS NOT NULL
            GROUP BY order_item_id
        ) AS t
        WHERE l.organization_id = %(organization)s AND l.id = t.id AND t.quantity > 0
    )
    SELECT EXISTS (
        SELECT FROM orders_invoiceitem
        WHERE organization_id = %(organization)s AND invoice_id = %(invoice)s AND quantity = 0
    )
"""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """So much of a line of the order."""

    order_item_id: UUID
    quantity: Decimal


def invoice_draft_from_order(
    *, order: SalesOrder, basis: str = SHIPPED, lines: Sequence[InvoiceLine] | None = None, note: str = "",
    due_on: date | None = None,
) -> Invoice:
    """Of what has left and is not invoiced yet; of all that is ordered, with `basis` ordered; or of these lines alone.

    Shipping and surcharges come with the first invoice, discounts in proportion to the goods. What is drafted counts as invoiced.
    """
    row = order_locked(order)
    if row.status == SalesOrder.Status.DRAFT:
        raise Conflict("A cart is not invoiced: place the order first.", code="wrong_status")
    if row.status == SalesOrder.Status.CANCELLED:
        raise Conflict(f"{row.number} is canceled: nothing of it is invoiced.", code="wrong_status")
    goods = lines_to_invoice(row)
    wanted = _wanted(goods, basis, lines)
    billed = _billed(row)
    invoice = Invoice(
        kind=Kind.INVOICE, order=row, customer_id=row.customer_id, warehouse_id=row.warehouse_id, currency=row.currency,
        due_on=due_on, note=note, delivered_on=_day(row.shipped_at), seller=seller_of(row), buyer=buyer_of(row),
    )
    items = [_goods_item(invoice, line, wanted[line.pk], billed.get(line.pk, NOTHING)) for line in goods if line.pk in wanted]
    is_open = any(open_quantity(line) > wanted.get(line.pk, ZERO) for line in goods)
    if items or (billed and not is_open):
        items += _adjustment_items(invoice, goods, wanted, billed)
        items = _level(invoice, items, billed, len(goods) + len(items))
    if not items:
        raise Conflict(
            f"Nothing of {row.number} is left to invoice: all that has left is invoiced. What is ordered may be invoiced ahead,"
            " with the basis ordered." if basis == SHIPPED else f"All of {row.number} is invoiced.", code="nothing_to_invoice",
        )
    invoice_write(invoice, items)
    _count(invoice, 1)
    return invoice


def invoice_change(*, invoice: Invoice, **values: Any) -> Invoice:
    """Of a draft, the day when it is due, and the note. Raises Conflict for one that is issued."""
    row = locked(invoice)
    _refuse_issued(row, "change")
    for name, value in values.items():
        setattr(row, name, value)
    if values:
        row.save(update_fields=list(values))
    return row


def invoice_delete(*, invoice: Invoice) -> None:
    """A draft: what was on it may be invoiced, or credited, again."""
    row = locked(invoice)
    _refuse_issued(row, "delete")
    if row.kind == Kind.INVOICE:
        _count(row, -1)
    row.delete()


def invoice_issue(*, invoice: Invoice) -> Invoice:
    """It gets its number, its day, and who sells to whom as they are now, and never changes again."""
    row = locked(invoice)
    allow(INVOICES, row, "issue")
    seller, buyer, layout = seller_of(row.order), buyer_of(row.order), layout_of(row.order)
    takes_money = row.kind == Kind.CREDIT_NOTE and _count(row, -1)
    if row.kind == Kind.INVOICE:
        _refuse_outdated(row)
    zone = Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id())
    terms = row.customer.party.payment_terms_days if row.customer else None
    taken = number_take(document_type=row.kind, first=NUMBERS[Kind(row.kind)], gapless=True)
    now = timezone.now()  # with the number in hand, so that numbers and times go together
    today = now.astimezone(ZoneInfo(zone)).date()
    due_on = row.due_on
    if row.kind == Kind.INVOICE and due_on is None:
        due_on = today + timedelta(days=layout.payment_days if terms is None and layout else terms or 0)
    if due_on is not None and due_on < today:
        raise Conflict(f"It would be due on {due_on}, before it is issued: change that day first.", code="due_before_issue")
    step(
        INVOICES, row, "issue", number=taken.text, counter=taken.counter, series=taken.series, issued_at=now, issued_on=today,
        due_on=due_on, seller=seller, buyer=buyer,
    )
    told(INVOICES, "issue", InvoiceIssued(
        invoice=row.pk, number=taken.text, kind=row.kind, order=row.order_id, order_number=row.order.number or "",
        customer=row.customer_id, corrects=row.corrects_id, currency=row.currency, net_total=row.net_total,
        tax_total=row.tax_total, total=row.total, issued_on=today, due_on=due_on,
    ), aggregate_id=row.pk)
    if takes_money:
        sales_order_paid_follow(order=row.order)  # which costs less by money alone
    return row


def locked(invoice: Invoice) -> Invoice:
    """After its order, which whoever invoices or credits locks first."""
    order_locked(SalesOrder(pk=invoice.order_id))
    row: Invoice | None = Invoice.objects.select_for_update(of=("self",), no_key=True).select_related(
        "order__channel", "customer__party",
    ).filter(pk=invoice.pk).first()
    if row is None:
        raise NotFound("There is no such invoice.")
    return row


def invoice_write(invoice: Invoice, items: Sequence[InvoiceItem]) -> None:
    """Raises Conflict where discounts are more than the goods."""
    for number, item in enumerate(items, 1):
        item.line = number
    totals_set(invoice, items)
    if invoice.total < 0:
        raise Conflict("It would be worth less than nothing: take more goods with it.", code="total_below_zero")
    invoice.save(force_insert=True)
    InvoiceItem.objects.bulk_create(items)


def open_quantity(line: SalesOrderItem) -> Decimal:
    """What of a line, which lines_to_invoice read, may still be invoiced, whether it has left or not."""
    kept: Decimal = line.kept_quantity  # type: ignore[attr-defined]  # annotated
    return max(kept - line.invoiced_quantity, ZERO)


def in_proportion(whole: Amount, before: Amount, part: Decimal, of: Decimal, currency: str) -> Amount:
    """Of a discount: its share of the goods that are reached with `part` of all their worth, less what was taken before."""
    left = whole.less(before)
    if part >= of:
        return left
    unit = minor_unit(currency)
    with localcontext(prec=DIGITS):
        net, tax = ((one * part / of).quantize(unit, ROUND_HALF_UP) for one in whole)
    due = Amount(net, tax).less(before)
    return due if due.net * whole.net >= 0 else NOTHING


def _refuse_outdated(row: Invoice) -> None:
    if found := lines_outdated(row):
        words = "; ".join(f"{more.normalize():f} of {sku}" for sku, more in found[:MOST_NAMED])
        raise Conflict(
            f"Since this was drafted these came back, or were canceled: {words}. Delete it, and draft it anew.",
            code="over_invoiced",
        )


def _refuse_issued(row: Invoice, verb: str) -> None:
    if row.status != Status.DRAFT:
        raise refusal(INVOICES, row.status, verb)


def _wanted(goods: Sequence[SalesOrderItem], basis: str, lines: Sequence[InvoiceLine] | None) -> dict[UUID, Decimal]:
    if lines is None:
        found = {line.pk: open_quantity(line) for line in goods}
        if basis == SHIPPED:
            waits = {line.pk: line.quantity - line.cancelled_quantity - line.shipped_quantity for line in goods}
            found = {key: quantity - waits[key] for key, quantity in found.items()}
        return {key: quantity for key, quantity in found.items() if quantity > 0}
    if not lines:
        raise Invalid("Say which lines, or leave them out for all.", fields={"lines": "empty"})
    by_id, found = {line.pk: line for line in goods}, {}
    for number, one in enumerate(lines):
        line = by_id.get(one.order_item_id)
        if line is None:
            detail = "There is no such line on this order."
            raise Invalid(detail, code="does_not_exist", fields={f"lines/{number}/line": detail})
        if one.quantity <= 0:
            raise Invalid("A quantity must be above zero.", fields={f"lines/{number}/quantity": "not positive"})
        found[line.pk] = found.get(line.pk, ZERO) + one.quantity
        if found[line.pk] > (left := open_quantity(line)):
            raise Conflict(f"Of {line.sku} only {left.normalize():f} are left to invoice.", code="over_invoiced")
    return found


def _billed(order: SalesOrder) -> dict[UUID, Amount]:
    """By line and by adjustment of the order: what invoices ask for, less what credit notes have taken back with its quantity."""
    found: dict[UUID, Amount] = {}
    rows = InvoiceItem.objects.filter(invoice__order=order, quantity__gt=0).order_by().values_list(
        "order_item_id", "adjustment_id", "invoice__kind", "invoice__status",
    ).annotate(Sum("net_amount"), Sum("tax_amount"))
    for order_item, adjustment, kind, status, net, tax in rows:
        key = order_item or adjustment
        before = found.get(key, NOTHING)
        if kind == Kind.INVOICE:
            found[key] = before.plus(Amount(net, tax))
        elif status == Status.ISSUED:
            found[key] = before.less(Amount(net, tax))
    return found


def _goods_item(invoice: Invoice, line: SalesOrderItem, quantity: Decimal, billed: Amount) -> InvoiceItem:
    left = Amount(line.net_amount, line.tax_amount).less(billed)
    share = part_of(left, quantity, line.quantity - line.invoiced_quantity, invoice.currency, rate=line.tax_rate)
    with localcontext(prec=DIGITS):
        discount = (line.discount * quantity / line.quantity).quantize(minor_unit(invoice.currency), ROUND_HALF_UP)
    return InvoiceItem(
        invoice=invoice, kind=InvoiceItem.Kind.GOODS, order_item=line, sku=line.sku, name=line.name or line.sku,
        unit=line.variant.product.base_unit.code, quantity=quantity, unit_price=line.unit_price, includes_tax=line.includes_tax,
        discount=discount, tax_rate=line.tax_rate, tax_category=_category(invoice, line.tax_rate), net_amount=share.net,
        tax_amount=share.tax,
    )


def _adjustment_items(
    invoice: Invoice, goods: Sequence[SalesOrderItem], wanted: Mapping[UUID, Decimal], billed: Mapping[UUID, Amount],
) -> list[InvoiceItem]:
    found = []
    for one in invoice.order.adjustments.order_by("pk"):
        all_of_it, before = Amount(one.net_amount, one.tax_amount), billed.get(one.pk, NOTHING)
        share = all_of_it.less(before)
        if one.kind == OrderAdjustment.Kind.DISCOUNT:
            share = in_proportion(all_of_it, before, *_reached(one, goods, wanted), invoice.currency)
        found.append(InvoiceItem(
            invoice=invoice, kind=one.kind, adjustment=one, name=one.label, quantity=Decimal(1), unit_price=share.net,
            tax_rate=one.tax_rate, tax_category=_category(invoice, one.tax_rate), net_amount=share.net, tax_amount=share.tax,
        ))
    return found


def _level(invoice: Invoice, items: Sequence[InvoiceItem], billed: Mapping[UUID, Amount], rows: int) -> list[InvoiceItem]:
    """It asks for no less than nothing, and leaves no less than that for the rest; without what comes to nothing."""
    discounts = [one for one in items if one.kind == InvoiceItem.Kind.DISCOUNT]
    total = sum((one.net_amount + one.tax_amount for one in items), ZERO)
    most = invoice.order.total - sum((one.gross for one in billed.values()), ZERO)
    off = over(total, most, 2 * rows * minor_unit(invoice.currency))
    if off and discounts:
        largest = min(discounts, key=lambda one: one.net_amount)
        largest.net_amount -= off
        largest.unit_price = largest.net_amount
    return [one for one in items if one.kind == InvoiceItem.Kind.GOODS or one.net_amount or one.tax_amount]


def _reached(
    discount: OrderAdjustment, goods: Sequence[SalesOrderItem], wanted: Mapping[UUID, Decimal],
) -> tuple[Decimal, Decimal]:
    """Of the goods that share it, how much is invoiced with these, and how much there is."""
    with localcontext(prec=DIGITS):
        part = sum((
            weight_of(line, discount) * (line.invoiced_quantity + wanted.get(line.pk, ZERO)) / line.quantity for line in goods
        ), ZERO)
        whole = sum((
            weight_of(line, discount) * (line.quantity - line.cancelled_quantity) / line.quantity for line in goods
        ), ZERO)
    return part, whole


def _category(invoice: Invoice, rate: Decimal) -> str:
    if rate > 0:
        return Category.STANDARD
    return Category.EXEMPT if invoice.buyer.get("tax_exempt") else Category.ZERO


def _count(invoice: Invoice, sign: int) -> bool:
    """In the lines of the order, which it holds. Answers whether it asks for money alone too, or takes some back."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"sign": sign, "organization": active_organization_id(), "invoice": invoice.pk})
        return bool(cursor.fetchone()[0])


def _day(moment: Any) -> date | None:
    return moment.date() if moment else None

"""What is ordered and what it costs: lines and adjustments of a sales order, priced; the totals follow them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core.errors import Invalid
from inventory.queries import prices
from orders.models import OrderAdjustment, SalesOrder, SalesOrderItem
from orders.queries.sellable import Sellable, sellable
from orders.queries.shipping_options import question_of
from orders.services.charges import adjustments_store, charges_write
from orders.services.kits import whole_or_refused

MOST_LINES = 1_000
MOST_ADJUSTMENTS = 100
ZERO = Decimal(0)
PRICED = ("unit_price", "includes_tax", "tax_rate", "net_amount", "tax_amount", "price_reason")
TOTALS = ("net_total", "tax_total", "total")
AGREED = "Agreed"


@dataclass(frozen=True, slots=True)
class NewLine:
    """Without a price, what the price lists say; with one, that is agreed and stays. `id` is that of a line there is already."""

    variant_id: UUID
    quantity: Decimal
    unit_price: Decimal | None = None
    includes_tax: bool = False
    discount: Decimal = ZERO
    vehicle_model_id: UUID | None = None
    backorder_policy: str = SalesOrderItem.BackorderPolicy.CHANNEL
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    kind: str
    label: str
    net_amount: Decimal
    tax_rate: Decimal = ZERO


def lines_write(order: SalesOrder, lines: Sequence[NewLine]) -> None:
    """In the place of those before; the order's totals follow in memory alone."""
    lines_check(lines)
    rows = order.lines.in_bulk()
    known_or_refused(rows, lines)
    before = _amounts(rows.values())
    if rows:
        order.lines.all().delete()
    made = items(order, lines)
    if made:
        price(order, made)
        SalesOrderItem.objects.bulk_create(made)
    charged, charges = charges_write(order, made)
    totals_change(order, [*before, *charged], [*_amounts(made), *charges])


def order_write(order: SalesOrder, lines: Sequence[NewLine], adjustments: Sequence[NewAdjustment]) -> None:
    """A new one, with its lines and totals."""
    lines_check(lines)
    known_or_refused({}, lines)
    made = items(order, lines) if lines else []
    if made:
        price(order, made)
    totals_change(order, [], _amounts(made))
    order.save(force_insert=True)
    SalesOrderItem.objects.bulk_create(made)
    totals = [getattr(order, name) for name in TOTALS]
    if made:
        totals_change(order, *charges_write(order, made))
    if adjustments:
        adjustments_write(order, adjustments)
    if totals != [getattr(order, name) for name in TOTALS]:
        order.save(update_fields=TOTALS)


def adjustments_write(order: SalesOrder, adjustments: Sequence[NewAdjustment]) -> None:
    """In the place of those that people wrote before; the order's totals follow in memory alone."""
    if len(adjustments) > MOST_ADJUSTMENTS:
        raise Invalid(f"At most {MOST_ADJUSTMENTS} adjustments.", fields={"adjustments": "too many"})
    own = list(order.adjustments.filter(source_type="").order_by("pk"))
    before = [(one.net_amount, one.tax_amount) for one in own]
    made = [_adjustment(order, one) for one in adjustments]
    adjustments_store(order, dict(_told_apart(own)), _told_apart(made))
    totals_change(order, before, [(one.net_amount, one.tax_amount) for one in made])


def _told_apart(rows: Sequence[OrderAdjustment]) -> list[tuple[tuple[object, ...], OrderAdjustment]]:
    """By what they are for. Of some that are alike each has a number."""
    seen: Counter[tuple[object, ...]] = Counter()
    found: list[tuple[tuple[object, ...], OrderAdjustment]] = []
    for row in rows:
        key = (row.kind, row.label, row.tax_rate)
        seen[key] += 1
        found.append(((*key, seen[key]), row))
    return found


def reprice(order: SalesOrder, lines: Sequence[SalesOrderItem]) -> None:
    """What is not agreed costs what it costs now; the order's totals follow in memory alone."""
    before = [_priced(line) for line in lines]
    amounts = _amounts(lines)
    price(order, lines)
    changed = [line for line, old in zip(lines, before, strict=True) if _priced(line) != old]
    if changed:
        SalesOrderItem.objects.bulk_update(changed, PRICED)
    charged, charges = charges_write(order, lines)
    totals_change(order, [*amounts, *charged], [*_amounts(lines), *charges])


def price(order: SalesOrder, lines: Sequence[SalesOrderItem], *, kept: Collection[SalesOrderItem] = ()) -> None:
    """Raises Invalid for a variant that has no price, or of which the tax is not known. What is `kept` costs what it did."""
    quote = prices.prices_of(question_of(order), [
        prices.Wanted(line.variant_id, line.quantity, is_agreed=line.price_agreed or line in kept) for line in lines
    ])
    exempt = order.customer is not None and order.customer.tax_exempt
    unknown = [number for number, cost in enumerate(quote.costs) if cost.goods.rate is None]
    if unknown and not exempt and quote.charges_tax:
        why = quote.costs[unknown[0]].problems[-1]
        raise Invalid(why.detail, code=why.code, fields={f"lines/{number}/variant": why.detail for number in unknown})
    for number, (line, cost) in enumerate(zip(lines, quote.costs, strict=True)):
        if not line.price_agreed and line not in kept:
            _ask(line, cost, number)
        _price(line, cost, number, order.currency, exempt=exempt)


def _ask(line: SalesOrderItem, cost: prices.Cost, number: int) -> None:
    if cost.unit_price is None or cost.offer is None:
        raise Invalid(cost.why, code="no_price", fields={f"lines/{number}/unit_price": cost.why})
    line.unit_price, line.includes_tax, line.price_reason = cost.unit_price, cost.offer.includes_tax, cost.why[:300]


def _price(line: SalesOrderItem, cost: prices.Cost, number: int, currency: str, *, exempt: bool) -> None:
    rate = cost.goods.rate or ZERO
    amounts = prices.amounts(
        line.unit_price, line.quantity, rate, currency, includes_tax=line.includes_tax, discount=line.discount, exempt=exempt,
    )
    line.tax_rate, line.net_amount, line.tax_amount = ZERO if exempt else rate, amounts.net or ZERO, amounts.tax or ZERO
    if line.net_amount < 0:
        detail = "The discount is more than the goods cost."
        raise Invalid(detail, code="discount_too_large", fields={f"lines/{number}/discount": detail})


def lines_check(lines: Sequence[NewLine]) -> None:
    if len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines.", fields={"lines": "too many"})


def known_or_refused(rows: Mapping[UUID, SalesOrderItem], lines: Sequence[NewLine]) -> None:
    """Raises Invalid for a line that is not the order's own, or is named twice."""
    named = [line.id for line in lines if line.id]
    for number, line in enumerate(lines):
        if line.id and (line.id not in rows or named.count(line.id) > 1):
            detail = "This order has no such line." if line.id not in rows else "This line is named twice."
            raise Invalid(detail, code="does_not_exist", fields={f"lines/{number}/id": detail})


def items(order: SalesOrder, lines: Sequence[NewLine], *, first: int = 1) -> list[SalesOrderItem]:
    """New lines, not priced yet, whose numbers begin at `first`."""
    variants = sellable(line.variant_id for line in lines)
    wrong = {}
    for number, line in enumerate(lines):
        variant = variants.get(line.variant_id)
        if variant is None:
            wrong[f"lines/{number}/variant"] = "There is no such variant in this organization."
        elif variant.is_archived:
            wrong[f"lines/{number}/variant"] = f"{variant.sku} is archived: it is not sold any more."
    if wrong:
        raise Invalid(next(iter(wrong.values())), code="does_not_exist", fields=wrong)
    for number, line in enumerate(lines):
        if variants[line.variant_id].sold_by_components:
            whole_or_refused(variants[line.variant_id].sku, line.quantity, number)
    return [_item(order, number, line, variants[line.variant_id]) for number, line in enumerate(lines, first)]


def _item(order: SalesOrder, number: int, line: NewLine, variant: Sellable) -> SalesOrderItem:
    agreed = line.unit_price is not None
    return SalesOrderItem(
        **({"pk": line.id} if line.id else {}), order=order, line=number, variant_id=variant.id, sku=variant.sku,
        name=variant.name, quantity=line.quantity, unit_price=line.unit_price or ZERO,
        includes_tax=agreed and line.includes_tax,
        discount=line.discount, price_agreed=agreed, price_reason=AGREED if agreed else "",
        vehicle_model_id=line.vehicle_model_id, backorder_policy=line.backorder_policy,
        sold_by_components=variant.sold_by_components,
    )


def _adjustment(order: SalesOrder, one: NewAdjustment) -> OrderAdjustment:
    exempt = order.customer is not None and order.customer.tax_exempt
    amounts = prices.amounts(one.net_amount, Decimal(1), one.tax_rate, order.currency, exempt=exempt)
    return OrderAdjustment(
        order=order, kind=one.kind, label=one.label, net_amount=amounts.net or ZERO, tax_amount=amounts.tax or ZERO,
        tax_rate=ZERO if exempt else one.tax_rate,
    )


def _priced(line: SalesOrderItem) -> tuple[object, ...]:
    return tuple(getattr(line, name) for name in PRICED)


type Amounts = Sequence[tuple[Decimal, Decimal]]


def _amounts(lines: Iterable[SalesOrderItem]) -> Amounts:
    return [(line.net_amount, line.tax_amount) for line in lines]


def totals_change(order: SalesOrder, before: Amounts, after: Amounts) -> None:
    order.net_total += sum((net for net, _ in after), ZERO) - sum((net for net, _ in before), ZERO)
    order.tax_total += sum((tax for _, tax in after), ZERO) - sum((tax for _, tax in before), ZERO)
    order.total = order.net_total + order.tax_total
    if order.total < 0:
        raise Invalid("An order cannot be worth less than nothing.", code="total_below_zero", fields={"adjustments": "too much"})

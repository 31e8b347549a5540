"""What a part of something costs, so that the parts add up to the whole; and taxes by rate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import NamedTuple

from accounts.queries.rates import DIGITS, minor_unit
from orders.models import Invoice, InvoiceItem

ZERO = Decimal(0)


class Amount(NamedTuple):
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def plus(self, other: "Amount") -> "Amount":
        return Amount(self.net + other.net, self.tax + other.tax)

    def less(self, other: "Amount") -> "Amount":
        return Amount(self.net - other.net, self.tax - other.tax)


NOTHING = Amount(ZERO, ZERO)


def part_of(left: Amount, part: Decimal, whole: Decimal, currency: str, *, rate: Decimal) -> Amount:
    """`part` of `whole` of what is left, of this tax rate. All of it takes what is left, so that parts add up."""
    if part == whole:
        return left
    unit = minor_unit(currency)
    with localcontext(prec=DIGITS):
        gross = (left.gross * part / whole).quantize(unit, ROUND_HALF_UP)
    return _with_gross(left, gross, unit, rate)


def spread(lefts: Sequence[Amount], amount: Decimal, currency: str, *, rates: Sequence[Decimal | None] = ()) -> list[Amount]:
    """An amount with tax, over what is left of several, in proportion; the parts make exactly that amount."""
    whole, unit = sum((one.gross for one in lefts), ZERO), minor_unit(currency)
    found, reached, given = [], ZERO, ZERO
    for left, rate in zip(lefts, rates or [None] * len(lefts), strict=True):
        reached += left.gross
        with localcontext(prec=DIGITS):
            part = (amount * reached / whole).quantize(unit, ROUND_HALF_UP) - given
        given += part
        found.append(_with_gross(left, part, unit, rate))
    return found


def _with_gross(left: Amount, gross: Decimal, unit: Decimal, rate: Decimal | None) -> Amount:
    """Net as the rate has it. By what the net of all that is left is off, the part and what remains are off by half each, and by
    half a unit: never by more than one, however many parts there are. A tax that is not of the rate is shared in proportion.
    """
    if gross == left.gross:
        return left
    if not left.gross:
        return Amount(gross, ZERO)
    with localcontext(prec=DIGITS):
        net = left.net * gross / left.gross
        if rate is not None and abs(left.net * rate / 100 - left.tax) <= 2 * unit:
            off = left.net - left.gross * 100 / (100 + rate)
            net = gross * 100 / (100 + rate) + off / 2
        least, most = sorted((ZERO, gross))
        net = min(max(net.quantize(unit, ROUND_HALF_UP), least), most)
    return Amount(net, gross - net)


@dataclass(frozen=True, slots=True)
class Tax:
    category: str
    rate: Decimal
    net: Decimal
    tax: Decimal

    def stored(self) -> dict[str, str]:
        return {
            "category": self.category, "rate": f"{self.rate.normalize():f}", "net": f"{self.net:f}", "tax": f"{self.tax:f}",
        }


def taxes_of(items: Iterable[InvoiceItem], currency: str) -> list[Tax]:
    """By rate: of the sum of what has it, rounded once."""
    nets: dict[tuple[str, Decimal], Decimal] = {}
    for item in items:
        key = (str(item.tax_category), item.tax_rate)
        nets[key] = nets.get(key, ZERO) + item.net_amount
    unit, found = minor_unit(currency), []
    for (category, rate), net in sorted(nets.items(), key=lambda one: (-one[0][1], one[0][0])):
        with localcontext(prec=DIGITS):
            found.append(Tax(category, rate, net.quantize(unit, ROUND_HALF_UP), (net * rate / 100).quantize(unit, ROUND_HALF_UP)))
    return found


def totals_set(invoice: Invoice, items: Sequence[InvoiceItem]) -> None:
    """What is asked for is what was ordered: where the lines' own taxes make another sum than those by rate, `rounding` is it."""
    taxes = taxes_of(items, invoice.currency)
    invoice.taxes = [one.stored() for one in taxes]
    invoice.net_total = sum((one.net_amount for one in items), ZERO)
    invoice.tax_total = sum((one.tax for one in taxes), ZERO)
    invoice.total = sum((one.net_amount + one.tax_amount for one in items), ZERO)
    invoice.rounding = invoice.total - invoice.net_total - invoice.tax_total

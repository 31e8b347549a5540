"""What does this party pay for n of this variant, on that day, in that currency, and why?

The price of a unit is as listed. Converted, it is rounded to six places, as a list holds it. An amount is rounded once, half
away from zero, to the minor unit of its currency: without tax, net = price * quantity and tax = net * rate; with tax, gross =
price * quantity and tax = gross * rate / (100 + rate). Net and tax always make the gross amount.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from uuid import UUID

from accounts.queries.rates import DIGITS, Rate, minor_unit, rates_on
from core.errors import Invalid
from inventory.models import PriceList
from inventory.queries.offers import Offer, offers_for
from inventory.queries.price_reasons import Lost, Problem, lost, no_price, no_rate, no_tax, why
from inventory.queries.taxes import Circumstances, Goods, goods_of

UNIT = Decimal("0.000001")  # of a price

@dataclass(frozen=True, slots=True)
class Question:
    """What all lines share. What is empty is the organization's currency, its today, and the place of the party."""

    kind: str = PriceList.Kind.SALE
    party_id: UUID | None = None
    currency: str = ""
    day: date | None = None
    country: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of what `is_agreed` the price is known: of it the tax alone is asked."""

    variant_id: UUID
    quantity: Decimal = Decimal(1)
    is_agreed: bool = False


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is not known is None: the tax and one of the others without a tax rate, all without a price."""

    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """The answer for a line. `lost` is filled where an explanation was asked for."""

    wanted: Wanted
    goods: Goods
    offer: Offer | None
    unit_price: Decimal | None
    rate: Rate | None  # where the price was converted
    amounts: Amounts
    why: str
    problems: list[Problem]
    lost: list[Lost]


@dataclass(frozen=True, slots=True)
class Quote:
    """`asked` has nothing empty but the place, if it is not known. An organization without any tax rate charges none."""

    asked: Question
    day: date
    costs: list[Cost]
    charges_tax: bool

    @property
    def total(self) -> Amounts:
        """The sums of the lines as they were rounded; None where one of them is not known."""
        return Amounts(**{name: _sum([getattr(cost.amounts, name) for cost in self.costs]) for name in Amounts.__slots__})


def prices_of(question: Question, lines: Sequence[Wanted], *, explain: bool = False) -> Quote:
    """Two statements whatever the number of lines, one where all prices are agreed, and two more where prices are converted.

    Raises Invalid.
    """
    if bad := [number for number, line in enumerate(lines) if line.quantity <= 0]:
        raise Invalid("A quantity must be above zero.", fields={f"lines/{number}/quantity": "not positive" for number in bad})
    found, goods = _looked_up(question, {line.variant_id for line in lines})
    asked, day = _settled(question, found), found.day
    if unknown := [number for number, line in enumerate(lines) if line.variant_id not in goods]:
        fields = {f"lines/{number}/variant": "does not exist" for number in unknown}
        raise Invalid("There is no such variant in this organization.", code="does_not_exist", fields=fields)
    offers = offers_for(
        {number: (line.variant_id, line.quantity) for number, line in enumerate(lines) if not line.is_agreed}, kind=asked.kind,
        party_id=asked.party_id, currency=asked.currency, day=day, every=explain,
    )
    rates = rates_on({offer.currency for some in offers.values() for offer in some}, asked.currency, day)
    calculation = _Calculation(asked, day, rates, explain)
    return Quote(asked, day, [
        calculation.cost(line, goods[line.variant_id], offers.get(number, [])) for number, line in enumerate(lines)
    ], found.has_rates)


def price_of(question: Question, variant_id: UUID, quantity: Decimal = Decimal(1)) -> Cost:
    """Of one line, explained."""
    return prices_of(question, [Wanted(variant_id, quantity)], explain=True).costs[0]


def settled(question: Question) -> tuple[Question, date]:
    """With what is empty filled in, and its day. Raises Invalid."""
    found, _ = _looked_up(question, ())
    return _settled(question, found), found.day


def _looked_up(question: Question, variants: Collection[UUID]) -> tuple[Circumstances, dict[UUID, Goods]]:
    return goods_of(
        variants, party_id=question.party_id, country=question.country, region=question.region, day=question.day,
    )


def _settled(question: Question, found: Circumstances) -> Question:
    if question.party_id is not None and found.party_id is None:
        raise Invalid("There is no such party in this organization.", code="does_not_exist", fields={"party": "does not exist"})
    if question.region and not question.country:
        raise Invalid("Say the country of the region.", fields={"country": "required"})
    currency = question.currency or found.currency
    return replace(question, currency=currency, day=found.day, country=found.country, region=found.region)


@dataclass(frozen=True, slots=True)
class _Calculation:
    asked: Question
    day: date
    rates: dict[str, Rate]
    explain: bool

    def cost(self, line: Wanted, goods: Goods, offers: Collection[Offer]) -> Cost:
        best = next((offer for offer in offers if offer.fault is None and offer.currency in self.rates), None)
        missing = [] if goods.rate is not None else [no_tax(goods, self.asked.country, self.asked.region, self.day)]
        others = [offer for offer in offers if offer is not best] if self.explain else []
        losers = [lost(offer, best, self.rates, self.asked.currency) for offer in others]
        if best is None:
            barred = {offer.currency for offer in offers if offer.fault is None}
            problem = no_rate(barred, self.asked.currency, self.day) if barred else no_price(self.asked.currency, self.day)
            return Cost(line, goods, None, None, None, Amounts(), problem.detail, [problem, *missing], losers)
        rate = self.rates[best.currency]
        price = best.price if best.currency == self.asked.currency else _converted(best.price, rate)
        amounts = _amounts(price, line.quantity, goods.rate, minor_unit(self.asked.currency), includes_tax=best.includes_tax)
        used = rate if best.currency != self.asked.currency else None
        return Cost(line, goods, best, price, used, amounts, why(best, used, price), missing, losers)


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    with localcontext(prec=DIGITS):
        return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _converted(price: Decimal, rate: Rate) -> Decimal:
    with localcontext(prec=DIGITS):
        return (price * rate.numerator / rate.denominator).quantize(UNIT, ROUND_HALF_UP)


def _amounts(price: Decimal, quantity: Decimal, rate: Decimal | None, unit: Decimal, *, includes_tax: bool) -> Amounts:
    with localcontext(prec=DIGITS):
        whole = (price * quantity).quantize(unit, ROUND_HALF_UP)
        if rate is None:
            return Amounts(gross=whole) if includes_tax else Amounts(net=whole)
        tax = (whole * rate / (100 + rate if includes_tax else 100)).quantize(unit, ROUND_HALF_UP)
        return Amounts(whole - tax, tax, whole) if includes_tax else Amounts(whole, tax, whole + tax)


def amounts(
    price: Decimal, quantity: Decimal, rate: Decimal, currency: str, *, includes_tax: bool = False,
    discount: Decimal = Decimal(0), exempt: bool = False,
) -> Amounts:
    """Of a line whose price is known: the discount is off the whole of it, in the terms of the price; exempt, it has no tax."""
    unit = minor_unit(currency)
    with localcontext(prec=DIGITS):
        whole = (price * quantity - discount).quantize(unit, ROUND_HALF_UP)
        if exempt and includes_tax:
            whole = (whole * 100 / (100 + rate)).quantize(unit, ROUND_HALF_UP)
        return _amounts(whole, Decimal(1), Decimal(0) if exempt else rate, unit, includes_tax=includes_tax and not exempt)

"""What it costs to send the goods of an order, by each method that carries them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from accounts.queries.rates import DIGITS
from inventory.models import ProductVariant, TaxRate
from inventory.queries import prices
from inventory.queries.taxes import rates_of
from orders.models import SalesOrder, SalesOrderItem, ShippingMethod
from orders.models.shipping import number_of

ZERO = Decimal(0)
Basis = ShippingMethod.Basis


@dataclass(frozen=True, slots=True)
class Option:
    """Without amounts it does not carry this order, and `why` says so."""

    method: ShippingMethod
    net: Decimal | None = None
    tax: Decimal = ZERO
    tax_rate: Decimal = ZERO
    why: str = ""


def question_of(order: SalesOrder) -> prices.Question:
    place = order.shipping_address or {}
    return prices.Question(
        party_id=order.customer.party_id if order.customer else None, currency=order.currency,
        country=place.get("country", ""), region=place.get("region", ""),
    )


def shipping_options(order: SalesOrder) -> list[Option]:
    """Of each active method in the order's currency, the cheapest first, those that do not carry it last."""
    methods = ShippingMethod.objects.filter(is_active=True).order_by("code")
    found = options_of(order, list(order.lines.filter(kit=None)), methods)
    return sorted(found, key=lambda one: (one.net is None, one.net or ZERO))


def options_of(order: SalesOrder, lines: Sequence[SalesOrderItem], methods: Iterable[ShippingMethod]) -> list[Option]:
    methods = list(methods)
    asked, day = prices.settled(question_of(order))
    taxes = rates_of(country=asked.country, region=asked.region, day=day)
    measures = _measures(lines, weighs=any(one.basis == Basis.WEIGHT for one in methods))
    exempt = order.customer is not None and order.customer.tax_exempt
    untaxed = exempt or (any(taxes.get(one.tax_category_id) is None for one in methods) and not TaxRate.objects.exists())
    return [_option(one, order, asked.country, measures, taxes.get(one.tax_category_id), untaxed=untaxed) for one in methods]


def _measures(lines: Sequence[SalesOrderItem], *, weighs: bool) -> dict[str, Decimal]:
    weights = {}
    if weighs:
        variants = ProductVariant.objects.filter(pk__in={line.variant_id for line in lines})
        weights = dict(variants.values_list("pk", "weight"))
    with localcontext(prec=DIGITS):
        return {
            Basis.TOTAL: sum((line.net_amount + line.tax_amount for line in lines), ZERO),
            Basis.WEIGHT: sum(((weights.get(line.variant_id) or ZERO) * line.quantity for line in lines), ZERO),
            Basis.QUANTITY: sum((line.quantity for line in lines), ZERO),
        }


def _option(
    method: ShippingMethod, order: SalesOrder, country: str, measures: dict[str, Decimal], rate: Decimal | None, *, untaxed: bool,
) -> Option:
    if method.currency != order.currency:
        return Option(method, why=f"Its prices are in {method.currency}, and the order is in {order.currency}.")
    price = _price(method, country, measures[method.basis])
    if price is None:
        where = f" to {country}" if country else ""
        return Option(method, why=f"{method.name} does not carry this{where}.")
    if method.free_from is not None and measures[Basis.TOTAL] >= method.free_from:
        price = ZERO
    if rate is None and not untaxed:
        return Option(method, why=f"No tax rate of {method.name} is known for {country or 'an unknown country'}.")
    taxed = rate or ZERO
    found = prices.amounts(price, Decimal(1), taxed, order.currency, includes_tax=method.includes_tax, exempt=untaxed)
    return Option(method, found.net, found.tax or ZERO, ZERO if untaxed else taxed)


def _price(method: ShippingMethod, country: str, measure: Decimal) -> Decimal | None:
    """Of the highest rate that counts. Rates of the country alone count, if it has any."""
    own = [rate for rate in method.rates if rate.get("country") == country and country]
    found, best = None, Decimal(-1)
    for rate in own or [rate for rate in method.rates if not rate.get("country")]:
        least = number_of(rate.get("min", "0")) or ZERO
        if best < least <= measure:
            found, best = rate["price"], least
    return number_of(found) if found is not None else None

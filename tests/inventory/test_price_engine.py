"""The price engine against a slow oracle in plain Python: random lists, windows, priorities, breaks, currencies, places."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import ExchangeRate, Party
from inventory.models import PriceList, PriceListItem, ProductVariant, TaxCategory, TaxRate
from inventory.queries.prices import Cost, Question, Wanted, prices_of
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory

DAY = date(2026, 3, 10)
PARTIES, VARIANTS = 2, 2
RATES = {"EUR": Fraction(1), "USD": Fraction(4, 5)}  # in EUR; of GBP none is known
TAXES = {("PT", ""): 23, ("PT", "madeira"): 22, ("FR", ""): Fraction("5.5")}

days = st.one_of(st.none(), st.integers(-3, 3))
parties_or_none = st.one_of(st.none(), st.integers(0, PARTIES - 1))
windows = st.tuples(days, days).filter(lambda window: None in window or window[0] <= window[1])


@dataclass
class Item:
    variant: int
    least: Decimal
    price: Decimal
    window: tuple[int | None, int | None]


@dataclass
class List:
    number: int
    party: int | None
    currency: str
    priority: int
    window: tuple[int | None, int | None]
    is_active: bool
    includes_tax: bool
    items: list[Item]


items = st.builds(
    Item, variant=st.integers(0, VARIANTS - 1), least=st.sampled_from([Decimal(0), Decimal("1.5"), Decimal(5), Decimal(10)]),
    price=st.decimals("0", "99999", places=6), window=windows,
)
lists = st.lists(st.builds(
    List, number=st.just(0), party=parties_or_none, currency=st.sampled_from(["EUR", "USD", "GBP"]),
    priority=st.integers(0, 1), window=windows, is_active=st.sampled_from([True, True, True, False]), includes_tax=st.booleans(),
    items=st.lists(items, max_size=5, unique_by=lambda item: (item.variant, item.least, item.window[0])),
), max_size=6)  # fmt: skip
quantities = st.sampled_from([Decimal(number) for number in ("0.000001", "1", "1.5", "4.999999", "5", "1234567.891")])
places = st.sampled_from([("PT", ""), ("PT", "Madeira"), ("PT", "Porto"), ("FR", "Corse"), ("DE", ""), ("", "")])


def day(offset: int | None) -> date | None:
    return None if offset is None else DAY + timedelta(offset)


def holds(window: tuple[int | None, int | None]) -> bool:
    return not (window[0] is not None and window[0] > 0) and not (window[1] is not None and window[1] < 0)


def beats(one: tuple[List, Item], other: tuple[List, Item]) -> bool:
    (mine, item), (yours, against) = one, other
    if (mine.party is None) != (yours.party is None):
        return mine.party is not None
    if mine.priority != yours.priority:
        return mine.priority > yours.priority
    if (mine.currency == "EUR") != (yours.currency == "EUR"):
        return mine.currency == "EUR"
    if mine.window[0] != yours.window[0]:
        return yours.window[0] is None or (mine.window[0] is not None and mine.window[0] > yours.window[0])
    if mine.number != yours.number:
        return mine.number < yours.number
    if item.least != against.least:
        return item.least > against.least
    return against.window[0] is None or (item.window[0] is not None and item.window[0] > against.window[0])


def winner(world: list[List], party: int | None, line: tuple[int, Decimal]) -> tuple[List, Item] | None:
    best = None
    for one in world:
        if one.is_active and holds(one.window) and one.currency in RATES and one.party in (None, party):
            for item in one.items:
                counts = item.variant == line[0] and holds(item.window) and item.least <= line[1]
                if counts and (best is None or beats((one, item), best)):
                    best = one, item
    return best


def rounded(amount: Fraction, places: int) -> Fraction:
    """Half away from zero, of what is never below it."""
    return Fraction(int(amount * 10**places + Fraction(1, 2)), 10**places)


def build(world: list[List], parties: list[Party], variants: list[ProductVariant]) -> dict[Any, tuple[List, Item]]:
    """The rows; by the item's id what they are made of."""
    made = PriceList.objects.bulk_create([
        PriceList(
            code=f"L{one.number:02}", name="List", currency=one.currency, party=None if one.party is None else parties[one.party],
            priority=one.priority, valid_from=day(one.window[0]), valid_to=day(one.window[1]), is_active=one.is_active,
            includes_tax=one.includes_tax,
        )
        for one in world
    ])
    pairs = [(one, item, row) for one, row in zip(world, made, strict=True) for item in one.items]
    rows = PriceListItem.objects.bulk_create([
        PriceListItem(
            price_list=row, variant=variants[item.variant], min_quantity=item.least, price=item.price,
            valid_from=day(item.window[0]), valid_to=day(item.window[1]),
        )
        for _, item, row in pairs
    ])
    return {row.pk: (one, item) for row, (one, item, _) in zip(rows, pairs, strict=True)}


def check_amounts(cost: Cost, found: tuple[List, Item], quantity: Decimal, tax_rate: Fraction | None) -> None:
    one, item = found
    price = Fraction(item.price)
    if one.currency != "EUR":
        price = rounded(price * RATES[one.currency], 6)
    assert cost.unit_price is not None and Fraction(cost.unit_price) == price
    whole = rounded(price * Fraction(quantity), 2)
    known = cost.amounts
    assert Fraction((known.gross if one.includes_tax else known.net) or 0) == whole
    if tax_rate is None:
        assert known.tax is None and (known.net if one.includes_tax else known.gross) is None
        assert cost.problems
        return
    tax = rounded(whole * tax_rate / (100 + tax_rate) if one.includes_tax else whole * tax_rate / 100, 2)
    assert known.net is not None and known.tax is not None and Fraction(known.tax) == tax
    assert known.net + known.tax == known.gross
    assert not cost.problems


def rate_of(place: tuple[str, str]) -> Fraction | None:
    found = TAXES.get((place[0], place[1].lower()), TAXES.get((place[0], "")))
    return None if found is None else Fraction(found)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(world=lists, party=parties_or_none, place=places,
       lines=st.lists(st.tuples(st.integers(0, VARIANTS - 1), quantities), min_size=1, max_size=4))
def test_says_what_the_oracle_says(
    acme: Company, world: list[List], party: int | None, place: tuple[str, str], lines: list[tuple[int, Decimal]],
) -> None:
    for number, one in enumerate(world):
        one.number = number
    with acme.scope(), transaction.atomic():
        parties = Party.objects.bulk_create([Party(name=f"Party {number}") for number in range(PARTIES)])
        standard = TaxCategory.objects.get(code="standard")
        variants = ProductVariantFactory.create_batch(VARIANTS, product__tax_category=None)
        TaxRate.objects.bulk_create([
            TaxRate(tax_category=standard, country=country, region=region.title(), rate=Decimal(str(float(rate))), valid_from=DAY)
            for (country, region), rate in TAXES.items()
        ])
        ExchangeRate.objects.create(base="USD", quote="EUR", rate=Decimal("0.8"), valid_on=DAY - timedelta(30))
        made = build(world, parties, variants)
        question = Question(
            party_id=None if party is None else parties[party].pk, currency="EUR", day=DAY, country=place[0], region=place[1],
        )
        wanted = [Wanted(variants[variant].pk, quantity) for variant, quantity in lines]
        quote, brief = prices_of(question, wanted, explain=True), prices_of(question, wanted)
        transaction.set_rollback(True)
    for cost, short, line in zip(quote.costs, brief.costs, lines, strict=True):
        assert (short.offer, short.amounts, short.why) == (cost.offer, cost.amounts, cost.why)
        expected = winner(world, party, line)
        assert (cost.offer and made[cost.offer.item_id]) == expected
        if expected is None:
            assert cost.problems[0].code in ("no_price", "no_rate") and cost.amounts.net is None
        else:
            check_amounts(cost, expected, line[1], rate_of(place))
        check_losers(cost, made, party, line)


def check_losers(cost: Cost, made: dict[Any, tuple[List, Item]], party: int | None, line: tuple[int, Decimal]) -> None:
    """Each other price that could have been thought of is named, with what is wrong with it first."""
    others = {
        key: found for key, found in made.items()
        if found[0].party in (None, party) and found[1].variant == line[0] and (not cost.offer or key != cost.offer.item_id)
    }  # fmt: skip
    assert {one.offer.item_id for one in cost.lost} == others.keys()
    for one in cost.lost:
        price_list, item = others[one.offer.item_id]
        counts = holds(item.window) and item.least <= line[1]
        if not price_list.is_active:
            assert one.code == "list_inactive"
        elif not holds(price_list.window):
            assert one.code in ("list_not_yet", "list_over")
        elif not counts:
            assert one.code in ("item_not_yet", "item_over", "below_break")
        elif price_list.currency == "GBP":
            assert one.code == "no_rate"
        else:
            assert one.code in ("tier", "priority", "currency", "older_list", "code", "smaller_break", "older_price")
        assert one.why.endswith(".")

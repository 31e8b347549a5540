"""What something costs, as a salesperson and a web shop ask it."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Address, ExchangeRate, Party
from accounts.permissions import VIEWER
from inventory.models import PriceList, PriceListItem, ProductVariant, TaxCategory, TaxRate
from inventory.queries.prices import Question, Wanted, price_of, prices_of
from tests.companies import Company
from tests.contracts.resources import TRANSACTION, assert_problem, pointers
from tests.factories.inventory import ProductVariantFactory, SupplierFactory, SupplierProductFactory

QUOTE = "/api/v1/price-lists/quote/"
DAY = date(2026, 3, 10)


def variant(sku: str = "BOLT", category: str = "") -> ProductVariant:
    """Of a product without a tax category, unless one is named."""
    found = TaxCategory.objects.get(code=category) if category else None
    made: ProductVariant = ProductVariantFactory(sku=sku, product__tax_category=found)
    return made


def price(of: ProductVariant, amount: str, *, least: str = "0", code: str = "RETAIL", **columns: Any) -> PriceListItem:
    found, _ = PriceList.objects.get_or_create(code=code, defaults={"name": code.title(), "currency": "EUR", **columns})
    values = {"price": Decimal(amount), "min_quantity": Decimal(least)}
    made: PriceListItem = PriceListItem.objects.create(price_list=found, variant=of, **values)
    return made


def tax(rate: str, country: str = "PT", code: str = "standard", since: date = date(2020, 1, 1), **columns: Any) -> None:
    category = TaxCategory.objects.get(code=code)
    TaxRate.objects.create(tax_category=category, country=country, rate=Decimal(rate), valid_from=since, **columns)


def ask(company: Company, lines: Any, **body: Any) -> Any:
    return company.api.send("post", QUOTE, {"day": "2026-03-10", "country": "PT", "lines": lines, **body})


def test_a_customers_price_from_ten_on_and_why(acme: Company) -> None:
    with acme.scope():
        bolt, customer = variant(), Party.objects.create(name="Zinc")
        place = {"city": "Funchal", "region": "madeira", "country": "PT"}
        Address.objects.create(party=customer, kind="shipping", street1="x", is_default=True, **place)
        tax("23")
        tax("22", region="Madeira")
        price(bolt, "2.00", least="0")
        price(bolt, "1.80", code="ZINC", party=customer)
        price(bolt, "1.50", least="10", code="ZINC")
        price(bolt, "1.20", least="100", code="ZINC")
    lines = [{"variant": str(bolt.pk), "quantity": "12"}]
    body = {"party": str(customer.pk), "day": "2026-03-10", "explain": True, "lines": lines}
    answer = acme.api.send("post", QUOTE, body).json()
    [line] = answer["lines"]
    assert (line["unit_price"], line["net"], line["tax"], line["gross"]) == ("1.500000", "18.00", "3.96", "21.96")
    assert (answer["country"], answer["region"], line["tax_region"], line["tax_rate"]) == ("PT", "madeira", "Madeira", "22.0000")
    assert line["why"] == "List ZINC (Zinc) of this party: 1.5 EUR, from 10 on."
    assert line["decided_by"]["code"] == "ZINC" and line["decided_by"]["is_of_party"] and line["problems"] == []
    assert [(lost["code"], lost["price"], lost["reason"], lost["why"]) for lost in line["lost"]] == [
        ("ZINC", "1.800000", "smaller_break", "The price from 10 on is closer to the quantity."),
        ("RETAIL", "2.000000", "tier", "A list of the party comes before one for everybody."),
        ("ZINC", "1.200000", "below_break", "This price counts from 100 on."),
    ]


def test_many_lines_cost_what_one_costs(acme: Company) -> None:
    with acme.scope():
        bolts = [variant(f"BOLT-{number}") for number in range(20)]
        tax("23")
        for bolt in bolts:
            price(bolt, "0.10")
    counts, answers = [], []
    for many in (1, 1000):
        lines = [{"variant": str(bolts[number % 20].pk), "quantity": str(number + 1)} for number in range(many)]
        with CaptureQueriesContext(connection) as asked:
            answers.append(ask(acme, lines))
        counts.append(len([query for query in asked if not query["sql"].startswith((*TRANSACTION, "SELECT set_config"))]))
    assert counts[0] == counts[1] == 3  # who asks, and two of the engine
    taxes = [(Decimal(line["net"]) * 23 / 100).quantize(Decimal("0.01"), ROUND_HALF_UP) for line in answers[1].json()["lines"]]
    total = answers[1].json()["total"]
    assert (total["net"], total["tax"]) == ("50050.00", str(sum(taxes)))
    assert Decimal(total["gross"]) == Decimal(total["net"]) + Decimal(total["tax"])
    assert_problem(ask(acme, [{"variant": str(bolts[0].pk)}] * 1001), 400)


@pytest.mark.parametrize(("listed", "with_tax", "quantity", "currency", "amounts"), [
    ("0.105", False, "1", "EUR", ("0.11", "0.03", "0.14")),  # half away from zero
    ("0.105", True, "1", "EUR", ("0.09", "0.02", "0.11")),
    ("9.99", True, "3", "EUR", ("24.37", "5.60", "29.97")),
    ("0.0125", False, "1000", "EUR", ("12.50", "2.88", "15.38")),  # a unit may cost less than a cent
    ("100.5", False, "1", "JPY", ("101", "23", "124")),
    ("1.00005", False, "10", "KWD", ("10.001", "2.300", "12.301")),
    ("9999999999999.999999", False, "9999999999999.999999", "EUR",
     ("99999999999999999980000000.00", "22999999999999999995400000.00", "122999999999999999975400000.00")),
])  # fmt: skip
def test_rounds_each_amount_once_and_they_add_up(
    listed: str, with_tax: bool, quantity: str, currency: str, amounts: tuple[str, str, str], acme: Company,
) -> None:
    with acme.scope():
        bolt = variant()
        tax("23")
        price(bolt, listed, currency=currency, includes_tax=with_tax)
        cost = price_of(Question(currency=currency, day=DAY, country="PT"), bolt.pk, Decimal(quantity))
    assert (str(cost.amounts.net), str(cost.amounts.tax), str(cost.amounts.gross)) == amounts


def test_a_list_in_another_currency_is_converted_and_says_so(acme: Company) -> None:
    with acme.scope():
        bolt = variant()
        tax("23")
        price(bolt, "10.00", currency="USD")
        ExchangeRate.objects.create(base="EUR", quote="USD", rate=Decimal("1.25"), valid_on=date(2026, 3, 1))
        price(bolt, "1.00", code="GREAT", currency="GBP", priority=9)
    [line] = ask(acme, [{"variant": str(bolt.pk)}], explain=True).json()["lines"]
    assert (line["unit_price"], line["net"]) == ("8.000000", "8.00")
    assert line["converted"] == {"base": "USD", "quote": "EUR", "rate": "0.800000000", "valid_on": "2026-03-01"}
    assert "converted at 0.8 of 2026-03-01 to 8 EUR" in line["why"]
    assert [(lost["code"], lost["reason"]) for lost in line["lost"]] == [("GREAT", "no_rate")]
    with acme.scope():
        PriceList.objects.filter(code="RETAIL").update(is_active=False)
    [line] = ask(acme, [{"variant": str(bolt.pk)}]).json()["lines"]
    assert [problem["code"] for problem in line["problems"]] == ["no_rate"]
    assert "GBP" in line["why"] and line["net"] is None and "lost" not in line


def test_a_purchase_goes_by_the_suppliers_list_then_by_the_last_price(acme: Company) -> None:
    with acme.scope():
        bolt, nut = variant(), variant("NUT")
        tax("23")
        supplier, other = SupplierFactory(currency="EUR"), SupplierFactory(currency="EUR")
        for one, item in ((bolt, "0.50"), (nut, "0.20")):
            SupplierProductFactory(supplier=supplier, variant=one, last_price=Decimal(item))
        SupplierProductFactory(supplier=other, variant=nut, last_price=Decimal("0.19"), is_preferred=True)
        price(bolt, "0.45", code="BUY", kind="purchase", party=supplier.party)
        price(bolt, "9.00", code="SELL")
        lines = [Wanted(bolt.pk, Decimal(10)), Wanted(nut.pk, Decimal(10))]
        theirs = prices_of(Question(kind="purchase", party_id=supplier.party_id, day=DAY, country="PT"), lines, explain=True)
        anybodys = prices_of(Question(kind="purchase", day=DAY, country="PT"), lines)
    assert [str(cost.amounts.net) for cost in theirs.costs] == ["4.50", "2.00"]
    assert theirs.costs[1].why == f"No list has it: what supplier {supplier.code} asked last: 0.2 EUR."
    assert [lost.code for lost in theirs.costs[0].lost] == ["tier"]
    assert [cost.amounts.net and str(cost.amounts.net) for cost in anybodys.costs] == [None, "1.90"]


def test_the_tax_of_a_place_on_a_day(acme: Company) -> None:
    with acme.scope():
        bolt, book, free = variant(), variant("BOOK", "reduced"), variant("STAMP", "exempt")
        for one in (bolt, book, free):
            price(one, "100")
        tax("19", "DE", since=date(2020, 1, 1), valid_to=date(2020, 6, 30))
        tax("16", "DE", since=date(2020, 7, 1), valid_to=date(2020, 12, 31))
        tax("19", "DE", since=date(2021, 1, 1))
        tax("7", "DE", code="reduced")
        lines = [Wanted(one.pk) for one in (bolt, book, free)]

        def rates(day: date, country: str = "DE") -> list[str]:
            costs = prices_of(Question(day=day, country=country), lines).costs
            return [f"{cost.goods.rate:.0f}" if cost.goods.rate is not None else cost.problems[0].code for cost in costs]

        assert rates(date(2020, 6, 30)) == ["19", "7", "0"]
        assert rates(date(2020, 7, 1)) == ["16", "7", "0"]
        assert rates(date(2020, 12, 31)) == ["16", "7", "0"]
        assert rates(date(2021, 1, 1)) == ["19", "7", "0"]
        assert rates(date(2019, 12, 31)) == ["no_tax_rate", "no_tax_rate", "0"]
        assert rates(DAY, "FR") == ["no_tax_rate", "no_tax_rate", "0"]
        assert rates(DAY, "") == ["no_place", "no_place", "0"]
        cost = price_of(Question(day=DAY, country="FR"), bolt.pk)
        assert cost.problems[0].detail == "There is no tax rate of category standard for FR on 2026-03-10: add one."
        assert (cost.amounts.net, cost.amounts.gross) == (Decimal("100.00"), None)
        TaxCategory.objects.filter(code="standard").update(code="usual")
        assert rates(DAY)[0] == "no_tax_category"


def test_refuses_what_cannot_be_asked(acme: Company, bolt: Company) -> None:
    with acme.scope():
        good = variant()
    with bolt.scope():
        foreign, stranger = variant(), Party.objects.create(name="Zinc")
    line = {"variant": str(good.pk)}
    refused: list[tuple[Any, set[str]]] = [
        ({"lines": []}, {"/lines"}), ({"lines": [line, {"variant": str(foreign.pk)}]}, {"/lines/1/variant"}),
        ({"lines": [line, {**line, "quantity": "0"}]}, {"/lines/1/quantity"}), ({"party": str(stranger.pk)}, {"/party"}),
        ({"country": "pt"}, {"/country"}), ({"currency": "EURO"}, {"/currency"}), ({"day": "yesterday"}, {"/day"}),
        ({"kind": "gift"}, {"/kind"}), ({"lines": [{**line, "quantity": "1e30"}]}, {"/lines/0/quantity"}),
    ]
    for wrong, where in refused:
        response = acme.api.send("post", QUOTE, {"country": "PT", "lines": [line], **wrong})
        assert pointers(assert_problem(response, 400)) == where, wrong
    assert pointers(assert_problem(acme.api.send("post", QUOTE, {"region": "Madeira", "lines": [line]}), 400)) == {"/country"}


def test_who_sees_prices_may_ask(acme: Company) -> None:
    with acme.scope():
        good = variant()
    body = {"lines": [{"variant": str(good.pk)}]}
    assert acme.api_as(VIEWER).send("post", QUOTE, body).json()["lines"][0]["problems"][0]["code"] == "no_price"
    assert_problem(acme.api_by_key("inventory.view_product").send("post", QUOTE, body), 403, "permission_denied")


def test_another_organizations_lists_do_not_count(acme: Company, bolt: Company) -> None:
    with acme.scope():
        good = variant()
    with bolt.scope():
        price(variant(), "1.00")
    [line] = ask(acme, [{"variant": str(good.pk)}]).json()["lines"]
    assert line["problems"][0]["code"] == "no_price"

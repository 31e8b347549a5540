from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import ExchangeRate
from accounts.queries.rates import MINOR_UNITS, NoRate, convert, minor_unit, rate_on
from core.api import TenantViewSet
from core.currencies import CURRENCIES
from core.fields import CurrencyField
from tests.companies import Company
from tests.contracts.resources import RESOURCES, Resource, assert_problem, pointers

RATES = "/api/v1/exchange-rates/"
DAY = date(2026, 3, 1)

rates = st.decimals("0.000000001", "9999999999", places=9)
amounts = st.decimals("-9999999999", "9999999999", places=2)


def add(base: str, quote: str, rate: str | Decimal, day: date = DAY) -> None:
    ExchangeRate.objects.create(base=base, quote=quote, rate=Decimal(rate), valid_on=day)


def test_the_latest_on_or_before_the_day_counts(acme: Company) -> None:
    with acme.scope():
        for days, rate in ((0, "1.10"), (10, "1.20"), (20, "1.30")):
            add("EUR", "USD", rate, DAY + timedelta(days=days))
        found = {days: rate_on("EUR", "USD", DAY + timedelta(days=days)) for days in (0, 9, 10, 400)}
        assert {days: rate.value for days, rate in found.items()} == {
            0: Decimal("1.10"), 9: Decimal("1.10"), 10: Decimal("1.20"), 400: Decimal("1.30"),
        }
        assert found[9].valid_on == DAY
        with pytest.raises(NoRate, match="EUR to USD on 2026-02-28"):
            rate_on("EUR", "USD", DAY - timedelta(days=1))
        with pytest.raises(NoRate):
            rate_on("EUR", "USD", date(2027, 1, 1), oldest=date(2026, 12, 1))


def test_the_other_way_round_and_through_the_base_currency(acme: Company) -> None:
    with acme.scope():
        add("EUR", "USD", "1.25")
        add("GBP", "EUR", "1.20", DAY - timedelta(days=5))
        assert rate_on("USD", "EUR", DAY).value == Decimal("0.8")
        through = rate_on("GBP", "USD", DAY)
        assert (through.value, through.valid_on) == (Decimal("1.5"), DAY - timedelta(days=5))
        assert convert(Decimal("150"), "USD", "GBP", DAY) == Decimal("100.00")
        assert rate_on("JPY", "JPY", DAY).value == 1


def test_the_later_of_the_two_ways_round_counts(acme: Company) -> None:
    with acme.scope():
        add("EUR", "USD", "1.10")
        add("USD", "EUR", "0.50")
        assert rate_on("EUR", "USD", DAY).value == Decimal("1.10")
        add("USD", "EUR", "0.80", DAY + timedelta(days=1))
        assert rate_on("EUR", "USD", DAY + timedelta(days=1)).value == Decimal("1.25")


def test_a_direct_rate_comes_before_the_base_currency(acme: Company) -> None:
    with acme.scope():
        add("EUR", "USD", "1.25", DAY)
        add("EUR", "GBP", "0.80", DAY)
        add("GBP", "USD", "1.50", DAY - timedelta(days=90))
        assert rate_on("GBP", "USD", DAY).value == Decimal("1.50")


@pytest.mark.parametrize(("amount", "target", "converted"), [
    ("1.005", "USD", "1.01"), ("-1.005", "USD", "-1.01"), ("0.5", "JPY", "1"), ("1.0005", "KWD", "1.001"),
    ("1.00005", "CLF", "1.0001"),
])  # fmt: skip
def test_rounds_to_the_minor_unit(amount: str, target: str, converted: str, acme: Company) -> None:
    with acme.scope():
        add("EUR", target, "1")
        assert str(convert(Decimal(amount), "EUR", target, DAY)) == converted


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rate=rates, amount=amounts, target=st.sampled_from(["USD", "JPY", "KWD"]))
def test_there_and_back_loses_less_than_a_minor_unit(acme: Company, rate: Decimal, amount: Decimal, target: str) -> None:
    """Half of one where it is rounded last, and half of one of the other currency, in the first one's money."""
    with acme.scope():
        ExchangeRate.objects.all().delete()
        add("EUR", target, rate)
        there = convert(amount, "EUR", target, DAY)
        back = convert(there, target, "EUR", DAY)
    assert there == there.quantize(minor_unit(target))
    assert abs(back - amount) <= minor_unit("EUR") / 2 + minor_unit(target) / rate / 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rates, second=rates)
def test_a_rate_and_its_inverse_make_one(acme: Company, first: Decimal, second: Decimal) -> None:
    with acme.scope():
        ExchangeRate.objects.all().delete()
        add("EUR", "USD", first)
        add("GBP", "EUR", second)
        there, back = rate_on("GBP", "USD", DAY), rate_on("USD", "GBP", DAY)
    assert there.numerator * back.numerator == there.denominator * back.denominator


def test_other_organizations_have_rates_of_their_own(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        add("EUR", "USD", "9")
    with acme.scope(), pytest.raises(NoRate):
        rate_on("EUR", "USD", DAY)


def test_refuses_what_is_no_rate(acme: Company) -> None:
    good = {"base": "EUR", "quote": "USD", "valid_on": "2026-03-01", "rate": "1.1"}
    for wrong in ({"rate": "0"}, {"rate": "-1"}, {"rate": "1.0123456789"}, {"base": "eur"}, {"quote": "US$"}, {"valid_on": "x"}):
        assert pointers(assert_problem(acme.api.send("post", RATES, {**good, **wrong}), 400)) == {f"/{name}" for name in wrong}
    same = assert_problem(acme.api.send("post", RATES, {**good, "quote": "EUR"}), 400)
    assert "two currencies" in same["detail"]


WITH_CURRENCY = [
    (resource, field.name) for resource in RESOURCES for field in resource.model._meta.local_fields
    if isinstance(field, CurrencyField) and field.editable and issubclass(resource.viewset, TenantViewSet)
]


@pytest.mark.parametrize(("resource", "name"), WITH_CURRENCY, ids=lambda one: getattr(one, "prefix", one))
def test_what_is_no_currency_is_refused_wherever_one_is_set(resource: Resource, name: str, acme: Company) -> None:
    [row] = resource.make(acme)
    for wrong in ("XXX", "ABC", "eur", "EU"):
        answer = acme.api.send("patch", resource.row_url(row), {name: wrong})
        assert pointers(answer.json()) == {f"/{name}"}, (wrong, answer.json())
        assert answer.status_code == 400


def test_of_iso_4217_all_that_is_money_is_known() -> None:
    assert set(MINOR_UNITS) | {"EUR", "USD", "XOF", "BGN"} <= CURRENCIES
    assert not CURRENCIES & {"XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XSU", "XUA", "XBA"}

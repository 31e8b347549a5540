"""One rate for a category, a place and a day: whatever writes, and however many at once."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.invariants import broken
from inventory.models import TaxCategory, TaxRate
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.inventory.test_races import at_once

RATES = "/api/v1/tax-rates/"


def body(company: Company, **values: Any) -> dict[str, Any]:
    with company.scope():
        category = TaxCategory.objects.get(code="standard")
    return {"tax_category": str(category.pk), "country": "PT", "rate": "23", "valid_from": "2024-01-01", **values}


def test_a_new_organization_has_the_usual_categories(acme: Company) -> None:
    with acme.scope():
        found = dict(TaxCategory.objects.values_list("code", "is_taxed"))
    assert found == {"standard": True, "reduced": True, "zero": False, "exempt": False}


@pytest.mark.parametrize(("values", "overlaps"), [
    ({"valid_from": "2024-01-01"}, True), ({"valid_from": "2020-01-01"}, True), ({"valid_from": "2025-12-31"}, True),
    ({"valid_from": "2020-01-01", "valid_to": "2024-01-01"}, True),
    ({"valid_from": "2020-01-01", "valid_to": "2023-12-31"}, False),
    ({"valid_from": "2026-01-01"}, False), ({"region": "Madeira"}, False), ({"country": "ES"}, False),
])  # fmt: skip
def test_rates_of_a_place_do_not_overlap(values: dict[str, Any], overlaps: bool, acme: Company) -> None:
    assert acme.api.send("post", RATES, body(acme, valid_to="2025-12-31")).status_code == 201
    response = acme.api.send("post", RATES, body(acme, **values))
    if overlaps:
        problem = assert_problem(response, 400)
        assert pointers(problem) == {"/valid_from"} and "from 2024-01-01 to 2025-12-31" in problem["detail"]
    else:
        assert response.status_code == 201


def test_a_region_is_the_same_in_any_case_and_a_change_is_checked_too(acme: Company) -> None:
    first = acme.api.send("post", RATES, body(acme, region="Madeira")).json()
    assert_problem(acme.api.send("post", RATES, body(acme, region="MADEIRA")), 400)
    second = acme.api.send("post", RATES, body(acme, region="Porto Santo")).json()
    assert_problem(acme.api.send("patch", f"{RATES}{second['id']}/", {"region": "madeira"}), 400)
    assert acme.api.send("patch", f"{RATES}{first['id']}/", {"valid_to": "2024-12-31"}).status_code == 200
    assert acme.api.send("patch", f"{RATES}{second['id']}/", {"region": "madeira", "valid_from": "2025-01-01"}).status_code == 200


def test_a_rate_ends_and_the_next_begins_in_one_request(acme: Company) -> None:
    old = acme.api.send("post", RATES, body(acme)).json()
    rows = [{"op": "update", "id": old["id"], "valid_to": "2025-12-31"}, body(acme, rate="24", valid_from="2026-01-01")]
    assert acme.api.send("post", f"{RATES}bulk/", {"rows": rows}).status_code == 200
    twice = [body(acme, country="ES"), body(acme, country="ES")]
    assert_problem(acme.api.send("post", f"{RATES}bulk/", {"rows": twice}), 400)


def test_other_organizations_have_rates_of_their_own(acme: Company, bolt: Company) -> None:
    for company in (acme, bolt):
        assert company.api.send("post", RATES, body(company)).status_code == 201


def test_refuses_what_is_no_rate(acme: Company) -> None:
    for wrong in ({"rate": "100.5"}, {"rate": "-1"}, {"country": "Portugal"}, {"valid_from": "x"}):
        assert pointers(assert_problem(acme.api.send("post", RATES, body(acme, **wrong)), 400)) == {f"/{name}" for name in wrong}
    problem = assert_problem(acme.api.send("post", RATES, body(acme, valid_to="2023-12-31")), 400)
    assert "before the first" in problem["detail"]


def test_of_processes_that_write_at_once_one_wins(new_company: Callable[[], Company]) -> None:
    """Each writes rates of three countries, in an order of its own: all or nothing, one after the other, no deadlock."""
    company = new_company()
    with company.scope():
        category = TaxCategory.objects.get(code="standard")
    countries = ["PT", "ES", "FR"]

    def write(number: int) -> str:
        turned = countries[number % 3:] + countries[:number % 3]
        try:
            with company.scope(), transaction.atomic():
                for country in turned:
                    since = date(2024, 1, 1 + number)
                    TaxRate.objects.create(tax_category=category, country=country, rate=Decimal(20), valid_from=since)
        except IntegrityError:
            return "refused"
        return "written"

    answers = at_once(6, write)
    assert sorted(answers) == ["refused"] * 5 + ["written"]
    with company.scope():
        assert TaxRate.objects.count() == 3
        assert [rows for _, rows in broken() if rows] == []

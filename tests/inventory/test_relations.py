"""Parts that supersede others lead to one current part; nothing leads back."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone

from core.invariants import broken
from inventory.models import ProductRelation, ProductVariant
from inventory.queries.relations import current_variant
from tests.admin.pages import statements
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_races import at_once

RELATIONS, VARIANTS = "/api/v1/product-relations/", "/api/v1/product-variants/"


def supersede(new: ProductVariant, old: ProductVariant, valid_from: date | None = None) -> None:
    ProductRelation.objects.create(from_variant=new, to_variant=old, kind="supersedes", valid_from=valid_from)


@pytest.fixture
def parts(acme: Company) -> list[ProductVariant]:
    """Part 1 supersedes part 0, part 2 part 1, and part 3 part 2 from tomorrow on."""
    with acme.scope():
        made = ProductVariantFactory.create_batch(4)
        supersede(made[1], made[0])
        supersede(made[2], made[1], date(2020, 1, 1))
        supersede(made[3], made[2], timezone.now().date() + timedelta(days=2))
    return list(made)


def test_resolves_to_the_current_part_in_one_query(acme: Company, parts: list[ProductVariant]) -> None:
    first, second, third, fourth = (part.pk for part in parts)
    with acme.scope():
        with statements() as sent:
            assert current_variant([first, second, third, fourth]) == {first: third, second: third, third: third, fourth: fourth}
        assert len(sent) == 1
        assert current_variant([first], on=date(2019, 12, 31)) == {first: second}
        assert current_variant([first], on=date(2099, 1, 1)) == {first: fourth}
        assert current_variant([]) == {}
    answer = acme.api.get(f"{VARIANTS}{first}/current/").json()
    assert (answer["variant"], [one["sku"] for one in answer["chain"]]) == (str(third), [part.sku for part in parts[:3]])
    assert acme.api.get(f"{VARIANTS}{fourth}/current/").json()["variant"] == str(fourth)


def test_no_part_supersedes_itself(acme: Company, parts: list[ProductVariant]) -> None:
    body = {"from_variant": str(parts[0].pk), "to_variant": str(parts[3].pk), "kind": "supersedes"}
    problem = assert_problem(acme.api.send("post", RELATIONS, body), 400)
    assert (pointers(problem), "supersede itself" in problem["detail"]) == ({"/to_variant"}, True)
    made = acme.api.send("post", RELATIONS, {**body, "kind": "alternative"})
    assert made.status_code == 201
    assert_problem(acme.api.send("patch", f"{RELATIONS}{made.json()['id']}/", {"kind": "supersedes"}), 400)
    twice = {"from_variant": str(parts[3].pk), "to_variant": str(parts[0].pk), "kind": "supersedes"}
    assert "superseded already" in assert_problem(acme.api.send("post", RELATIONS, twice), 400)["detail"]


def test_two_parts_cannot_supersede_each_other(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        parts = ProductVariantFactory.create_batch(4)
        supersede(parts[1], parts[0])
        supersede(parts[3], parts[2])
    api = company.api

    def close(number: int) -> int:
        new, old = (parts[0], parts[3]) if number else (parts[2], parts[1])
        body = {"from_variant": str(new.pk), "to_variant": str(old.pk), "kind": "supersedes"}
        return int(api.send("post", RELATIONS, body).status_code)

    assert sorted(at_once(2, close)) == [201, 400]
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []

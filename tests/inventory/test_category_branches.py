"""Whole branches of the category tree: moved, listed with what lies below, and their paths."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from inventory.models import Category
from tests.admin.pages import text
from tests.companies import Company
from tests.contracts.resources import assert_problem, ids, statements
from tests.factories.inventory import CategoryFactory, ProductFactory
from tests.inventory.test_races import at_once
from tests.inventory.test_trees import CATEGORIES, branch

PRODUCTS = "/api/v1/products/"


def test_a_branch_moves_with_all_that_hangs_below(acme: Company) -> None:
    with acme.scope():
        old, new = (CategoryFactory(parent=None, name=name) for name in ("Old", "New"))
        brakes = CategoryFactory(parent=old, name="Brakes")
        pads = CategoryFactory(parent=brakes, name="Pads")
        product = ProductFactory(category=pads)
    api = acme.api
    assert api.get(f"{CATEGORIES}{pads.pk}/").json()["path"] == "Old / Brakes / Pads"
    moved = api.send("patch", f"{CATEGORIES}{brakes.pk}/", {"parent": str(new.pk)})
    assert (moved.status_code, moved.json()["path"]) == (200, "New / Brakes")
    assert api.get(f"{CATEGORIES}{pads.pk}/").json()["path"] == "New / Brakes / Pads"
    assert ids(api.get(PRODUCTS, {"under": str(new.pk)}).json()["results"]) == [str(product.pk)]
    assert api.get(PRODUCTS, {"under": str(old.pk)}).json()["results"] == []


def test_lists_what_lies_below_at_one_cost(acme: Company) -> None:
    with acme.scope():
        tree = branch(5)
        CategoryFactory(parent=None)
        here = [ProductFactory(category=one) for one in tree]
        ProductFactory(category=None)
    below = f"{CATEGORIES}?under={tree[1].pk}"
    assert set(ids(acme.api.get(below).json()["results"])) == set(ids(tree[1:]))
    goods = f"{PRODUCTS}?under={tree[1].pk}"
    assert set(ids(acme.api.get(goods).json()["results"])) == set(ids(here[1:]))
    assert len(statements(acme.api, goods)) == len(statements(acme.api, PRODUCTS))
    assert acme.api.get(f"{PRODUCTS}?under={uuid4()}").json()["results"] == []
    for wrong in ("x", "", "a\0b"):
        assert_problem(acme.api.get(PRODUCTS, {"under": wrong}), 400, "invalid_parameter")


def test_no_branch_comes_to_lie_too_deep(acme: Company) -> None:
    """It is the lowest leaf that counts, not the category that moves."""
    with acme.scope():
        deep, tall, small = branch(7), branch(6), branch(5)
        with pytest.raises(IntegrityError, match="12 levels deep"), transaction.atomic():
            Category.objects.filter(pk=tall[0].pk).update(parent=deep[-1])
        Category.objects.filter(pk=small[0].pk).update(parent=deep[-1])
    problem = assert_problem(acme.api.send("patch", f"{CATEGORIES}{tall[0].pk}/", {"parent": str(deep[-1].pk)}), 400)
    assert problem["errors"][0]["pointer"] == "/parent"


def test_two_branches_cannot_move_into_each_other(new_company: Callable[[], Company]) -> None:
    """By the API, by two processes: one moves, the other one is told why not."""
    company = new_company()
    with company.scope():
        one, other = branch(3), branch(3)
    api = company.api

    def move(number: int) -> tuple[int, str]:
        child, parent = (one[0], other[-1]) if number else (other[0], one[-1])
        answer: Any = api.send("patch", f"{CATEGORIES}{child.pk}/", {"parent": str(parent.pk)})
        return answer.status_code, answer.json().get("detail", "")

    assert sorted(status for status, _ in at_once(2, move)) == [200, 400]
    with company.scope():
        assert Category.objects.filter(parent=None, pk__in=ids([one[0], other[0]])).count() == 1


def test_two_branches_do_not_grow_too_deep_together(new_company: Callable[[], Company]) -> None:
    """5 + 5 + 5 levels: each move alone is possible, both are not."""
    company = new_company()
    with company.scope():
        top, middle, low = branch(5), branch(5), branch(5)

    def hang(number: int) -> str:
        child, parent = (low[0], middle[-1]) if number else (middle[0], top[-1])
        with company.scope():
            Category.objects.filter(pk=child.pk).update(parent=parent)
        return "moved"

    assert sorted(answer == "moved" for answer in at_once(2, hang)) == [False, True]


def test_the_admin_shows_where_a_category_hangs(acme: Company) -> None:
    with acme.scope():
        pads = CategoryFactory(parent=CategoryFactory(parent=None, name="Chassis"), name="Pads")
    browser = acme.admin
    for page in ("/admin/inventory/category/?q=pads", f"/admin/inventory/category/{pads.pk}/change/"):
        assert "Chassis / Pads" in text(browser.get(page))

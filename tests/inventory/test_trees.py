"""Categories and locations are trees, whoever moves a branch."""

import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from inventory.models import Category
from tests.companies import Company
from tests.factories.inventory import CategoryFactory, LocationFactory, ProductFactory
from tests.inventory.test_races import at_once

CATEGORIES, LOCATIONS = "/api/v1/categories/", "/api/v1/locations/"


def branch(length: int) -> list[Category]:
    found: list[Category] = []
    for _ in range(length):
        found.append(CategoryFactory(parent=found[-1] if found else None))
    return found


def test_a_branch_cannot_hang_below_itself(acme: Company) -> None:
    with acme.scope():
        top, _, leaf = branch(3)
    for parent in (top, leaf):
        answer: Any = acme.api.send("patch", f"{CATEGORIES}{top.pk}/", {"parent": str(parent.pk)})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/parent")
        assert "A branch cannot hang below itself." in answer.json()["detail"]


def test_the_places_of_a_tree_are_in_one_warehouse(acme: Company) -> None:
    with acme.scope():
        aisle, elsewhere = LocationFactory(parent=None), LocationFactory(parent=None)
        here, there = str(aisle.warehouse_id), str(elsewhere.warehouse_id)
    api = acme.api
    part = {"code": "B", "kind": "storage", "parent": str(aisle.pk)}
    refused = api.send("post", LOCATIONS, {**part, "warehouse": there})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/parent")
    assert "in the same warehouse" in refused.json()["detail"]
    assert api.send("patch", f"{LOCATIONS}{elsewhere.pk}/", {"parent": str(aisle.pk)}).status_code == 400
    assert api.send("post", LOCATIONS, {**part, "warehouse": here}).status_code == 201
    moved = api.send("patch", f"{LOCATIONS}{aisle.pk}/", {"warehouse": there})
    assert (moved.status_code, moved.json()["code"]) == (409, "location_in_use")
    assert api.send("patch", f"{LOCATIONS}{elsewhere.pk}/", {"warehouse": here, "parent": str(aisle.pk)}).status_code == 200
    assert api.send("patch", f"{LOCATIONS}{elsewhere.pk}/", {"warehouse": there}).json()["parent"] is None


def test_a_tree_has_a_largest_depth(acme: Company) -> None:
    with acme.scope():
        branch(12)
        with pytest.raises(IntegrityError, match="12 levels deep"), transaction.atomic():
            branch(13)


def test_two_moves_that_would_close_a_circle_together(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        one, other = CategoryFactory(parent=None), CategoryFactory(parent=None)

    def hang(number: int) -> str:
        child, parent = (one, other) if number else (other, one)
        with company.scope():
            Category.objects.filter(pk=child.pk).update(parent=parent)
        return "moved"

    refused, moved = sorted(at_once(2, hang))
    assert moved == "moved" and "A branch cannot hang below itself." in refused


def test_goods_are_put_into_a_category_while_it_moves(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        top, moving = CategoryFactory(parent=None), CategoryFactory(parent=None)
    context = multiprocessing.get_context("fork")
    moves, has_goods = context.Event(), context.Event()

    def run(number: int) -> bool:
        with company.scope():
            if number:
                assert moves.wait(60)
                ProductFactory(category=moving)
                has_goods.set()
                return True
            Category.objects.filter(pk=moving.pk).update(parent=top)
            moves.set()
            return bool(has_goods.wait(60))

    assert at_once(2, run) == [True, True]


def test_what_hangs_in_nothing_waits_for_nobody(acme: Company, owner: CursorWrapper) -> None:
    """Who has locked stock makes parcels: it must not wait for who hangs one in another and then wants that stock."""
    owner.execute("SELECT pg_advisory_xact_lock(hashtextextended('inventory_category' || %s, 0))", [acme.organization.pk])
    with acme.scope(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        root = CategoryFactory(parent=None)
        root.parent = None
        root.save()
        with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
            CategoryFactory(parent=root)

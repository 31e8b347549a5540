"""Statistics of the inventory: read only, in the same few statements however much there is."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Category, Location, Product, ProductVariant, Warehouse
from inventory.queries.analytics import inventory_statistics
from tests.companies import Company
from tests.contracts.resources import assert_problem, statements
from tests.contracts.test_openapi import description, response_of, validate
from tests.inventory.goods import Goods
from tests.limited import limited_api

URL = "/api/v1/analytics/inventory/"


def traded() -> Goods:
    """Ten bolts came and four went, six nuts came and one went; each costs 2.50."""
    goods = Goods.create()
    category = Category.objects.create(name="Fasteners", slug="fasteners")
    Product.objects.update(category=category)
    goods.receive(10)
    goods.receive(6, variant=goods.nut)
    goods.issue(4)
    goods.issue(1, variant=goods.nut)
    goods.move(2, to=goods.quarantine)
    return goods


def test_counts_values_and_movers(acme: Company) -> None:
    with acme.scope():
        goods = traded()
        goods.rule(minimum=5)
        goods.receive(1, variant=goods.nut, to=goods.other_shelf)
    found = acme.api.get(URL).json()
    validate(found, response_of(description()["paths"][URL]["get"]))
    numbers = {name: Decimal(found[name]) for name in ("on_hand", "reserved", "available", "value", "issued_value")}
    assert numbers == {"on_hand": 12, "reserved": 0, "available": 10, "value": 30, "issued_value": Decimal("12.5")}
    assert (found["variants"], found["low"], found["out_of_stock"], found["open_reorder_tasks"]) == (2, 1, 0, 0)
    assert [(one["sku"], Decimal(one["issued"])) for one in found["top_movers"]] == [("BOLT", 4), ("NUT", 1)]
    [category], [warehouse] = found["by_category"], found["by_warehouse"]
    assert (category["name"], category["variants"], Decimal(category["value"])) == ("Fasteners", 2, 30)
    assert (warehouse["name"], Decimal(warehouse["on_hand"])) == ("Main", 12)
    assert Decimal(found["turnover"]) == round(Decimal("12.5") / 15 * 365 / 30, 2), "15 is between nothing and 30"


def test_a_kit_is_never_out_of_stock(acme: Company) -> None:
    with acme.scope():
        goods = traded()
        ProductVariant.objects.create(product=goods.bolt.product, sku="SET", name="Set", is_kit=True)
    found = acme.api.get(URL).json()
    assert (found["variants"], found["out_of_stock"]) == (3, 0)


def test_nothing_is_not_an_error(acme: Company) -> None:
    found = acme.api.get(URL).json()
    assert (Decimal(found["value"]), found["turnover"], found["top_movers"], found["by_category"]) == (0, None, [], [])


def test_a_move_counts_where_it_happens(acme: Company) -> None:
    with acme.scope():
        goods = traded()
        branch = Warehouse.objects.create(code="W2", name="Branch")
        goods.move(1, to=Location.objects.create(warehouse=branch, code="B-1"))
        everywhere, there = inventory_statistics(), inventory_statistics(warehouses=[branch.pk])
    assert (everywhere.on_hand, there.on_hand, there.issued_value, there.top_movers) == (11, 1, 0, [])
    limited = limited_api(acme, branch)
    assert Decimal(limited.get(URL).json()["on_hand"]) == 1
    assert Decimal(acme.api.get(URL, {"warehouse": branch.pk}).json()["on_hand"]) == 1
    assert_problem(limited.get(URL, {"warehouse": goods.warehouse.pk}), 403, "outside_warehouses")


def test_reads_and_nothing_else(acme: Company) -> None:
    before = len(statements(acme.api, URL))
    with acme.scope():
        traded()
    with CaptureQueriesContext(connection) as queries:
        first = acme.api.get(URL)
    assert not [query["sql"] for query in queries if query["sql"].lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert before == len(statements(acme.api, URL)) <= 7, "the last one ends the scope inside the test's transaction"
    assert acme.api.get(URL, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert_problem(acme.api.send("post", URL), 405)


@pytest.mark.parametrize("query", [{"days": 0}, {"days": "x"}, {"top": 101}, {"warehouse": "x"}, {"unknown": 1}])
def test_says_which_parameter_is_wrong(query: dict[str, Any], acme: Company) -> None:
    problem = assert_problem(acme.api.get(URL, query), 400, "invalid_parameter")
    assert problem["errors"][0]["parameter"] == next(iter(query))


def test_needs_a_permission(acme: Company) -> None:
    assert acme.api_as("viewer").get(URL).status_code == 200
    assert_problem(acme.api_by_key("inventory.view_product").get(URL), 403, "permission_denied")

"""Bills of materials: no loops, down to the parts and their cost, up to where they go, how many can be built."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from core.invariants import broken
from inventory.models import BomLine, ProductVariant
from inventory.queries.assemblies import components_of, exploded
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers, statements
from tests.factories.inventory import ProductVariantFactory, WarehouseFactory
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once
from tests.limited import limited_api

LINES, VARIANTS = "/api/v1/bom-lines/", "/api/v1/product-variants/"


def variant(sku: str, cost: str = "0", **values: Any) -> ProductVariant:
    made: ProductVariant = ProductVariantFactory(sku=sku, standard_cost=Decimal(cost), **values)
    return made


def line(assembly: ProductVariant, component: ProductVariant, quantity: Any = 1, **values: Any) -> BomLine:
    made: BomLine = BomLine.objects.create(assembly=assembly, component=component, quantity=Decimal(quantity), **values)
    return made


@pytest.fixture
def bicycle(acme: Company) -> dict[str, ProductVariant]:
    """A bicycle of a frame and two wheels, each of a rim and 32 spokes with 5 % lost; a bell if one likes."""
    with acme.scope():
        made = {
            sku: variant(sku, cost) for sku, cost in
            {"BIKE": "0", "WHEEL": "7", "FRAME": "80", "RIM": "10", "SPOKE": "0.25", "BELL": "4"}.items()
        }  # fmt: skip
        line(made["BIKE"], made["FRAME"])
        line(made["BIKE"], made["WHEEL"], 2)
        line(made["BIKE"], made["BELL"], is_optional=True)
        line(made["WHEEL"], made["RIM"])
        line(made["WHEEL"], made["SPOKE"], 32, scrap_percent=5)
    return made


def test_explodes_to_the_parts_and_rolls_up_their_cost(acme: Company, bicycle: dict[str, ProductVariant]) -> None:
    url = f"{VARIANTS}{bicycle['BIKE'].pk}/explosion/"
    answer = acme.api.get(url, {"quantity": "3"}).json()
    assert {part["sku"]: (part["quantity"], part["level"]) for part in answer["parts"]} == {
        "FRAME": ("3.000000", 1), "RIM": ("6.000000", 2), "SPOKE": ("201.600000", 2),
    }  # fmt: skip
    assert answer["cost"] == "350.400000"  # 3 x 80 + 6 x 10 + 201.6 x 0.25
    whole = acme.api.get(url, {"optional": "true"}).json()
    assert (whole["cost"], [part["sku"] for part in whole["parts"]]) == ("120.800000", ["BELL", "FRAME", "RIM", "SPOKE"])
    alone = acme.api.get(f"{VARIANTS}{bicycle['RIM'].pk}/explosion/").json()
    assert (alone["cost"], alone["parts"][0]["level"]) == ("10.000000", 0)
    assert len(statements(acme.api, url)) == len(statements(acme.api, f"{VARIANTS}{bicycle['RIM'].pk}/explosion/"))


def test_says_where_a_part_is_used(acme: Company, bicycle: dict[str, ProductVariant]) -> None:
    uses = acme.api.get(f"{VARIANTS}{bicycle['SPOKE'].pk}/where-used/").json()["uses"]
    assert [(use["sku"], use["quantity"], use["level"]) for use in uses] == [("WHEEL", "33.600000", 1), ("BIKE", "67.200000", 2)]
    assert acme.api.get(f"{VARIANTS}{bicycle['BIKE'].pk}/where-used/").json() == {"uses": []}


def test_opens_kits_and_keeps_assemblies(acme: Company, bicycle: dict[str, ProductVariant]) -> None:
    """What is taken from stock for a gift of two bicycles and a repair kit, twice."""
    with acme.scope():
        gift, repair, patch = variant("GIFT", is_kit=True), variant("REPAIR", is_kit=True), variant("PATCH")
        line(gift, bicycle["BIKE"], 2)
        line(gift, repair)
        line(repair, patch, 6)
        line(gift, patch, 1)
        taken = {one.sku: one.quantity for one in components_of(gift.pk, Decimal(2))}
        assert taken == {"BIKE": 4, "PATCH": 14}
        assert {one.sku: one.quantity for one in components_of(bicycle["WHEEL"].pk)} == {"RIM": 1, "SPOKE": Decimal("33.6")}
        assert components_of(patch.pk) == []


def test_says_how_many_can_be_built(acme: Company, bicycle: dict[str, ProductVariant]) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5, variant=bicycle["RIM"])
        goods.receive(100, variant=bicycle["SPOKE"])
        goods.receive(900, variant=bicycle["SPOKE"], to=goods.quarantine)
        elsewhere = WarehouseFactory()
    url = f"{VARIANTS}{bicycle['WHEEL'].pk}/buildable/"
    answer = acme.api.get(url, {"warehouse": str(goods.warehouse.pk)}).json()
    assert answer["quantity"] == 2
    assert {one["sku"]: (one["available"], one["enough_for"]) for one in answer["components"]} == {
        "RIM": ("5.000000", 5), "SPOKE": ("100.000000", 2),
    }  # fmt: skip
    assert acme.api.get(url, {"warehouse": str(elsewhere.pk)}).json()["quantity"] == 0
    assert limited_api(acme, goods.warehouse).get(url, {"warehouse": str(goods.warehouse.pk)}).status_code == 200
    refused = limited_api(acme, goods.warehouse).get(url, {"warehouse": str(elsewhere.pk)})
    assert_problem(refused, 403, "outside_warehouses")


@pytest.mark.parametrize(("path", "query"), [
    ("explosion", {"quantity": "0"}), ("explosion", {"quantity": "x"}), ("explosion", {"quantity": "1e400"}),
    ("explosion", {"quantity": "0.0000001"}), ("explosion", {"quantity": "NaN"}), ("explosion", {"optional": "perhaps"}),
    ("explosion", {"x": "1"}), ("buildable", {}), ("buildable", {"warehouse": "x"}),
    ("buildable", {"warehouse": "00000000-0000-0000-0000-000000000000"}), ("where-used", {"x": "1"}),
])  # fmt: skip
def test_refuses_strange_questions(path: str, query: dict[str, str], acme: Company, bicycle: dict[str, ProductVariant]) -> None:
    assert_problem(acme.api.get(f"{VARIANTS}{bicycle['BIKE'].pk}/{path}/", query), 400, "invalid_parameter")


def test_nothing_is_made_of_itself(acme: Company, bicycle: dict[str, ProductVariant]) -> None:
    spoke, bike = str(bicycle["SPOKE"].pk), str(bicycle["BIKE"].pk)
    for assembly, component in ((spoke, bike), (bike, bike)):
        answer = acme.api.send("post", LINES, {"assembly": assembly, "component": component, "quantity": "1"})
        problem = assert_problem(answer, 400)
        assert (pointers(problem), "part of itself" in problem["detail"]) == ({"/component"}, True)
    rows = [{"assembly": spoke, "component": str(bicycle["BELL"].pk), "quantity": "1"}]
    rows.append({"assembly": rows[0]["component"], "component": bike, "quantity": "1"})
    answer = acme.api.send("post", f"{LINES}bulk/", {"rows": rows, "mode": "partial"}).json()
    assert [one["status"] for one in answer["results"]] == [201, 400]
    with acme.scope(), pytest.raises(IntegrityError, match="part of itself"), transaction.atomic():
        BomLine.objects.filter(component=bicycle["RIM"]).update(component=bicycle["BIKE"])


def test_two_lines_cannot_close_a_circle_together(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        chain = [variant(f"V{number}") for number in range(4)]
        line(chain[0], chain[1])
        line(chain[2], chain[3])
    api = company.api

    def close(number: int) -> int:
        assembly, component = (chain[1], chain[2]) if number else (chain[3], chain[0])
        body = {"assembly": str(assembly.pk), "component": str(component.pk), "quantity": "1"}
        return int(api.send("post", LINES, body).status_code)

    assert sorted(at_once(2, close)) == [201, 400]
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []


def test_refuses_more_ways_than_anybody_counts(acme: Company) -> None:
    """Fifteen levels of two, each made of both below: 32,768 ways."""
    with acme.scope():
        levels = [[variant(f"L{level}-{side}") for side in range(2)] for level in range(15)]
        BomLine.objects.bulk_create([
            BomLine(assembly=above, component=below, quantity=1)
            for upper, lower in pairwise(levels) for above in upper for below in lower
        ])
        with pytest.raises(Conflict, match="ways"):
            exploded(levels[0][0].pk)
        top, bottom = levels[0][0].pk, levels[-1][0].pk
    for path in (f"{top}/explosion", f"{bottom}/where-used"):
        assert_problem(acme.api.get(f"{VARIANTS}{path}/"), 409, "too_many_parts")


edges = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda edge: edge[0] < edge[1]), max_size=9)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(edges, st.data())
def test_explodes_any_bill_as_a_recursion_would(acme: Company, given_edges: set[tuple[int, int]], data: st.DataObject) -> None:
    quantities = {edge: Decimal(data.draw(st.integers(1, 9))) for edge in sorted(given_edges)}
    with acme.scope(), transaction.atomic():
        parts = ProductVariantFactory.create_batch(6)
        for (above, below), quantity in quantities.items():
            line(parts[above], parts[below], quantity)
        expected: dict[str, Decimal] = defaultdict(Decimal)

        def walk(node: int, wanted: Decimal) -> None:
            children = [edge for edge in quantities if edge[0] == node]
            if not children:
                expected[parts[node].sku] += wanted
            for edge in children:
                walk(edge[1], wanted * quantities[edge])

        walk(0, Decimal(2))
        assert {leaf.sku: leaf.quantity for leaf in exploded(parts[0].pk, Decimal(2))} == expected

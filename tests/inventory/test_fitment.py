"""Which parts fit a vehicle, which vehicles a part fits, and what of it is in stock here."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.invariants import broken
from inventory.models import Fitment, ProductRelation, ProductVariant, StockItem, VehicleModel, Warehouse
from inventory.queries.fitment import Stock, parts_of, parts_statement, parts_window, vehicles_of, vehicles_window
from inventory.services.fitment import Mode, Place, Span, fitments_set
from tests.companies import Company
from tests.contracts.resources import all_pages, assert_problem, statements
from tests.contracts.test_warehouse_limits import limited_api
from tests.inventory.goods import Goods


def models(make: str = "TOYOTA", model: str = "COROLLA", years: Any = range(2001, 2011)) -> list[VehicleModel]:
    return list(VehicleModel.objects.bulk_create([VehicleModel(make=make, model=model, year=year) for year in years]))


def fit(variant: ProductVariant, vehicle: VehicleModel, position: str = "", quantity: int = 1) -> Fitment:
    return Fitment.objects.create(variant=variant, vehicle_model=vehicle, position=position, quantity_per_vehicle=quantity)


def parts_url(vehicle: VehicleModel) -> str:
    return f"/api/v1/vehicle-models/{vehicle.pk}/parts/"


def vehicles_url(variant: ProductVariant, tail: str = "") -> str:
    return f"/api/v1/product-variants/{variant.pk}/vehicles/{tail}"


# --- What fits --------------------------------------------------------------------------------------------


def test_the_parts_of_a_vehicle_by_position(acme: Company) -> None:
    with acme.scope():
        goods, [vehicle, other] = Goods.create(), models(years=[2001, 2002])
        for position in ("front left", "front right"):
            fit(goods.bolt, vehicle, position, 2)
        fit(goods.nut, vehicle)
        fit(goods.nut, other)
    rows = acme.api.get(parts_url(vehicle)).json()["results"]
    shown = [(row["sku"], row["position"], row["quantity_per_vehicle"]) for row in rows]
    assert shown == [("BOLT", "front left", "2.000000"), ("BOLT", "front right", "2.000000"), ("NUT", "", "1.000000")]
    assert "on_hand" not in rows[0], "nobody asked for stock"
    with acme.scope():
        ProductVariant.objects.filter(pk=goods.bolt.pk).update(archived_at=timezone.now())
    assert [row["sku"] for row in acme.api.get(parts_url(vehicle)).json()["results"]] == ["NUT"]


def superseded(goods: Goods, *skus: str) -> list[ProductVariant]:
    """Each supersedes the one before it, the first one the bolt."""
    chain = [goods.bolt]
    for sku in skus:
        new = ProductVariant.objects.create(product=goods.bolt.product, sku=sku, name=sku.title())
        ProductRelation.objects.create(from_variant=new, to_variant=chain[-1], kind="supersedes")
        chain.append(new)
    return chain


def test_the_current_part_stands_in_place_of_the_superseded_one(acme: Company) -> None:
    with acme.scope():
        goods, [vehicle] = Goods.create(), models(years=[2001])
        fit(goods.bolt, vehicle, "front")
        fit(goods.nut, vehicle)
        _, _, newest = superseded(goods, "BOLT-2", "BOLT-3")
        goods.receive(4), goods.receive(7, variant=newest)
        goods.rule(minimum=8, variant=newest, vehicle_model=vehicle)

    def shown(**query: Any) -> list[Any]:
        rows = acme.api.get(parts_url(vehicle), query).json()["results"]
        return [(row["sku"], row["replaces_sku"], row.get("available"), row.get("threshold")) for row in rows]

    assert shown() == [("BOLT-3", "BOLT", None, None), ("NUT", None, None, None)]
    assert shown(in_stock_at=goods.warehouse.pk) == [("BOLT-3", "BOLT", "7.000000", "8.000000")]
    page = acme.admin.get(f"/admin/inventory/vehiclemodel/{vehicle.pk}/parts/")
    assert "BOLT-3" in page.text and "<td>BOLT</td>" in page.text
    with acme.scope():
        ProductVariant.objects.filter(pk=newest.pk).update(archived_at=timezone.now())
    assert shown()[0][:2] == ("BOLT-2", "BOLT")
    with acme.scope():
        ProductRelation.objects.update(valid_from="2999-01-01")
    assert shown()[0][:2] == ("BOLT", None), "its successor is not in force yet"


@pytest.mark.parametrize(("own", "archived", "expected"), [
    ([1], [], [("BOLT-3", "BOLT-2")]),  # the fitment of the nearer part speaks for the older one
    ([1, 2], [0], [("BOLT-3", None)]),
    ([2], [2], [("BOLT-2", "BOLT")]),  # what is archived offers nothing, so it stands in nobody's way
])
def test_a_part_is_offered_once_for_a_place(own: list[int], archived: list[int], expected: Any, acme: Company) -> None:
    with acme.scope():
        goods, [vehicle] = Goods.create(), models(years=[2001])
        chain = superseded(goods, "BOLT-2", "BOLT-3")
        for number in (0, *own):
            fit(chain[number], vehicle, "front")
        ProductVariant.objects.filter(pk__in=[chain[number].pk for number in archived]).update(archived_at=timezone.now())
    rows = acme.api.get(parts_url(vehicle)).json()["results"]
    assert [(row["sku"], row["replaces_sku"]) for row in rows] == expected


def test_a_part_takes_over_the_vehicles_of_what_it_supersedes(acme: Company) -> None:
    """A place that two of them fit is shown once, by the nearest; what is not in force yet does not count."""
    with acme.scope():
        goods, (own, both, old, older, *_) = Goods.create(), models()
        part, two, newest = superseded(goods, "BOLT-2", "BOLT-3")
        ProductRelation.objects.create(from_variant=newest, to_variant=goods.nut, kind="supersedes")
        fit(newest, own), fit(newest, both, quantity=2), fit(two, both), fit(two, old), fit(part, old), fit(part, older)
        fit(part, both, "rear"), fit(goods.nut, older)
        ProductVariant.objects.filter(pk=part.pk).update(archived_at=timezone.now())

    def shown(asked: ProductVariant, **query: Any) -> list[Any]:
        rows = acme.api.get(vehicles_url(asked), query).json()["results"]
        return [(row["year"], row["position"], row["quantity_per_vehicle"][0], row["replaces_sku"]) for row in rows]

    assert shown(newest) == [
        (2001, "", "1", None), (2002, "", "2", None), (2002, "rear", "1", "BOLT"), (2003, "", "1", "BOLT-2"),
        (2004, "", "1", "NUT"),
    ]
    assert shown(newest, year__gte=2003) == [(2003, "", "1", "BOLT-2"), (2004, "", "1", "NUT")]
    assert shown(part) == [(2002, "rear", "1", None), (2003, "", "1", None), (2004, "", "1", None)], "its own stay its own"
    ranges = acme.api.get(f"/api/v1/product-variants/{newest.pk}/vehicle-ranges/").json()["results"]
    assert [(row["year_from"], row["year_to"], row["position"], row["quantity_per_vehicle"][0]) for row in ranges] == [
        (2001, 2001, "", "1"), (2002, 2002, "", "2"), (2003, 2004, "", "1"), (2002, 2002, "rear", "1"),
    ]
    page = acme.admin.get(f"/admin/inventory/productvariant/{newest.pk}/vehicles/")
    assert "Replaces sku" in page.text and "<td>BOLT-2</td>" in page.text
    pages = all_pages(acme.api, vehicles_url(newest), {"limit": 2})
    assert [len(page["results"]) for page in pages] == [2, 2, 1]
    assert acme.api.get(pages[2]["previous"]).json()["results"] == pages[1]["results"]
    with acme.scope():
        ProductRelation.objects.update(valid_from="2999-01-01")
    assert shown(newest) == [(2001, "", "1", None), (2002, "", "2", None)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 1), st.sampled_from(["", "front"])), max_size=12))
def test_both_directions_say_the_same_of_a_current_part(places: set[tuple[int, int, str]], acme: Company) -> None:
    """A part with its own chain: it is offered for just those places that it says it fits."""
    with transaction.atomic(), acme.scope():
        goods, vehicles = Goods.create(), models(years=[2001, 2002])
        chain = superseded(goods, "BOLT-2", "BOLT-3", "BOLT-4")
        for number, vehicle, position in places:
            fit(chain[number], vehicles[vehicle], position)
        ProductVariant.objects.filter(pk=chain[1].pk).update(archived_at=timezone.now())
        offered = {
            (row["fitment"], row["replaces"]) for vehicle in vehicles
            for row in parts_of(vehicle.pk, parts_window(50, None)).rows if row["variant"] == chain[-1].pk
        }
        said = {(row["fitment"], row["replaces"]) for row in vehicles_of(chain[-1].pk, vehicles_window(50, None)).rows}
        assert offered == said
        transaction.set_rollback(True)


def test_what_fits_and_is_in_stock_here(acme: Company) -> None:
    """Reserved goods and those in quarantine are there, but not available; another warehouse does not count."""
    with acme.scope():
        goods, [vehicle] = Goods.create(), models(years=[2001])
        washer = ProductVariant.objects.create(product=goods.bolt.product, sku="WASHER", name="Washer")
        elsewhere = Warehouse.objects.create(code="W2", name="Other")
        for variant in (goods.bolt, goods.nut, washer):
            fit(variant, vehicle)
        goods.receive(5)
        goods.receive(3, variant=goods.nut)
        goods.receive(4, variant=washer, to=goods.quarantine)
        StockItem.objects.filter(variant=goods.nut).update(reserved=3)
    here = acme.api.get(parts_url(vehicle), {"in_stock_at": goods.warehouse.pk}).json()["results"]
    assert [(row["sku"], row["on_hand"], row["available"]) for row in here] == [("BOLT", "5.000000", "5.000000")]
    at = acme.api.get(parts_url(vehicle), {"stock_at": goods.warehouse.pk}).json()["results"]
    assert {row["sku"]: (row["on_hand"][0], row["available"][0]) for row in at} == {
        "BOLT": ("5", "5"), "NUT": ("3", "0"), "WASHER": ("4", "0"),
    }  # fmt: skip
    assert acme.api.get(parts_url(vehicle), {"in_stock_at": elsewhere.pk}).json()["results"] == []


def test_shows_the_threshold_of_the_vehicle_before_the_one_for_all(acme: Company) -> None:
    with acme.scope():
        goods, [vehicle, other] = Goods.create(), models(years=[2001, 2002])
        fit(goods.bolt, vehicle), fit(goods.bolt, other)
        goods.receive(6)
        goods.rule(minimum=5)
        goods.rule(minimum=8, vehicle_model=vehicle)
    query = {"stock_at": goods.warehouse.pk}
    for model, threshold, low in ((vehicle, "8.000000", True), (other, "5.000000", False)):
        [row] = acme.api.get(parts_url(model), query).json()["results"]
        assert (row["on_hand"], row["threshold"], row["is_low"]) == ("6.000000", threshold, low)


def test_the_vehicles_of_a_part_by_make_and_years(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        for vehicle in [*models(), *models("HONDA", "CIVIC", range(2005, 2008))]:
            fit(goods.bolt, vehicle)
    everything = acme.api.get(vehicles_url(goods.bolt)).json()["results"]
    assert len(everything) == 13
    query = {"make": "TOYOTA", "year__gte": 2003, "year__lte": 2004}
    assert [row["year"] for row in acme.api.get(vehicles_url(goods.bolt), query).json()["results"]] == [2003, 2004]
    assert acme.api.get(vehicles_url(goods.nut)).json()["results"] == []


def test_pages_miss_and_repeat_nothing(acme: Company) -> None:
    with acme.scope():
        goods, vehicles = Goods.create(), models(years=range(2001, 2008))
        for vehicle in vehicles:
            for position in ("front", "rear"):
                fit(goods.bolt, vehicle, position)
    pages = all_pages(acme.api, vehicles_url(goods.bolt), {"limit": 4})
    found = [row["fitment"] for page in pages for row in page["results"]]
    assert len(found) == len(set(found)) == 14
    back = acme.api.get(pages[1]["previous"]).json()
    assert back["results"] == pages[0]["results"]


def test_years_that_follow_each_other_are_one_range(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        for vehicle in models(years=[2001, 2002, 2003, 2007, 2008, 2010]):
            fit(goods.bolt, vehicle)
        VehicleModel.objects.create(make="TOYOTA", model="COROLLA", year=2002, engine="1.8")
        fit(goods.bolt, VehicleModel.objects.get(engine="1.8"))
    url = f"/api/v1/product-variants/{goods.bolt.pk}/vehicle-ranges/"
    ranges = acme.api.get(url).json()["results"]
    assert [(row["year_from"], row["year_to"]) for row in ranges] == [(2001, 2003), (2007, 2008), (2010, 2010)]
    assert acme.api.get(url, headers={"If-None-Match": acme.api.get(url).headers["ETag"]}).status_code == 304


def test_a_page_costs_the_same_however_much_there_is(acme: Company) -> None:
    with acme.scope():
        goods, vehicles = Goods.create(), models()
        fit(goods.bolt, vehicles[0])
    url = f"{parts_url(vehicles[0])}?in_stock_at={goods.warehouse.pk}"
    one = statements(acme.api, url)
    with acme.scope():
        fit(goods.nut, vehicles[0])
        goods.receive(5), goods.receive(5, variant=goods.nut)
    assert len(statements(acme.api, url)) == len(one) <= 5  # the last one ends the scope inside the test's transaction
    one = statements(acme.api, vehicles_url(goods.bolt))
    with acme.scope():
        for part in superseded(goods, "BOLT-2", "BOLT-3"):
            fit(part, vehicles[1])
        newest = ProductVariant.objects.get(sku="BOLT-3")
    assert len(statements(acme.api, vehicles_url(newest))) == len(one) <= 5


def test_a_page_is_found_by_indexes_alone(new_company: Callable[[], Company]) -> None:
    """Under row security: of the fitments by vehicle, of the balances by warehouse and variant."""
    company = new_company()
    with company.scope():
        bolt = Goods.create().bolt  # of a nearly empty table any index would do
        vehicles = [vehicle for make in "ABCDEFGHIJ" for vehicle in models(make, years=range(1925, 2025))]
        Fitment.objects.bulk_create([Fitment(variant=bolt, vehicle_model=vehicle) for vehicle in vehicles])
    with connections["owner"].cursor() as owner:
        owner.execute("ANALYZE inventory_fitment, inventory_productvariant")
    with company.scope(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as if there were millions
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        sql, values = parts_statement(uuid4(), parts_window(50, None), Stock(uuid4(), only=True))
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using fitment_by_vehicle" in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(("query", "parameter"), [
    ({"in_stock_at": "x"}, "in_stock_at"), ({"stock_at": str(uuid4())}, "stock_at"), ({"cursor": "x"}, "cursor"), ({"x": 1}, "x"),
    ({"limit": 0}, "limit"),
])  # fmt: skip
def test_says_which_parameter_is_wrong(query: dict[str, Any], parameter: str, acme: Company) -> None:
    with acme.scope():
        [vehicle] = models(years=[2001])
    problem = assert_problem(acme.api.get(parts_url(vehicle), query), 400, "invalid_parameter")
    assert problem["errors"][0]["parameter"] == parameter


def test_stock_is_told_of_warehouses_that_one_may_see(acme: Company) -> None:
    with acme.scope():
        goods, [vehicle] = Goods.create(), models(years=[2001])
        other = Warehouse.objects.create(code="W2", name="Other")
    api = limited_api(acme, goods.warehouse)
    assert api.get(parts_url(vehicle), {"stock_at": goods.warehouse.pk}).status_code == 200
    assert_problem(api.get(parts_url(vehicle), {"stock_at": other.pk}), 403, "outside_warehouses")
    key = acme.api_by_key("inventory.view_fitment")
    assert key.get(parts_url(vehicle)).status_code == 200
    assert_problem(key.get(parts_url(vehicle), {"stock_at": goods.warehouse.pk}), 403, "permission_denied")


# --- Saying what fits -------------------------------------------------------------------------------------


def test_a_preview_counts_and_writes_nothing(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        models()
    body = {"vehicles": [{"make": "toyota", "model": "corolla", "year_from": 2003, "year_to": 2005}], "position": "front"}
    seen = acme.api.send("post", vehicles_url(goods.bolt, "set/"), {**body, "preview": True}).json()
    assert (seen["matched"], seen["created"], seen["removed"]) == (3, 3, 0)
    assert seen["ranges"] == [{"make": "TOYOTA", "model": "COROLLA", "year_from": 2003, "year_to": 2005}]
    with acme.scope():
        assert not Fitment.objects.exists()
    done = acme.api.send("post", vehicles_url(goods.bolt, "set/"), body).json()
    assert done == {**seen, "preview": False}
    again = acme.api.send("post", vehicles_url(goods.bolt, "set/"), body).json()
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 3)


def test_what_is_not_given_stays(acme: Company) -> None:
    with acme.scope():
        goods, spans = Goods.create(), [Span("TOYOTA")]
        models(years=[2001, 2002])
        fitments_set(variant_id=goods.bolt.pk, spans=spans, place=Place(quantity_per_vehicle=Decimal(2), notes="Not for taxis"))
        changed = fitments_set(variant_id=goods.bolt.pk, spans=spans, place=Place(quantity_per_vehicle=Decimal(4)))
        assert (changed.created, changed.changed) == (0, 2)
        assert set(Fitment.objects.values_list("quantity_per_vehicle", "notes")) == {(4, "Not for taxis")}


def test_refuses_what_means_no_vehicle(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        [foreign] = models(years=[2001])
    with acme.scope():
        goods = Goods.create()
        with pytest.raises(Invalid, match="No vehicle model here"):
            fitments_set(variant_id=goods.bolt.pk, spans=[Span("TOYOTA")], mode=Mode.REPLACE)
        with pytest.raises(Invalid, match="no such vehicle model"):
            fitments_set(variant_id=goods.bolt.pk, vehicle_models=[foreign.pk])
    for body in ({}, {"vehicles": [{"model": "x"}]}, {"vehicles": [{"make": "A", "year_to": 10**20}]}, {"vehicle_models": [1]}):
        assert_problem(acme.api.send("post", vehicles_url(goods.bolt, "set/"), body), 400)
    key = acme.api_by_key("inventory.add_fitment", "inventory.change_fitment", "inventory.view_productvariant")
    refused = assert_problem(key.send("post", vehicles_url(goods.bolt, "set/"), {"mode": "replace"}), 403)
    assert refused["missing_permission"] == "inventory.delete_fitment"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.sets(st.integers(0, 9)), meant=st.sets(st.integers(0, 9), min_size=1), mode=st.sampled_from(Mode.values))
def test_whatever_is_meant_the_outcome_is_what_is_there(held: set[int], meant: set[int], mode: str, acme: Company) -> None:
    with transaction.atomic(), acme.scope():
        goods, vehicles = Goods.create(), models()
        for number in held:
            fit(goods.bolt, vehicles[number])
        outcome = fitments_set(variant_id=goods.bolt.pk, vehicle_models=[vehicles[number].pk for number in meant], mode=mode)
        expected = {Mode.ADD: held | meant, Mode.REPLACE: meant, Mode.REMOVE: held - meant}[Mode(mode)]
        there = set(Fitment.objects.filter(variant=goods.bolt).values_list("vehicle_model_id", flat=True))
        assert there == {vehicles[number].pk for number in expected}
        assert outcome.created - outcome.removed == len(there) - len(held)
        assert not [rows for _, rows in broken() if rows]
        transaction.set_rollback(True)


# --- In the admin -----------------------------------------------------------------------------------------


def test_the_admin_shows_both_directions(acme: Company) -> None:
    with acme.scope():
        goods, [vehicle] = Goods.create(), models(years=[2001])
        fit(goods.bolt, vehicle, "front left")
        goods.receive(5)
    browser = acme.admin
    page = browser.get(f"/admin/inventory/vehiclemodel/{vehicle.pk}/parts/", {"warehouse": goods.warehouse.pk, "in_stock": "on"})
    assert page.status_code == 200 and "BOLT" in page.text and "front left" in page.text and "<td>5</td>" in page.text
    page = browser.get(f"/admin/inventory/productvariant/{goods.bolt.pk}/vehicles/")
    assert page.status_code == 200 and "COROLLA" in page.text
    assert browser.get(f"/admin/inventory/vehiclemodel/{uuid4()}/parts/").status_code == 302


def test_the_admin_previews_and_then_does(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        models()
    url = f"/admin/inventory/productvariant/{goods.bolt.pk}/set-vehicles/"
    form = {"make": "Toyota", "year_from": 2003, "year_to": 2005, "mode": "add"}
    page = acme.admin.post(url, form)
    assert page.status_code == 200 and "3 to add" in page.text and "TOYOTA COROLLA 2003 to 2005" in page.text
    with acme.scope():
        assert not Fitment.objects.exists()
    assert acme.admin.post(url, {**form, "do": "1"}).status_code == 302
    with acme.scope():
        assert Fitment.objects.filter(variant=goods.bolt).count() == 3
    assert "No vehicle model here" in acme.admin.post(url, {**form, "make": "Nobody"}).text
    assert acme.admin_as("viewer").get(url).status_code == 403

"""The paths and shapes of source 000."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Party
from accounts.permissions import MANAGER, VIEWER
from core.invariants import broken
from inventory.models import (
    Fitment,
    Location,
    ProductVariant,
    ReasonCode,
    ReorderTask,
    StockAdjustment,
    StockMove,
    Supplier,
    VehicleModel,
    Warehouse,
)  # fmt: skip
from tests.accounts.test_old_paths import assert_old_error
from tests.companies import Api, Company
from tests.contracts.resources import statements
from tests.inventory.goods import Goods
from tests.limited import limited_api

PART = [
    "partId", "sku", "name", "description", "category", "vehicleModel", "vehicleModels", "price", "supplier", "quantity",
    "reorderThreshold", "createdAt", "updatedAt",
]  # fmt: skip
CIVIC, JAZZ = "HONDA CIVIC 2010", "HONDA JAZZ 2012"
BODY = {
    "name": "Brake pad set", "sku": "BP-1", "description": "Front.", "category": "Brakes", "price": 18.9,
    "vehicleModel": "Honda Civic 2010", "supplier": "S1", "reorderThreshold": 5, "quantity": 12,
}  # fmt: skip


@pytest.fixture
def goods(acme: Company) -> Goods:
    """Besides: two vehicle models and a supplier."""
    with acme.scope():
        made = Goods.create()
        for model, year in (("CIVIC", 2010), ("JAZZ", 2012)):
            VehicleModel.objects.create(make="HONDA", model=model, year=year)
        Supplier.objects.create(party=Party.objects.create(name="Pads & Co"), code="S1")
        return made


def created(company: Company, **values: Any) -> dict[str, Any]:
    response = company.api.send("post", "/parts", {**BODY, **values})
    assert response.status_code == 201, response.content
    found: dict[str, Any] = response.json()
    return found


# --- /parts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_part_is_created_read_updated_and_deleted(slash: str, acme: Company, goods: Goods) -> None:
    response = acme.api.send("post", f"/parts{slash}", BODY)
    part = response.json()
    assert (response.status_code, list(part)) == (201, PART), response.content
    assert {name: part[name] for name in BODY} == {**BODY, "vehicleModel": CIVIC, "supplier": "Pads & Co"}
    url = f"/parts/{part['partId']}{slash}"
    assert acme.api.get(url).json() == part
    changed = acme.api.send("put", url, {"price": 20, "vehicleModels": [CIVIC, JAZZ], "quantity": 10, "name": "Pads"})
    assert (changed.status_code, changed.json()["price"], changed.json()["vehicleModels"]) == (200, 20, [CIVIC, JAZZ])
    assert (changed.json()["quantity"], changed.json()["name"], changed.json()["reorderThreshold"]) == (10, "Pads", 5)
    deleted = acme.api.delete(url)
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Part deleted successfully", "partId": part["partId"]})
    assert acme.api.get(f"/parts{slash}").json()["parts"] == [] or all(
        one["partId"] != part["partId"] for one in acme.api.get(f"/parts{slash}").json()["parts"]
    )
    for method, path in (("get", url), ("put", url), ("delete", url), ("get", f"/stock/{part['partId']}{slash}")):
        assert_old_error(acme.api.send(method, path, None if method == "get" else {"name": "Again"}), 404, "not_found")
    with acme.scope():
        assert ProductVariant.objects.get(pk=part["partId"]).archived_at, "archived, not gone"
        assert not [rows for _, rows in broken() if rows]


def test_a_part_may_be_named_in_the_body(acme: Company, goods: Goods) -> None:
    part = created(acme)
    changed = acme.api.send("put", "/parts", {"partId": part["partId"], "price": 7.5})
    assert (changed.status_code, changed.json()["price"]) == (200, 7.5)
    for body in ({"price": 1}, [1], {"partId": 7}):
        assert_old_error(acme.api.send("put", "/parts", body), 400, "invalid")
    assert_old_error(acme.api.send("put", "/parts", {"partId": str(uuid4()), "price": 1}), 404, "not_found")
    path = f"/parts/{part['partId']}"
    assert "two parts" in assert_old_error(acme.api.send("put", path, {"partId": str(goods.bolt.pk), "price": 1}), 400, "invalid")
    assert acme.api.send("put", path, {"partId": part["partId"], "price": 8}).json()["price"] == 8
    assert acme.api.send("delete", "/parts", {"partId": part["partId"]}).status_code == 200


def test_pieces_go_into_a_bin_and_not_onto_the_aisle(acme: Company, goods: Goods) -> None:
    with acme.scope():
        Location.objects.filter(pk=goods.shelf.pk).update(pick_sequence=1)
        Location.objects.filter(pk=goods.other_shelf.pk).update(parent=goods.shelf.pk, pick_sequence=2)
    stock = acme.api.send("put", f"/stock/{goods.bolt.pk}", {"quantity": 3}).json()
    assert [place["location"] for place in stock["locations"]] == ["A-2"]


def test_a_part_is_not_changed_before_it_is_made(acme: Company, goods: Goods) -> None:
    part = created(acme, quantity=4)
    assert part["createdAt"] <= part["updatedAt"]


def test_lists_pages_of_parts_by_vehicle(acme: Company, goods: Goods) -> None:
    for number in range(3):
        created(acme, sku=f"BP-{number}", **({} if number else {"vehicleModel": JAZZ}))
    seen, token = list[str](), None
    while True:
        page = acme.api.get("/parts", {"limit": 2, **({"nextToken": token} if token else {})}).json()
        assert list(page) == ["parts", "count", "nextToken"] and page["count"] == len(page["parts"])
        seen += [part["sku"] for part in page["parts"]]
        if not (token := page["nextToken"]):
            break
    assert seen == ["BOLT", "NUT", "BP-0", "BP-1", "BP-2"]
    fitting = acme.api.get("/parts", {"vehicleModel": CIVIC}).json()["parts"]
    assert [part["sku"] for part in fitting] == ["BP-1", "BP-2"]
    assert acme.api.get("/parts", {"sku": "BP-0"}).json()["count"] == 1
    assert_old_error(acme.api.get("/parts", {"vehicleModel": "Nobody\0"}), 400, "does_not_exist")
    assert_old_error(acme.api.get("/parts", {"fields": "sku"}), 400, "invalid_parameter")


def test_a_page_takes_as_many_statements_as_a_part(acme: Company, goods: Goods) -> None:
    def count() -> int:
        return len(statements(acme.api, "/parts"))

    count()  # what a process asks once
    before = count()
    for number in range(3):
        created(acme, sku=f"BP-{number}")
    assert count() == before


def test_is_not_overwritten_unseen_nor_made_twice(acme: Company, goods: Goods) -> None:
    key = {"Idempotency-Key": "part-1"}
    first, again = (acme.api.send("post", "/parts", BODY, headers=key) for _ in range(2))
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")
    url = f"/parts/{first.json()['partId']}"
    tag = acme.api.get(url).headers["ETag"]
    assert acme.api.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert acme.api.send("put", url, {"price": 1}, headers={"If-Match": tag}).status_code == 200
    assert_old_error(acme.api.send("put", url, {"price": 2}, headers={"If-Match": tag}), 412, "stale")
    body = {"partId": first.json()["partId"], "price": 2}
    assert_old_error(acme.api.send("put", "/parts", body, headers={"If-Match": tag}), 412, "stale")


@pytest.mark.parametrize(("body", "code"), [
    ({"name": ""}, "invalid"), ({"price": "x"}, "invalid"), ({"price": -1}, "invalid"), ({"quantity": 10**20}, "invalid"),
    ({"vehicleModel": "Trabant 601 1980"}, "does_not_exist"), ({"supplier": "Nobody"}, "does_not_exist"), ({"x": 1}, "invalid"),
    ({"sku": "BOLT"}, "unique"), ({"warehouse": "NOWHERE"}, "does_not_exist"), ({"vehicleModels": ["\0"]}, "invalid"),
])  # fmt: skip
def test_says_what_is_wrong_with_a_part(body: dict[str, Any], code: str, acme: Company, goods: Goods) -> None:
    assert_old_error(acme.api.send("post", "/parts", {**BODY, **body}), 400, code)
    with acme.scope():
        assert ProductVariant.objects.count() == 2, "nothing is left of it"


# --- /stock -----------------------------------------------------------------------------------------------


def test_the_level_is_the_same_for_each_vehicle_and_the_threshold_is_not(acme: Company, goods: Goods) -> None:
    part = created(acme, vehicleModels=[CIVIC, JAZZ])
    url = f"/stock/{part['partId']}"
    set_ = acme.api.send("put", url, {"vehicleModel": JAZZ, "reorderThreshold": 20, "quantity": 15, "note": "Counted."})
    assert set_.status_code == 200, set_.content
    stock = acme.api.get(url).json()
    assert stock == set_.json()
    assert (stock["quantity"], stock["available"], stock["reorderThreshold"], stock["isLow"]) == (15, 15, 5, False)
    shown = ("vehicleModel", "quantity", "reorderThreshold", "isLow")
    levels = [tuple(level[name] for name in shown) for level in stock["levels"]]
    assert levels == [(CIVIC, 15, 5, False), (JAZZ, 15, 20, True)]
    assert stock["locations"] == [{"warehouse": "W1", "location": "A-1", "quantity": 15, "reserved": 0, "available": 15}]
    assert [one["vehicleModel"] for one in acme.api.get(url, {"vehicleModel": JAZZ}).json()["levels"]] == [JAZZ]
    with acme.scope():
        moves = StockMove.objects.filter(variant=part["partId"]).order_by("seq").values_list("kind", "quantity", "note")
        assert list(moves) == [("adjustment", 12, ""), ("adjustment", 3, "Counted.")]
        assert not [rows for _, rows in broken() if rows]


def test_a_level_is_set_where_it_is_meant(acme: Company, goods: Goods) -> None:
    url = f"/stock/{goods.bolt.pk}"
    assert acme.api.send("put", url, {"change": 4}).json()["quantity"] == 4, "in the first bin"
    assert acme.api.send("put", url, {"quantity": 2, "location": "A-2"}).json()["quantity"] == 6
    ambiguous = assert_old_error(acme.api.send("put", url, {"quantity": 1}), 409, "several_places")
    assert "W1 A-1, W1 A-2" in ambiguous
    assert acme.api.send("put", url, {"reorderThreshold": 9}).json()["isLow"] is True, "both are in one warehouse"
    assert_old_error(acme.api.send("put", url, {"change": -9, "location": "A-1"}), 409, "insufficient_stock")
    tag = acme.api.get(url).headers["ETag"]
    with acme.scope():
        goods.receive(1)
    assert_old_error(acme.api.send("put", url, {"change": 1, "location": "A-1"}, headers={"If-Match": tag}), 412, "stale")
    both = {"quantity": 1, "change": 1, "location": "A-1"}
    for body in ({}, {"note": "x"}, both, {"quantity": -1}, {"location": "Z", "change": 1}):
        assert acme.api.send("put", url, body).status_code == 400
    assert_old_error(acme.api.get(f"/stock/{uuid4()}"), 404, "not_found")


def test_nobody_gets_round_the_approval_of_large_corrections(acme: Company, goods: Goods) -> None:
    url = f"/stock/{goods.bolt.pk}"
    assert acme.api.send("put", url, {"quantity": 4}).status_code == 200
    with acme.scope():
        ReasonCode.objects.filter(code="COUNT").update(approval_over_quantity=5)
    bodies = ((url, {"change": 6}), (f"/parts/{goods.bolt.pk}", {"quantity": 10}))
    for address, body in bodies:
        answer = acme.api.send("put", address, body)
        assert (answer.status_code, answer.json()["quantity"]) == (202, 4)
        with acme.scope():
            assert StockAdjustment.objects.get(pk=answer.json()["pendingAdjustment"]).status == "pending"
    new = acme.api.send("post", "/parts", {"name": "Washer", "quantity": 6})
    assert (new.status_code, new.json()["quantity"], "pendingAdjustment" in new.json()) == (201, 0, True)
    assert acme.api.send("put", url, {"change": 5}).json()["quantity"] == 9


def test_a_threshold_for_a_vehicle_that_does_not_fit(acme: Company, goods: Goods) -> None:
    body = {"vehicleModel": CIVIC, "reorderThreshold": 3}
    assert_old_error(acme.api.send("put", f"/stock/{goods.bolt.pk}", body), 400, "does_not_fit")


def test_some_warehouses_alone(acme: Company, goods: Goods) -> None:
    with acme.scope():
        branch = Warehouse.objects.create(code="W2", name="Branch")
        Location.objects.create(warehouse=branch, code="B-1")
        goods.receive(5)
    api, url = limited_api(acme, branch), f"/stock/{goods.bolt.pk}"
    assert api.get(url).json()["quantity"] == 0
    assert api.send("put", url, {"quantity": 3}).json()["quantity"] == 3
    assert acme.api.get(url).json()["quantity"] == 8
    assert_old_error(api.send("put", url, {"quantity": 3, "warehouse": "W1"}), 403, "outside_warehouses")


# --- /stock/low, /reorder, /analytics ---------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_is_low_becomes_a_task(slash: str, acme: Company, goods: Goods) -> None:
    part = created(acme, quantity=5, vehicleModels=[CIVIC])
    acme.api.send("put", f"/stock/{part['partId']}", {"vehicleModel": CIVIC, "reorderThreshold": 8})
    low = acme.api.get(f"/stock/low{slash}").json()
    assert (list(low), low["count"]) == (["items", "count", "nextToken"], 2)
    common = {"partId": part["partId"], "sku": "BP-1", "name": "Brake pad set", "warehouse": "W1", "quantity": 5}
    assert sorted(low["items"], key=lambda item: item["reorderThreshold"]) == [
        {**common, "vehicleModel": None, "reorderThreshold": 5}, {**common, "vehicleModel": CIVIC, "reorderThreshold": 8},
    ]
    checked = acme.api.send("post", f"/reorder/check{slash}", headers={"Prefer": "respond-async"})
    assert (checked.status_code, checked.json()["tasksCreated"]) == (200, 1)
    tasks = acme.api.get(f"/reorder/tasks{slash}").json()
    [task] = tasks["tasks"]
    assert list(tasks) == ["tasks", "count", "nextToken"]
    assert (task["partId"], task["vehicleModel"], task["quantity"], task["reorderThreshold"]) == (part["partId"], CIVIC, 5, 8)
    assert (task["suggestedQuantity"], task["status"], task["name"]) == (4, "open", "Brake pad set")
    with acme.scope():
        ReorderTask.objects.update(status="dismissed")
    assert acme.api.get(f"/reorder/tasks{slash}").json()["tasks"] == []
    assert acme.api.get(f"/reorder/tasks{slash}", {"status": "dismissed"}).json()["count"] == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_statistics(slash: str, acme: Company, goods: Goods) -> None:
    with acme.scope():
        goods.receive(10)
        goods.issue(4)
    found = acme.api.get(f"/analytics{slash}").json()
    assert (found["totalParts"], found["totalQuantity"], found["totalValue"], found["currency"]) == (2, 6, 15, "EUR")
    assert (found["lowStockCount"], found["outOfStockCount"], found["openReorderTasks"]) == (0, 1, 0)
    assert found["topMovers"] == [{"partId": str(goods.bolt.pk), "sku": "BOLT", "name": "Bolt", "quantity": 4}]
    assert found["byCategory"] == [{"category": None, "parts": 1, "quantity": 6, "value": 15}]
    assert_old_error(acme.api.send("post", f"/analytics{slash}"), 405, "method_not_allowed")


# --- Who may ----------------------------------------------------------------------------------------------

READS = ["/parts", "/stock/low", "/reorder/tasks", "/analytics"]


def test_needs_a_sign_in(db: None) -> None:
    calls = [*(("get", path) for path in READS), ("post", "/parts"), ("put", "/parts"), ("delete", f"/parts/{uuid4()}")]
    for method, path in [*calls, ("get", f"/stock/{uuid4()}"), ("put", f"/stock/{uuid4()}"), ("post", "/reorder/check")]:
        response = Api().send(method, path)
        assert_old_error(response, 401, "not_authenticated")
        assert "WWW-Authenticate" in response.headers


def test_needs_the_permission_of_the_service(acme: Company, goods: Goods) -> None:
    row = f"/stock/{goods.bolt.pk}"
    for path in [*READS, row]:
        assert acme.api_as(VIEWER).get(path).status_code == 200
    calls = [("post", "/parts"), ("put", "/parts"), ("delete", "/parts"), ("put", row), ("post", "/reorder/check")]
    for method, path in calls:
        assert_old_error(acme.api_as(VIEWER).send(method, path, BODY), 403, "permission_denied")
    some = acme.api_by_key("inventory.add_productvariant", "inventory.add_product", "inventory.view_productvariant")
    assert_old_error(some.send("post", "/parts", BODY), 403, "permission_denied")
    plain = some.send("post", "/parts", {"name": "Plain"})
    assert (plain.status_code, plain.json()["quantity"], plain.json()["sku"][:2]) == (201, None, "P-"), "it may see no stock"
    assert acme.api_as(MANAGER).send("post", "/parts", BODY).status_code == 201


def test_another_company_is_not_there(acme: Company, bolt: Company, goods: Goods) -> None:
    part = created(acme)
    for method, path in (("get", "/parts/"), ("put", "/parts/"), ("delete", "/parts/"), ("get", "/stock/"), ("put", "/stock/")):
        assert_old_error(bolt.api.send(method, f"{path}{part['partId']}", {"quantity": 1}), 404, "not_found")
    assert bolt.api.get("/parts").json()["parts"] == []
    with bolt.scope():
        assert not Fitment.objects.exists()
    with acme.scope():
        assert Fitment.objects.get().quantity_per_vehicle == Decimal(1)

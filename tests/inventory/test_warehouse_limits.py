"""What somebody whose role counts in one warehouse can do with the stock."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Membership, Role, UserRole
from accounts.permissions import ADMIN, MANAGER, VIEWER
from inventory.models import Location, ProductVariant, ReorderTask, StockItem, StockMove, Warehouse
from inventory.services.levels import levels_refresh
from tests.admin.pages import listed
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.accounts import MembershipFactory, RoleFactory
from tests.factories.inventory import ReorderRuleFactory, WarehouseFactory
from tests.inventory.goods import Goods
from tests.limited import limited_admin, limited_api

STOCK, TASKS, LOW, USER_ROLES = "/api/v1/stock-items/", "/api/v1/reorder-tasks/", "/api/v1/low-stock/", "/api/v1/user-roles/"


class Two:
    """A shelf with ten bolts in W1, and one in W2."""

    def __init__(self, company: Company) -> None:
        with company.scope():
            self.goods = Goods.create()
            self.elsewhere = Warehouse.objects.create(code="W2", name="Other")
            self.far = Location.objects.create(warehouse=self.elsewhere, code="B-1")
            self.goods.receive(10)
            self.goods.receive(10, to=self.far)
        self.here = self.goods.warehouse

    def line(self, **places: Location) -> dict[str, str]:
        return {"variant": str(self.goods.bolt.pk), "quantity": "1", **{side: str(place.pk) for side, place in places.items()}}


@pytest.fixture
def two(acme: Company) -> Two:
    return Two(acme)


def bodies(two: Two, place: Location) -> dict[str, dict[str, Any]]:
    shelf, reason = two.goods.shelf, str(two.goods.found.pk)
    change = {"variant": str(two.goods.bolt.pk), "location": str(place.pk), "change": "1"}
    return {
        "receive": {"lines": [two.line(to_location=place)]},
        "issue": {"lines": [two.line(from_location=place)]},
        "move": {"lines": [two.line(from_location=shelf, to_location=two.goods.other_shelf if place == shelf else place)]},
        "adjust": {"lines": [change], "reason": reason},
    }


@pytest.mark.parametrize("verb", ["receive", "issue", "move", "adjust"])
@pytest.mark.parametrize("roles", [(), (VIEWER,)], ids=["sees one", "sees all"])
def test_posts_in_its_own_warehouse_alone(verb: str, roles: tuple[str, ...], acme: Company, two: Two) -> None:
    api = limited_api(acme, two.here, roles=roles, limited=MANAGER)
    assert api.send("post", f"{STOCK}{verb}/", bodies(two, two.goods.shelf)[verb]).status_code == 201
    with acme.scope():
        before = StockMove.objects.count()
    assert_problem(api.send("post", f"{STOCK}{verb}/", bodies(two, two.far)[verb]), 403, "outside_warehouses")
    with acme.scope():
        assert StockMove.objects.count() == before
        assert two.goods.on_hand(location=two.far) == Decimal(10)


def test_a_move_out_of_another_warehouse_is_refused_too(acme: Company, two: Two) -> None:
    api = limited_api(acme, two.here)
    body = {"lines": [two.line(from_location=two.far, to_location=two.goods.shelf)]}
    assert_problem(api.send("post", f"{STOCK}move/", body), 403, "outside_warehouses")


def test_of_two_limited_roles_each_counts_in_its_own(acme: Company, two: Two) -> None:
    """Sees both warehouses by one role, and receives in one by the other."""
    with acme.scope():
        RoleFactory(code="receiver", permissions=["inventory.receive_stock"])
    api = limited_api(acme, two.here, two.elsewhere, limited=VIEWER)
    assert len(api.get(STOCK).json()["results"]) == 2
    own = api.get("/api/v1/me/").json()
    with acme.scope():
        UserRole.objects.create(
            membership=Membership.objects.get(user_id=own["id"]), role=Role.objects.get(code="receiver"),
            warehouse_ids=[two.elsewhere.pk],
        )
    assert_problem(api.send("post", f"{STOCK}receive/", {"lines": [two.line(to_location=two.goods.shelf)]}), 403)
    assert api.send("post", f"{STOCK}receive/", {"lines": [two.line(to_location=two.far)]}).status_code == 201


def test_the_catalog_is_not_limited(acme: Company, two: Two) -> None:
    api = limited_api(acme, two.here, limited=MANAGER)
    assert api.get("/api/v1/product-variants/").json()["results"]
    assert api.send("post", "/api/v1/parties/", {"name": "New"}).status_code == 201


def test_what_tells_of_every_warehouse_stays_closed(acme: Company, two: Two) -> None:
    api = limited_api(acme, two.here)
    for address in ("audit-entries", "events", "event-deliveries", "event-subscriptions", "jobs", "notification-deliveries"):
        assert_problem(api.get(f"/api/v1/{address}/"), 403, "permission_denied")


def test_the_check_makes_tasks_for_its_own_warehouse(acme: Company, two: Two) -> None:
    with acme.scope():
        ReorderRuleFactory(variant=two.goods.bolt, warehouse=two.here)
        ReorderRuleFactory(variant=two.goods.bolt, warehouse=two.elsewhere)
        assert ReorderTask.objects.count() == 0
    api = limited_api(acme, two.here)
    assert [row["warehouse_code"] for row in api.get(LOW).json()["results"]] == ["W1"]
    assert api.post(f"{TASKS}check/").json() == {"created": 1}
    assert [row["warehouse_code"] for row in acme.api.get(TASKS).json()["results"]] == ["W1"]
    assert acme.api.post(f"{TASKS}check/").json() == {"created": 1}
    assert [row["warehouse_code"] for row in api.get(TASKS).json()["results"]] == ["W1"]


def test_a_move_is_seen_from_both_of_its_warehouses(acme: Company, two: Two) -> None:
    acme.api.send("post", f"{STOCK}move/", {"lines": [two.line(from_location=two.goods.shelf, to_location=two.far)]})
    for warehouse in (two.here, two.elsewhere):
        kinds = [row["kind"] for row in limited_api(acme, warehouse).get("/api/v1/stock-moves/").json()["results"]]
        assert kinds == ["receipt", "move"]


# --- The admin pages --------------------------------------------------------------------------------------


def test_the_dashboard_counts_its_own_warehouse(acme: Company, two: Two) -> None:
    with acme.scope():
        two.goods.receive(3, variant=two.goods.nut, to=two.far)
    full, some = acme.admin.get("/admin/"), limited_admin(acme, two.here).get("/admin/")
    values = [{card.title: card.value for card in page.context["cards"]} for page in (full, some)]
    assert [value["Stock value"] for value in values] == ["57.50", "25.00"]
    assert [value["Out of stock"] for value in values] == ["0", "1"]
    assert [sum(moves for _, moves in page.context["moves_per_day"]) for page in (full, some)] == [3, 1]


def test_a_number_of_the_dashboard_leads_to_what_it_counts(acme: Company, two: Two) -> None:
    with acme.scope():
        two.goods.receive(3, variant=two.goods.nut, to=two.far)
        two.goods.rule(minimum=50)
        ReorderRuleFactory(variant=two.goods.bolt, warehouse=two.elsewhere, min_quantity=1)
        levels_refresh()
        ProductVariant.objects.create(product=two.goods.bolt.product, sku="SET", name="Set", is_kit=True)
    for browser, expected in ((acme.admin, ("1", "0")), (limited_admin(acme, two.here), ("1", "1"))):
        cards = {card.title: card for card in browser.get("/admin/").context["cards"]}
        shown = [cards[title] for title in ("Low", "Out of stock", "Reorder tasks")]
        counted = [str(len(browser.get(card.url).context["cl"].result_list)) for card in shown]
        assert [card.value for card in shown] == counted == [*expected, "0"]


def test_the_adjust_page_is_for_its_own_warehouse(acme: Company, two: Two) -> None:
    with acme.scope():
        here, there = (StockItem.objects.get(location=place) for place in (two.goods.shelf, two.far))
    browser = limited_admin(acme, two.here, roles=(VIEWER,))
    assert browser.get(f"/admin/inventory/stockitem/{here.pk}/adjust/").status_code == 200
    assert browser.get(f"/admin/inventory/stockitem/{there.pk}/adjust/").status_code == 403
    assert browser.post(f"/admin/inventory/stockitem/{there.pk}/adjust/", {"change": "1"}).status_code == 403


def test_tasks_elsewhere_are_not_dismissed(acme: Company, two: Two) -> None:
    with acme.scope():
        ReorderRuleFactory(variant=two.goods.bolt, warehouse=two.elsewhere)
    acme.api.post(f"{TASKS}check/")
    browser = limited_admin(acme, two.here, roles=(VIEWER,), limited=MANAGER)
    with acme.scope():
        task = ReorderTask.objects.get()
    selected = {"action": "dismiss", "_selected_action": [task.pk]}
    page = browser.post("/admin/inventory/reordertask/", selected, follow=True)
    assert "in some warehouses only" in page.text
    with acme.scope():
        assert ReorderTask.objects.get().status == "open"


def test_forms_offer_and_accept_its_own_warehouse(acme: Company, two: Two) -> None:
    browser = limited_admin(acme, two.here)
    query = {"app_label": "inventory", "model_name": "location", "field_name": "warehouse", "term": "W"}
    assert [hit["text"] for hit in browser.get("/admin/autocomplete/", query).json()["results"]] == ["Main"]
    page = browser.post("/admin/inventory/location/add/", {
        "warehouse": two.elsewhere.pk, "code": "X", "kind": "storage", "pick_sequence": 0, "capacity_policy": "refuse",
    })
    assert page.status_code == 200 and "in some warehouses only" in page.text
    with acme.scope():
        assert not Location.objects.filter(code="X").exists()
    assert len(listed(browser.get("/admin/inventory/stockitem/"))) == 1
    assert "Other" not in browser.get("/admin/inventory/stockitem/").text, "nor does the filter name it"
    assert "Main" in browser.get("/admin/search/", {"s": "w1"}).text
    assert "Other" not in browser.get("/admin/search/", {"s": "w2"}).text


# --- Giving such roles ------------------------------------------------------------------------------------


def given(company: Company, role: str, *warehouses: Any) -> dict[str, Any]:
    with company.scope():
        membership, found = MembershipFactory(), Role.objects.get(code=role)
    return {"membership": str(membership.pk), "role": str(found.pk), "warehouse_ids": [str(one.pk) for one in warehouses]}


def test_nobody_gives_a_wider_limit_than_their_own(acme: Company, two: Two) -> None:
    api = limited_api(acme, two.here)
    assert api.send("post", USER_ROLES, given(acme, MANAGER, two.here)).status_code == 201
    for warehouses in ((), (two.elsewhere,), (two.here, two.elsewhere)):
        assert_problem(api.send("post", USER_ROLES, given(acme, MANAGER, *warehouses)), 403, "permission_denied")


def test_gives_what_it_holds_where_it_holds_it(acme: Company, two: Two) -> None:
    with acme.scope():
        RoleFactory(code="counter", permissions=["inventory.adjust_stock", "inventory.view_stockitem"])
    api = limited_api(acme, two.here)
    created = api.send("post", USER_ROLES, given(acme, "counter", two.here))
    assert created.status_code == 201
    wider = {"warehouse_ids": [str(two.here.pk), str(two.elsewhere.pk)]}
    assert_problem(api.send("patch", f"{USER_ROLES}{created.json()['id']}/", wider), 403, "permission_denied")
    assert_problem(api.send("patch", f"{USER_ROLES}{created.json()['id']}/", {"warehouse_ids": []}), 403, "permission_denied")
    body = {"code": "mine", "name": "Mine", "permissions": ["inventory.adjust_stock"]}
    assert_problem(api.send("post", "/api/v1/roles/", body), 403, "permission_denied")
    assert_problem(api.send("post", "/api/v1/api-keys/", {"name": "Mine", "scopes": ["inventory.adjust_stock"]}), 403)


def test_refuses_warehouses_that_are_none(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        foreign = WarehouseFactory()
    problem = assert_problem(acme.api.send("post", USER_ROLES, given(acme, VIEWER, foreign)), 400, "does_not_exist")
    assert pointers(problem) == {"/warehouse_ids"} and str(foreign.pk) in problem["detail"]


def test_the_admin_pages_give_roles_by_the_same_rules(acme: Company, two: Two) -> None:
    browser, body = limited_admin(acme, two.here), given(acme, VIEWER, two.elsewhere)
    page = browser.post("/admin/accounts/userrole/add/", body)
    assert page.status_code == 200 and "You cannot give" in page.text
    full = acme.admin
    assert "Main" in full.get("/admin/accounts/userrole/add/").text
    assert full.post("/admin/accounts/userrole/add/", body).status_code == 302
    with acme.scope():
        assert UserRole.objects.get(membership=body["membership"]).warehouse_ids == [two.elsewhere.pk]
    rows = {"user_roles-TOTAL_FORMS": 1, "user_roles-INITIAL_FORMS": 0, "user_roles-0-membership": body["membership"]}
    with acme.scope():
        rows |= {"user_roles-0-role": Role.objects.get(code=ADMIN).pk, "status": "active"}
    page = browser.post(f"/admin/accounts/membership/{body['membership']}/change/", rows)
    assert page.status_code == 200 and "You cannot give" in page.text
    with acme.scope():
        assert not UserRole.objects.filter(membership=body["membership"], role__code=ADMIN).exists()

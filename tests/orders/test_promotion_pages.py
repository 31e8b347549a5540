"""Promotions by the API and in the admin."""

from typing import Any

import pytest

from orders.models import Promotion, SalesOrder
from orders.services.promotions import promotion_code_apply
from orders.services.sales_orders import (
    sales_order_place,
)
from tests.companies import Company
from tests.factories.inventory import CategoryFactory
from tests.orders.promoting import NOW, cart_of, promotion
from tests.orders.selling import Shop
from tests.orders.shop import Shop as OwnShop

MINE = "/api/v1/my/orders/"
SOME_ID = "01a1fdd4-177b-70f6-ad99-54ce21a902a0"

def test_terms_stay_once_they_are_used(acme: Company) -> None:
    with acme.scope():
        shop, made = Shop.create(), promotion()
        sales_order_place(order=promotion_code_apply(order=cart_of(shop), code="TEN"))
        url = f"/api/v1/promotions/{made.pk}/"
    answer = acme.api.send("patch", url, {"percent": "20"})
    assert (answer.status_code, answer.json()["code"]) == (409, "used"), answer.content
    assert acme.api.send("patch", url, {"goods": [{"variant": str(shop.goods.nut.pk)}]}).status_code == 409
    ended = acme.api.send("patch", url, {"ends_at": NOW.isoformat(), "max_uses": 1, "is_active": False})
    assert (ended.status_code, ended.json()["used_count"]) == (200, 1), ended.content


def test_by_the_api(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        category = CategoryFactory.create()
        cart = shop.cart(bolts=2, nuts=4)
    bolt = {"variant": str(shop.goods.bolt.pk)}
    body = {"name": "Half price", "code": "HALF", "effect": "percentage", "percent": "50", "goods": [bolt]}
    made = acme.api.send("post", "/api/v1/promotions/", body)
    assert made.status_code == 201, made.content
    promotions = f"/api/v1/promotions/{made.json()['id']}/"
    both = [bolt, {"category": str(category.pk)}]
    assert acme.api.send("patch", promotions, {"goods": both}).status_code == 200
    shown = acme.api.get(f"{promotions}goods/").json()
    assert [(one["sku"], one["category_name"]) for one in shown] == [("BOLT", None), (None, category.name)]
    url = f"/api/v1/sales-orders/{cart.pk}/"
    applied = acme.api.send("post", f"{url}apply-code/", {"code": "half"})
    assert (applied.status_code, applied.json()["total"]) == (200, "15.000000"), applied.content
    [use] = acme.api.get(f"{url}promotions/").json()
    assert (use["code"], use["amount"], use["why"], use["claimed_at"]) == ("HALF", "5.000000", "", None)
    nuts = {"lines": [{"variant": str(shop.goods.nut.pk), "quantity": "1"}]}
    assert acme.api.send("patch", url, nuts).json()["total"] == "2.500000"
    [use] = acme.api.get(f"{url}promotions/").json()
    assert (use["amount"], use["reason"], use["why"]) == (
        "0.000000", "promotion_not_for_goods", "HALF is not for these goods.",
    )
    late = acme.api.send("post", f"{url}place/")
    assert (late.status_code, late.json()["code"]) == (409, "promotion_not_for_goods"), late.content
    assert acme.api.send("post", f"{url}remove-code/", {"code": "HALF"}).status_code == 200
    assert acme.api.send("post", f"{url}remove-code/", {"code": "HALF"}).status_code == 400
    unknown = acme.api.send("post", f"{url}apply-code/", {"code": "NONE"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/code"), unknown.content
    assert acme.api.send("post", f"{url}place/").status_code == 200


@pytest.mark.parametrize("body", [
    {"effect": "percentage"}, {"effect": "percentage", "percent": "0"}, {"effect": "percentage", "percent": "100.1"},
    {"effect": "percentage", "percent": "5", "amount": "5", "currency": "EUR"}, {"effect": "amount", "amount": "5"},
    {"effect": "buy_get", "buy_quantity": 1}, {"effect": "free_shipping", "min_total": "5"},
    {"effect": "free_shipping", "code": ""}, {"effect": "free_shipping", "code": "no spaces"},
    {"effect": "free_shipping", "max_uses": 0},
    {"effect": "free_shipping", "starts_at": "2030-01-02T00:00Z", "ends_at": "2030-01-01T00:00Z"},
    {"effect": "free_shipping", "goods": [{}]}, {"effect": "free_shipping", "goods": [{"variant": SOME_ID}]},
])
def test_wrong_promotions_are_refused(acme: Company, body: dict[str, Any]) -> None:
    answer = acme.api.send("post", "/api/v1/promotions/", {"name": "Wrong", **body})
    assert answer.status_code == 400, answer.content
    with acme.scope():
        assert Promotion.objects.count() == 0


def test_in_the_admin(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        cart = shop.cart(bolts=2)
    form = {
        "name": "Ten off", "code": "TEN", "effect": "percentage", "percent": "10", "is_active": "on", "priority": "0",
        "goods-TOTAL_FORMS": "1", "goods-INITIAL_FORMS": "0", "goods-0-variant": str(shop.goods.bolt.pk),
    }
    missing = acme.admin.post("/admin/orders/promotion/add/", {**form, "percent": ""})
    assert missing.status_code == 200 and b"Per cent off has percent" in missing.content
    assert acme.admin.post("/admin/orders/promotion/add/", form).status_code == 302
    page = f"/admin/orders/salesorder/{cart.pk}/code/"
    wrong = acme.admin.post(page, {"code": "ELEVEN"})
    assert wrong.status_code == 200 and b"There is no promotion code ELEVEN." in wrong.content
    assert acme.admin.post(page, {"code": "ten"}).status_code == 302
    shown = acme.admin.get(f"/admin/orders/salesorder/{cart.pk}/change/")
    assert b"Ten off (TEN)" in shown.content
    with acme.scope():
        made = Promotion.objects.get()
        sales_order_place(order=cart)
    assert acme.admin.get(page).status_code == 403, "a cart's alone"
    uses = acme.admin.get(f"/admin/orders/promotion/{made.pk}/uses/", follow=True)
    assert uses.status_code == 200 and b"SO-000001" in uses.content
    form |= {"goods-TOTAL_FORMS": "0", "percent": "20"}
    refused_there = acme.admin.post(f"/admin/orders/promotion/{made.pk}/change/", form)
    assert refused_there.status_code == 200 and b"so its terms stay as they are" in refused_there.content


def test_customers_give_codes_with_their_order(acme: Company) -> None:
    api, body = OwnShop(acme).customer(), {"lines": [{"sku": "BOLT", "quantity": 4}]}
    with acme.scope():
        promotion(max_per_customer=1)
    unknown = api.send("post", MINE, {**body, "promotion_codes": ["TEN", "NONE"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/promotion_codes/1"), unknown.content
    made = api.send("post", MINE, {**body, "promotion_codes": ["ten"]})
    assert (made.status_code, made.json()["total"]) == (201, "9.000000"), made.content
    shown = api.get(f"{MINE}{made.json()['id']}/promotions/").json()
    assert shown == [{"name": "Offer TEN", "code": "TEN", "amount": "1.000000"}]
    again = api.send("post", MINE, {**body, "promotion_codes": ["TEN"]})
    assert (again.status_code, again.json()["code"]) == (409, "promotion_used_by_customer"), again.content
    with acme.scope():
        assert SalesOrder.objects.count() == 1, "nothing half-written"

"""`/items`: an earlier shop's articles, by category, and in it by type, brand and id."""

from pathlib import Path
from typing import Any

import pytest

from accounts.permissions import VIEWER
from tests.companies import Api, Company
from tests.factories.inventory import ProductVariantFactory
from tests.orders.test_import_shop import load

pytestmark = pytest.mark.django_db(databases=["default", "worker"])  # a command finds an organization as the worker


def item(key: str, category: str, kind: str, company: str, **values: Any) -> dict[str, Any]:
    return {"id": key, "title": f"Item {key}", "category": category, "type": kind, "company": company, **values}


ITEMS = [
    item("i4", "phone", "smartphone", "Zeta"), item("i1", "phone", "smartphone", "Fona", storage="128 GB"),
    item("i2", "phone", "feature", "Zeta"), item("i3", "phone", "smartphone", "Fona", colorPreference=["black", "blue"]),
    item("i5", "computer", "laptop", "Fona"), item("i6", "accessories", "cable", "Fona"),
    {"id": "i7", "title": "Item i7", "category": "phone"},
]  # fmt: skip


@pytest.fixture
def shop(acme: Company, tmp_path: Path) -> Company:
    assert load(acme, tmp_path, ITEMS, [])[0] == 0
    with acme.scope():
        ProductVariantFactory(sku="NOT-AN-ITEM")
    return acme


def skus(api: Api, **query: Any) -> list[str]:
    return [one["sku"] for one in api.get("/items", query).json()["items"]]


def test_the_items_of_a_category_come_by_type_brand_and_id(shop: Company) -> None:
    assert skus(shop.api, category="phone") == ["i7", "i2", "i1", "i3", "i4"]
    assert skus(shop.api, category="Computer") == ["i5"] and skus(shop.api, category="accessories") == ["i6"]
    assert skus(shop.api, category="phone", type="smartphone") == ["i1", "i3", "i4"]
    assert skus(shop.api, category="phone", type="smartphone", brand="Fona") == ["i1", "i3"]
    assert skus(shop.api, category="phone", brand="Zeta") == ["i2", "i4"]
    assert skus(shop.api, category="phone", type="", brand="") == skus(shop.api, category="phone")
    assert skus(shop.api, category="car") == []


def test_pages_miss_and_repeat_nothing(shop: Company) -> None:
    found, token = [], None
    while True:
        page = shop.api.get("/items", {"category": "phone", "limit": 2, **({"nextToken": token} if token else {})}).json()
        assert page["count"] == len(page["items"]) <= 2
        found += [one["sku"] for one in page["items"]]
        if (token := page["nextToken"]) is None:
            break
    assert found == ["i7", "i2", "i1", "i3", "i4"]


def test_an_item_has_the_shape_that_the_clients_expect(shop: Company) -> None:
    _, _, first, second, _ = shop.api.get("/items/", {"category": "phone"}).json()["items"]
    assert first == {
        "id": first["id"], "sku": "i1", "title": "Item i1", "category": "phone", "type": "smartphone", "company": "Fona",
        "description": "", "storage": "128 GB", "colorPreference": [],
    }
    assert second["colorPreference"] == ["black", "blue"]
    assert shop.api.get(f"/items/{first['id']}").json() == first
    assert shop.api.get(f"/api/v1/product-variants/{first['id']}/").json()["sku"] == "i1"


def test_what_is_wrong_is_said_and_others_see_nothing(shop: Company, bolt: Company) -> None:
    for query in ({}, {"category": "phone", "nextToken": "x"}, {"category": "phone", "limit": "0"}, {"categry": "phone"},
                  {"category": "a\0b"}):  # fmt: skip
        response = shop.api.get("/items", query)
        assert response.status_code == 400 and response.json()["error"], query
    key = shop.api.get("/items", {"category": "computer"}).json()["items"][0]["id"]
    assert skus(bolt.api, category="phone") == [] and bolt.api.get(f"/items/{key}").status_code == 404
    assert skus(shop.api_as(VIEWER), category="computer") == ["i5"]
    assert Api().get("/items", {"category": "phone"}).status_code == 401
    assert shop.api_by_key().get("/items", {"category": "phone"}).status_code == 403

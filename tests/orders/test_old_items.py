"""`/items`: an earlier shop's articles, by category, and in it by type, brand and id."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Party
from accounts.permissions import VIEWER
from core.invariants import broken
from inventory.models import (
    AttributeDefinition,
    Category,
    CategoryItem,
    CategoryItemChange,
    Product,
    ProductAttributeValue,
    ProductVariant,
)
from inventory.queries.shop_items import items_of_category, items_read
from inventory.services.category_items import category_items_follow
from tests.companies import Api, Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_work_grows_with_rows import nodes, plans
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


@pytest.fixture
def kept(shop: Company) -> Company:
    """Whose items have been read before, and then have got their places."""
    shop.api.get("/items", {"category": "phone"})
    with shop.scope():
        category_items_follow()
        assert CategoryItem.objects.count() == 8 and not CategoryItemChange.objects.exists()
    return shop


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



def said(read: Callable[..., list[dict[str, Any]]] = lambda **asked: items_of_category(**asked).rows) -> list[list[Any]]:
    """All pages of two of all categories, chosen in each way."""
    found = []
    for category in ("phone", "computer", "accessories"):
        for kind, brand in (("", ""), ("smartphone", ""), ("", "Fona"), ("smartphone", "Fona")):
            after: list[str] = []
            while page := read(category=category, kind=kind, brand=brand, after=after, size=2):
                found.append([[row["sku"], row["type"], row["company"], row["attributes"]] for row in page])
                after = [page[-1]["type"], page[-1]["company"], str(page[-1]["id"])]
    return found


def agree() -> None:
    """Pages by places with the items themselves, and so does `manage.py verify`."""
    assert said() == said(items_read)
    assert not [rows for invariant, rows in broken() if rows and "place of an item" in invariant.name]


def test_kept_places_give_the_same_pages(kept: Company) -> None:
    assert skus(kept.api, category="phone") == ["i7", "i2", "i1", "i3", "i4"]
    assert skus(kept.api, category="phone", type="smartphone", brand="Fona") == ["i1", "i3"]
    test_pages_miss_and_repeat_nothing(kept)
    with kept.scope():
        agree()
        CategoryItem.objects.filter(type="laptop").update(company="Zeta")
        [wrong] = [rows for invariant, rows in broken() if rows and "place of an item" in invariant.name]
        assert len(wrong) == 2


def variant(sku: str) -> ProductVariant:
    return ProductVariant.objects.get(sku=sku)


def value(sku: str) -> Any:
    return ProductAttributeValue.objects.filter(definition__code="type", product=variant(sku).product)


CHANGES: dict[str, Callable[[], object]] = {
    "another category": lambda: Product.objects.filter(variants__sku="i1").update(category=Category.objects.get(name="computer")),
    "a second category of the name": lambda: Product.objects.filter(variants__sku="i6").update(
        category=Category.objects.create(name="Phone", slug="p", parent=Category.objects.get(name="computer"))),
    "a renamed category": lambda: Category.objects.filter(name="computer").update(name="phone"),
    "no category": lambda: Product.objects.filter(variants__sku="i1").update(category=None),
    "a renamed manufacturer": lambda: Party.objects.filter(name="Fona").update(name="Zulu"),
    "another manufacturer": lambda: Product.objects.filter(variants__sku="i1").update(
        manufacturer=Party.objects.get(name="Zeta")),
    "an archived variant": lambda: ProductVariant.objects.filter(sku="i2").update(archived_at=timezone.now()),
    "an archived product": lambda: Product.objects.filter(variants__sku="i2").update(archived_at=timezone.now()),
    "another type": lambda: value("i2").update(value_text="smartphone"),
    "no type": lambda: value("i2").delete(),
    "a type of the variant": lambda: ProductAttributeValue.objects.create(
        definition=AttributeDefinition.objects.get(code="type"), variant=variant("i3"), value_text="feature"),
    "types by another name": lambda: AttributeDefinition.objects.filter(code="type").update(code="kind"),
    "a new variant": lambda: ProductVariantFactory(product=variant("i1").product),
    "a variant of another product": lambda: ProductVariant.objects.filter(sku="i1").update(product=variant("i6").product),
    "a variant that is gone": lambda: (value("i6").delete(), variant("i6").delete()),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_at_once(change: Callable[[], object], kept: Company) -> None:
    with kept.scope():
        before = said()
        change()
        assert said() != before
        agree()
        assert CategoryItemChange.objects.exists() == (change is not CHANGES["a renamed category"])
        category_items_follow()
        assert not CategoryItemChange.objects.exists()
        agree()


def test_what_changes_nothing_of_the_order_notes_nothing(kept: Company) -> None:
    with kept.scope():
        one = variant("i1").product
        one.name = one.description = "Another"
        one.save()
        ProductAttributeValue.objects.filter(definition__code="storage").update(value_text="256 GB")
        ProductVariant.objects.update(name="Another")
        assert not CategoryItemChange.objects.exists()
        agree()


def test_a_page_reads_no_more_than_itself(kept: Company) -> None:
    """However many items its category has."""
    with kept.scope():
        phone = Category.objects.get(name="phone")
        CategoryItem.objects.bulk_create(
            CategoryItem(variant_id=one.pk, product_id=one.product_id, category_id=phone.pk, type=f"type {place:03}", company="")
            for place, one in enumerate([variant("i1")] * 300)
        )
        asked = {"category": "phone", "brand": "", "after": ["smart", "", str(variant("i1").pk)], "size": 2}
        with connection.cursor() as cursor:  # as if there were millions
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        for kind in ("", "smartphone"):
            [plan] = plans(partial(items_of_category, kind=kind, **asked))
            read = [one for one in nodes(plan) if one.get("Relation Name") == "inventory_categoryitem"]
            assert [one["Actual Rows"] * one["Actual Loops"] for one in read] == [2]

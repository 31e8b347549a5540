"""What visitors see of an organization that publishes its products."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import FeatureFlag
from accounts.services.leases import forget
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import CategoryFactory, ProductFactory, ProductVariantFactory


@pytest.fixture
def published(acme: Company, bolt: Company) -> Company:
    with bolt.scope():
        FeatureFlag.objects.create(key="public-catalog", enabled=True)
        ProductVariantFactory(sku="OF-BOLT", product=ProductFactory(name="Of Bolt"))
    with acme.scope():
        FeatureFlag.objects.create(key="public-catalog", enabled=True)
        for name, status in (("Brake pad", "active"), ("Brake disc", "draft"), ("Brake hose", "discontinued")):
            product = ProductFactory(name=name, status=status, category=CategoryFactory(name="Brakes"))
            ProductVariantFactory(sku=f"{name[6:]}-1", product=product, standard_cost=7)
    return acme


def products(company: Company, what: str = "products", api: Api | None = None, **query: Any) -> list[dict[str, Any]]:
    response = (api or Api()).get(f"/api/v1/public/{company.organization.pk}/{what}/", query)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def test_visitors_see_active_products_and_their_variants_and_nothing_more(published: Company) -> None:
    [product] = products(published)
    assert product.keys() == {"id", "name", "category", "category_name", "description", "updated_at"}
    assert (product["name"], product["category_name"]) == ("Brake pad", "Brakes")
    [variant] = products(published, "product-variants", product=product["id"])
    assert variant.keys() == {"id", "sku", "product", "name", "updated_at"} and variant["sku"] == "pad-1"
    assert [one["sku"] for one in products(published, "product-variants")] == ["pad-1"]
    assert products(published, search="brake")[0]["id"] == product["id"]
    assert products(published, category=product["category"]) == [product] and products(published, search="Bolt") == []


def test_it_is_off_until_the_organization_says_otherwise(published: Company, bolt: Company) -> None:
    assert [one["name"] for one in products(bolt)] == ["Of Bolt"]
    with published.scope():
        FeatureFlag.objects.update(enabled=False)
    assert products(published) == [] and products(published, "product-variants") == []
    assert products(published, api=bolt.api) == [], "nor to others who are signed in elsewhere"


def test_it_is_for_reading_what_is_listed(published: Company) -> None:
    url = f"/api/v1/public/{published.organization.pk}/products/"
    for method in ("post", "put", "patch", "delete"):
        assert_problem(Api().send(method, url), 405)
    for query in ({"saved_filter": "x"}, {"cf.x": "1"}, {"tag": "x"}, {"archived": "true"}, {"expand": "category"},
                  {"status": "draft"}, {"count": "exact"}, {"limit": "501"}, {"fields": "standard_cost"}):  # fmt: skip
        assert_problem(Api().get(url, query), 400, "invalid_parameter")
    assert_problem(Api().get(url, headers={"Accept": "text/csv"}), 406)


@pytest.fixture
def limit(settings: Any) -> Iterator[None]:
    settings.PUBLIC_LIMIT = 2
    forget()
    yield
    forget()


def test_an_address_browses_so_much_in_a_minute(published: Company, limit: None) -> None:
    url = f"/api/v1/public/{published.organization.pk}/products/"
    answers = [Api().get(url, REMOTE_ADDR="198.51.100.7") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit"].startswith('"visitor";r=1')
    assert_problem(answers[2], 429, "rate_limited")

"""Products and variants are found by words, codes and what is nearly a word; the words are always those of the rows."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.invariants import broken
from inventory.models import Product, ProductBarcode, ProductVariant, SearchToken
from inventory.search_text import compact, folded, words
from inventory.services.search import search_rebuild
from tests.companies import Company
from tests.factories.barcodes import ProductBarcodeFactory
from tests.factories.catalog import AttributeDefinitionFactory, ProductAttributeValueFactory
from tests.factories.inventory import ProductFactory, ProductVariantFactory, SupplierProductFactory

PRODUCTS, VARIANTS = "/api/v1/products/", "/api/v1/product-variants/"


def names(company: Company, text: str, url: str = VARIANTS, **more: Any) -> list[str]:
    key = "sku" if url == VARIANTS else "name"
    return [row[key] for row in company.api.get(url, {"search": text, **more}).json()["results"]]


@pytest.fixture
def goods(acme: Company, bolt: Company) -> dict[str, ProductVariant]:
    with bolt.scope():
        ProductVariantFactory(sku="BR-1001", name="Brake pad of another company")
    with acme.scope():
        pads = ProductFactory(name="Brake pad set, Überholung")
        made = {
            "BR-1001": ProductVariantFactory(sku="BR-1001", name="Front axle", product=pads),
            "BR-10012": ProductVariantFactory(sku="BR-10012", name="Rear axle", product=pads),
            "ŁÓDŹ/7": ProductVariantFactory(sku="ŁÓDŹ/7", name="Śruba M8 Ωμέγα", product__name="Śruba"),
            "FLT500": ProductVariantFactory(sku="FLT500", name="Oil filter br 1001", product__name="Oil filter"),
        }
        ProductBarcodeFactory(variant=made["FLT500"], symbology="upca", value="036000291452")
        SupplierProductFactory(variant=made["BR-10012"], supplier_sku="MANN-W712", manufacturer_part_number="W 712/75")
        return made


@pytest.mark.parametrize(("text", "found"), [
    ("front", ["BR-1001"]), ("FRONT brake", ["BR-1001"]), ("pad axle", ["BR-1001", "BR-10012"]), ("front rear", []),
    ("uberholung", ["BR-1001", "BR-10012"]), ("Überhol", ["BR-1001", "BR-10012"]), ("lodz", ["ŁÓDŹ/7"]), ("sruba m8", ["ŁÓDŹ/7"]),
    ("ΩΜΈΓΑ", ["ŁÓDŹ/7"]), ("flt-500", ["FLT500"]), ("500", ["FLT500"]), ("flt 500", ["FLT500"]), ("br10012", ["BR-10012"]),
    ("036000291452", ["FLT500"]), ("0036000291452", ["FLT500"]), ("00036000291452", ["FLT500"]), ("03600029", ["FLT500"]),
    ("mann w712", ["BR-10012"]), ("W712/75", ["BR-10012"]), ("w 712", ["BR-10012"]), ("~~~", []), ("%", []), ("'", []),
    ("axle axle AXLE", ["BR-1001", "BR-10012"]),
])  # fmt: skip
def test_finds_variants_by_all_of_the_words(text: str, found: list[str], goods: Any, acme: Company) -> None:
    assert sorted(names(acme, text)) == sorted(found)


def test_the_whole_code_comes_first_then_what_begins_so_then_the_rest(goods: Any, acme: Company) -> None:
    with acme.scope():
        ProductVariantFactory(sku="Z", name="br-1001 holder", product__name="Holder")
    assert names(acme, "br-1001")[:3] == ["BR-1001", "BR-10012", "Z"]
    assert sorted(names(acme, "br-1001")) == ["BR-1001", "BR-10012", "FLT500", "Z"]
    assert names(acme, "BR-1001", sort="-sku") == ["Z", "FLT500", "BR-10012", "BR-1001"]


def test_pages_of_a_search_show_every_row_once_in_its_order(goods: Any, acme: Company) -> None:
    whole, paged, url = names(acme, "br-1001"), [], f"{VARIANTS}?search=br-1001&limit=1"
    while url:
        page = acme.api.get(url).json()
        paged += [row["sku"] for row in page["results"]]
        url = page["next"]
    assert paged == whole
    assert acme.api.get(VARIANTS, {"search": "br-1001", "count": "exact", "limit": 1}).json()["count"] == len(whole)


def test_finds_products_by_their_names_and_by_what_their_variants_carry(goods: Any, acme: Company) -> None:
    for text in ("brake", "BR-1001 pad", "rear uberholung", "w712"):
        assert names(acme, text, PRODUCTS) == ["Brake pad set, Überholung"], text
    assert names(acme, "036000291452", PRODUCTS) == ["Oil filter"]


@pytest.mark.parametrize("text", ["brxke", "rbake", "brke", "braake", "brakes", "front brxke", "uberholugn"])
def test_forgives_a_letter_where_nothing_fits_exactly(text: str, goods: Any, acme: Company) -> None:
    assert "BR-1001" in names(acme, text)
    assert names(acme, text, PRODUCTS) == ["Brake pad set, Überholung"]


def test_forgives_nothing_where_something_fits(goods: Any, acme: Company) -> None:
    with acme.scope():
        ProductVariantFactory(sku="EXACT", name="Brxke", product__name="Something")
    assert names(acme, "brxke") == ["EXACT"]
    assert names(acme, "oik") == []  # three letters are too few to tell


def test_the_admin_searches_alike_in_lists_and_references(goods: Any, acme: Company) -> None:
    admin = acme.admin
    page = admin.get("/admin/inventory/productvariant/", {"q": "brake front"}).content.decode()
    assert "BR-1001" in page and "BR-10012" not in page
    found = admin.get("/admin/inventory/productvariant/", {"q": "br-1001"}).content.decode()
    assert found.index("BR-1001<") < found.index("BR-10012<") < found.index("FLT500<")
    assert "Oil filter" in admin.get("/admin/inventory/product/", {"q": "oil fliter"}).content.decode()
    asked = {"term": "br-1001", "app_label": "inventory", "model_name": "productbarcode", "field_name": "variant"}
    results = admin.get("/admin/autocomplete/", asked).json()["results"]
    assert results[0]["text"] == "BR-1001 Front axle"


def test_every_change_changes_the_words(goods: dict[str, ProductVariant], acme: Company) -> None:
    front, filters = goods["BR-1001"], goods["FLT500"]
    with acme.scope():
        Product.objects.filter(pk=front.product_id).update(name="Clutch")
        ProductVariant.objects.bulk_create([ProductVariant(sku="NEW-1", name="Disc", product_id=front.product_id)])
        barcode = ProductBarcode.objects.get(variant=filters)
        barcode.variant = front
        barcode.save()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE inventory_productvariant SET product_id = %s WHERE id = %s", [filters.product_id, front.pk])
    assert names(acme, "brake") == [] and sorted(names(acme, "clutch")) == ["BR-10012", "NEW-1"]
    assert names(acme, "036000291452") == ["BR-1001"]
    assert names(acme, "front filter") == ["BR-1001"]
    assert names(acme, "front", PRODUCTS) == ["Oil filter"]
    with acme.scope():
        barcode.delete()
        assert not SearchToken.objects.filter(source_id=barcode.pk).exists()
        ProductVariant.objects.get(pk=front.pk).delete()
        assert not SearchToken.objects.filter(variant_id=front.pk).exists()
        assert_true_words()


def assert_true_words() -> None:
    [found] = [rows for invariant, rows in broken() if "words of the search" in invariant.name]
    assert found == []


def test_finds_what_has_the_text_of_an_attribute_wherever_its_variant_goes(acme: Company) -> None:
    with acme.scope():
        color = AttributeDefinitionFactory(code="color", data_type="text", unit=None)
        one, two = ProductVariantFactory(sku="ONE"), ProductVariantFactory(sku="TWO", product__name="Paint")
        ProductAttributeValueFactory(definition=color, variant=one, value_text="Midnight blue", value_number=None)
        ProductAttributeValueFactory(
            definition=color, product=two.product, variant=None, value_text="Blue, too", value_number=None,
        )
    assert sorted(names(acme, "blue")) == ["ONE", "TWO"] and names(acme, "midnight paint") == []
    with acme.scope():
        ProductVariant.objects.filter(pk=one.pk).update(product=two.product)
        assert SearchToken.objects.filter(token="midnight").count() == 1
        assert_true_words()
    assert names(acme, "midnight paint") == ["ONE"]


def test_verify_finds_wrong_words_and_the_command_mends_them(new_company: Any) -> None:
    company = new_company()
    with company.scope():
        one, two = ProductVariantFactory(sku="ONE-1"), ProductVariantFactory(sku="TWO-2")
        SearchToken.objects.filter(source_id=one.pk).delete()
        SearchToken.objects.filter(source_id=two.pk, token="two").update(token="wrong")
        [found] = [rows for invariant, rows in broken() if "words of the search" in invariant.name]
        assert any("one1 is missing" in row for row in found) and any("wrong should not be there" in row for row in found)
    assert sum(search_rebuild(organization_id=company.organization.pk)) == 1
    call_command("rebuild_search", organization=company.organization.slug, anew=True, verbosity=0)
    with company.scope():
        assert_true_words()


def test_a_search_is_one_statement_of_what_keeps_its_index_under_row_security(goods: Any, acme: Company) -> None:
    with CaptureQueriesContext(connection) as asked:
        names(acme, "brake front")
    [sql] = [query["sql"] for query in asked if "inventory_searchtoken" in query["sql"]]
    assert "token ^@ 'brake'" in sql and "LIKE" not in sql.upper()


TEXTS = st.text(st.characters(max_codepoint=0x24F) | st.characters(min_codepoint=0x370, max_codepoint=0x4FF), max_size=30)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=TEXTS.filter(lambda text: "\0" not in text))
def test_the_database_folds_and_parts_texts_as_python_does(text: str, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_fold(%s), ARRAY(SELECT token FROM search_tokens(ARRAY[%s], '{}'))", [text, text])
        fold, tokens = cursor.fetchone()
        cursor.execute("SELECT token FROM search_tokens('{}', ARRAY[%s]) WHERE is_code", [text])
        codes = [row[0] for row in cursor.fetchall()]
    assert fold == folded(text)
    assert sorted(tokens) == sorted(words(text))
    assert codes == ([compact(text)] if compact(text) else [])

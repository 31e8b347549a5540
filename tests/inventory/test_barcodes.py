"""Barcodes are right, and whatever is scanned is found: by GTIN in any of its lengths, SKU, place or the supplier's number."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory.gs1.digits import completed
from inventory.models import ProductBarcode
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.barcodes import ProductBarcodeFactory
from tests.factories.inventory import LocationFactory, ProductVariantFactory, SupplierProductFactory, WarehouseFactory
from tests.factories.lots import LotFactory
from tests.limited import limited_api

BARCODES, SCANS = "/api/v1/product-barcodes/", "/api/v1/scans/"


def scan(company: Company, text: str, api: Any = None) -> Any:
    return (api or company.api).send("post", SCANS, {"text": text})


@pytest.mark.parametrize(("symbology", "value", "words"), [
    ("ean13", "5601234567893", "The check digit would be 2, not 3"), ("ean13", "560123456789", "the check digit 2 is missing"),
    ("ean8", "96385075", "would be 4, not 5"), ("upca", "036000291453", "would be 2, not 3"),
    ("itf14", "15400141288764", "would be 3, not 4"), ("gtin14", "1540014128", "Give 14 digits."),
    ("ean13", "56012345678X2", "Give 13 digits."), ("ean13", "0000000000000", "Zeros alone are no number"),
    ("ean8", "0000-0000", "Zeros alone"), ("gtin14", "0" * 14, "Zeros alone"),
])  # fmt: skip
def test_a_wrong_check_digit_is_refused_with_the_right_one(symbology: str, value: str, words: str, acme: Company) -> None:
    with acme.scope():
        variant = ProductVariantFactory()
    body = {"variant": str(variant.pk), "symbology": symbology, "value": value}
    problem = assert_problem(acme.api.send("post", BARCODES, body), 400)
    assert problem["errors"][0]["pointer"] == "/value"
    assert words in problem["errors"][0]["detail"]
    with acme.scope(), transaction.atomic(), pytest.raises(IntegrityError, match=r"[Dd]igit|Zeros"):
        ProductBarcode.objects.bulk_create([ProductBarcode(variant=variant, symbology=symbology, value=value)])


def test_blanks_and_hyphens_of_a_gtin_are_left_out_and_other_codes_stay_as_they_are(acme: Company) -> None:
    with acme.scope():
        variant = ProductVariantFactory()
    for symbology, given, kept in (("ean13", "978-3-16-148410-0", "9783161484100"), ("code128", "AB-12 c", "AB-12 c")):
        body = {"variant": str(variant.pk), "symbology": symbology, "value": given}
        assert acme.api.send("post", BARCODES, body).json()["value"] == kept


def test_ean_upc_and_gtin_of_the_same_digits_are_one_code(acme: Company, bolt: Company) -> None:
    with acme.scope():
        upc = ProductBarcodeFactory(symbology="upca", value="036000291452")
        other = ProductVariantFactory()
    body = {"variant": str(other.pk), "symbology": "ean13", "value": "0036000291452"}
    assert "one code" in assert_problem(acme.api.send("post", BARCODES, body), 400, "unique")["detail"]
    forms = ("036000291452", "0036000291452", "00036000291452", "]E00036000291452", "(01)00036000291452", "]C10100036000291452")
    for text in forms:
        assert [match["id"] for match in scan(acme, text).json()["matches"]] == [str(upc.pk)], text
    assert_problem(scan(bolt, "036000291452"), 404, "unknown_code")


def test_a_upc_e_finds_the_number_that_it_shortens(acme: Company) -> None:
    with acme.scope():
        ProductBarcodeFactory(symbology="upca", value="012345000065")
    assert scan(acme, "01234565").json()["matches"][0]["title"] == "012345000065"


def test_one_scan_gives_variant_pack_lot_serial_and_expiry_in_one_statement(acme: Company) -> None:
    with acme.scope():
        case = ProductBarcodeFactory(symbology="itf14", value="15400141288763", quantity=12, variant__sku="CASE-OF-12")
    text = "]d201154001412887631725123110LOT-7\x1d21S1"
    scan(acme, text)
    with CaptureQueriesContext(connection) as asked:
        body = scan(acme, text).json()
    assert sum("inventory_" in query["sql"] for query in asked) == 1
    [match] = body["matches"]
    assert (match["kind"], match["sku"], match["quantity"], match["variant"]) == (
        "barcode", "CASE-OF-12", "12.000000", str(case.variant_id),
    )
    found = body["gs1"]
    assert (found["gtin"], found["lot"], found["serial"], found["expires_on"]) == ("15400141288763", "LOT-7", "S1", "2025-12-31")
    assert found["text"] == "(01)15400141288763(17)251231(10)LOT-7(21)S1"


def test_a_lot_is_found_by_its_code_and_by_a_label_that_names_its_goods(acme: Company) -> None:
    with acme.scope():
        code = ProductBarcodeFactory(symbology="itf14", value="15400141288763")
        lot, _other = LotFactory(variant=code.variant, code="LOT-7"), LotFactory(code="LOT-7")
    matches = scan(acme, "]d201154001412887631725123110LOT-7").json()["matches"]
    assert [(match["kind"], match["id"]) for match in matches] == [("barcode", str(code.pk)), ("lot", str(lot.pk))]
    assert [match["kind"] for match in scan(acme, "lot-7").json()["matches"]] == ["lot", "lot"]


def test_skus_places_and_suppliers_numbers_are_found_and_the_ambiguous_is_told_whole(acme: Company) -> None:
    with acme.scope():
        variant = ProductVariantFactory(sku="SHARED-1")
        location = LocationFactory(code="shared-1", barcode="LOC9")
        warehouse = WarehouseFactory(gln=completed("560000000001"))
        item = SupplierProductFactory(supplier_sku="SHARED-1", pack_size=6)
    body = scan(acme, "Shared-1").json()
    assert [match["kind"] for match in body["matches"]] == ["sku", "location"]  # a supplier's number is taken as it is written
    body = scan(acme, "SHARED-1\r\n").json()
    assert [(match["kind"], match["id"]) for match in body["matches"]] == [
        ("sku", str(variant.pk)), ("location", str(location.pk)), ("supplier_sku", str(item.pk)),
    ]
    assert body["matches"][2]["quantity"] == "6.000000" and body["gs1"] is None
    assert scan(acme, "LOC9").json()["matches"][0]["title"] == "shared-1"
    for text in (warehouse.gln, f"(414){warehouse.gln}"):
        assert [match["id"] for match in scan(acme, text).json()["matches"]] == [str(warehouse.pk)]


@pytest.mark.parametrize(("text", "words"), [
    ("NO-SUCH-THING", "Looked for as: barcode, SKU, location, warehouse, supplier SKU, lot, logistic unit, transfer order, "
         "purchase order, pick list, sales order, shipment, invoice, return."),
    ("5601234567893", "would be 2, not 3. Was it read whole?"),
    ("0000000000000", "Zeros alone are no number. Was it read whole?"),
    ("]C1010560123456789", "As GS1 it cannot be read: At character 6"), ("(01)05601234567892(10)A", "(01)05601234567892(10)A"),
    ("https://example.com/", "https://example.com/"), ("\x1d", "GS1"),
    ("https://id.gs1.org/01/5601234567893/10/A", "As GS1 it cannot be read: At character 23: (01) GTIN: The check digit"),
])  # fmt: skip
def test_the_unknown_says_what_was_tried(text: str, words: str, acme: Company) -> None:
    problem = assert_problem(scan(acme, text), 404, "unknown_code")
    assert words in problem["detail"]
    assert (problem["gs1"] is None) == (not text.startswith("(01)"))


def test_an_sku_that_looks_like_an_identifier_is_an_sku(acme: Company) -> None:
    with acme.scope():
        ProductVariantFactory(sku="21ABC")
    body = scan(acme, "21ABC").json()
    assert (body["gs1"], body["matches"][0]["kind"]) == (None, "sku")


@pytest.mark.parametrize("text", ["", "a\0b", "a\x07", 5, None, ["x"], "x" * 2001])
def test_a_wrong_scan_is_refused(text: Any, acme: Company) -> None:
    assert_problem(scan(acme, text), 400)


def test_nobody_is_told_of_what_they_may_not_see(acme: Company) -> None:
    with acme.scope():
        ProductVariantFactory(sku="HIDDEN-1")
        LocationFactory(code="HIDDEN-1")
    seen = scan(acme, "hidden-1", acme.api_by_key("inventory.view_location")).json()["matches"]
    assert [match["kind"] for match in seen] == ["location"]
    assert_problem(scan(acme, "hidden-1", acme.api_by_key("accounts.view_party")), 404, "unknown_code")


def test_a_role_for_some_warehouses_sees_the_places_of_these(acme: Company) -> None:
    with acme.scope():
        here, there = LocationFactory(code="PLACE-1"), LocationFactory(code="PLACE-1")
    api = limited_api(acme, here.warehouse, roles=())
    found = scan(acme, "place-1", api).json()["matches"]
    assert [match["id"] for match in found] == [str(here.pk)]
    assert {match["id"] for match in scan(acme, "place-1").json()["matches"]} == {str(here.pk), str(there.pk)}

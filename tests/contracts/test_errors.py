"""Errors that no resource has of its own."""

import pytest

from tests.companies import JSON, Company
from tests.contracts.resources import assert_problem, pointers
from tests.contracts.urls import SECRET
from tests.factories.accounts import UserRoleFactory
from tests.factories.inventory import ProductFactory, ProductVariantFactory, SupplierFactory

PARTIES = "/api/v1/parties/"


@pytest.mark.urls("tests.contracts.urls")
@pytest.mark.parametrize("name", ["breaks", "breaks-in-the-database", "breaks-while-rendering"])
def test_a_crash_shows_nothing_and_can_be_found(name: str, acme: Company, caplog: pytest.LogCaptureFixture) -> None:
    response = acme.api.get(f"/api/v1/{name}/", headers={"X-Request-Id": "find-me"})
    problem = assert_problem(response, 500, "server_error")
    assert problem["request_id"] == "find-me"
    assert f"Request find-me: GET /api/v1/{name}/ failed" in caplog.text
    assert SECRET not in response.text and "Traceback" not in response.text and "no_such_table" not in response.text


@pytest.mark.parametrize("body", ["{", "nul", '{"name": }', "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")])
def test_what_is_no_json(body: str, acme: Company) -> None:
    assert_problem(acme.api.post(PARTIES, body, content_type=JSON), 400, "parse_error")


@pytest.mark.parametrize("body", ["null", "[]", "1", '"text"', "true"])
def test_what_is_no_object(body: str, acme: Company) -> None:
    assert_problem(acme.api.post(PARTIES, body, content_type=JSON), 400)


def test_a_body_of_another_kind(acme: Company) -> None:
    assert_problem(acme.api.post(PARTIES, {"name": "x"}), 415, "unsupported_media_type")


def test_an_answer_of_another_kind(acme: Company) -> None:
    assert_problem(acme.api.get(PARTIES, headers={"Accept": "image/png"}), 406, "not_acceptable")


@pytest.mark.parametrize(("body", "pointer"), [
    ({}, "/name"), ({"name": None}, "/name"), ({"name": "a\0b"}, "/name"), ({"name": "x" * 201}, "/name"),
    ({"name": ["x"]}, "/name"), ({"name": "x", "gln": "1"}, "/gln"), ({"name": "x", "kind": "robot"}, "/kind"),
    ({"name": "x", "payment_terms_days": 10**30}, "/payment_terms_days"), ({"name": "x", "a/b~c": 1}, "/a~1b~0c"),
])  # fmt: skip
def test_points_at_the_field(body: dict[str, object], pointer: str, acme: Company) -> None:
    assert pointers(assert_problem(acme.api.send("post", PARTIES, body), 400)) == {pointer}


def test_says_all_at_once(acme: Company) -> None:
    body = {"kind": "robot", "gln": "1"}
    problem = assert_problem(acme.api.send("post", PARTIES, body), 400)
    assert pointers(problem) == {"/name", "/kind", "/gln"}
    assert "2 more" in problem["detail"]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85"])
def test_a_control_character_is_no_text(character: str, acme: Company) -> None:
    problem = assert_problem(acme.api.send("post", PARTIES, {"name": f"A{character}cme"}), 400)
    assert pointers(problem) == {"/name"} and "control characters" in str(problem)


@pytest.mark.parametrize("body", [
    {"name": "a\ud800"}, {"name": "Acme", "\ud800": 1}, {"name": "Acme", "custom_fields": {"a": ["\udfff"]}},
])  # fmt: skip
def test_half_a_character_is_no_json(body: dict[str, object], acme: Company) -> None:
    assert_problem(acme.api.send("post", PARTIES, body), 400, "parse_error")


def test_tabs_and_line_breaks_are_text(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    text = "one\ttwo\r\nthree"
    assert acme.api.send("patch", f"/api/v1/products/{product.pk}/", {"description": text}).json()["description"] == text


def test_a_nul_character_inside_a_list_is_a_mistake_too(acme: Company) -> None:
    body = {"name": "Bot", "scopes": ["a\0b"]}
    assert_problem(acme.api.send("post", "/api/v1/api-keys/", body), 400)


def test_a_row_in_use_cannot_be_deleted(acme: Company) -> None:
    with acme.scope():
        given = UserRoleFactory()
    assert_problem(acme.api.delete(f"/api/v1/roles/{given.role_id}/"), 409, "in_use")


@pytest.mark.parametrize(("path", "values", "pointer", "words"), [
    ("product-barcodes", {"symbology": "code128", "value": "A", "quantity": "0"}, "/quantity", "The quantity must be above 0."),
    ("product-barcodes", {"symbology": "ean", "value": "A"}, "/symbology", '"ean" is none of ean13, ean8, '),
    ("supplier-products", {"order_multiple": "-1"}, "/order_multiple", "The pack size and order multiple must be above 0."),
])  # fmt: skip
def test_a_refusal_says_what_can_be(path: str, values: dict[str, str], pointer: str, words: str, acme: Company) -> None:
    with acme.scope():
        body = {"variant": str(ProductVariantFactory().pk), **values}
        if path == "supplier-products":
            body |= {"supplier": str(SupplierFactory().pk), "supplier_sku": "A"}
    problem = assert_problem(acme.api.send("post", f"/api/v1/{path}/", body), 400, "invalid")
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert words in problem["detail"]


@pytest.mark.parametrize("method", ["TRACE", "BREW"])
def test_a_method_that_nobody_knows(method: str, acme: Company) -> None:
    assert_problem(acme.api.generic(method, PARTIES), 405, "method_not_allowed")


@pytest.mark.parametrize("text", ["0767-08-18T19:23:40+17:35", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_an_instant_at_the_edge_of_time_breaks_nothing(text: str, acme: Company) -> None:
    response = acme.api.get("/api/v1/audit-entries/", {"created_at__lte": text})
    assert response.status_code in (200, 400), response.content

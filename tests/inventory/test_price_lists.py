"""Price lists as a whole: copies, other levels of prices, and their pages."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.models import Party
from accounts.permissions import VIEWER
from inventory.models import PriceList, PriceListItem
from notifications.models import OutboxEvent
from tests.admin.pages import listed, statements, text
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.inventory.test_quotes import price, tax, variant
from tests.inventory.test_races import at_once

LISTS = "/api/v1/price-lists/"
PAGES = "/admin/inventory/pricelist/"


def amounts(code: str) -> list[str]:
    found = PriceListItem.objects.filter(price_list__code=code).order_by("variant__sku", "min_quantity")
    return [f"{amount:.6f}".rstrip("0") for amount in found.values_list("price", flat=True)]


@pytest.mark.parametrize(("before", "percent", "ending", "currency", "after"), [
    ("10.00", "5", None, "EUR", "10.5"), ("10.01", "5", None, "EUR", "10.51"), ("0.10", "5", None, "EUR", "0.11"),
    ("0.0125", "10", None, "EUR", "0.0138"),  # as fine as it was
    ("105", "5", None, "JPY", "110."), ("10", "-100", None, "EUR", None), ("10", "-50", None, "EUR", "5."),
    ("12.40", "0", "0.95", "EUR", "11.95"), ("12.46", "0", "0.95", "EUR", "12.95"), ("12.45", "0", "0.95", "EUR", "12.95"),
    ("1.02", "0", "0.95", "EUR", "0.95"), ("0.99", "0", "0.95", "EUR", "0.99"), ("10.30", "10", "0", "EUR", "11."),
    ("0", "5", "0.95", "EUR", "0."),
])  # fmt: skip
def test_changes_by_percent_and_to_an_ending(
    before: str, percent: str, ending: str | None, currency: str, after: str | None, acme: Company,
) -> None:
    with acme.scope():
        item = price(variant(), before, currency=currency)
    change = {"percent": percent, "ending": ending}
    response = acme.api.send("post", f"{LISTS}{item.price_list_id}/change-prices/", change)
    if after is None:
        assert pointers(assert_problem(response, 400)) == {"/percent"}
        return
    assert response.status_code == 200 and response.json()["done"], response.content
    with acme.scope():
        assert amounts("RETAIL") == [after]


def test_a_preview_writes_nothing_and_says_what_the_change_then_does(acme: Company) -> None:
    with acme.scope():
        bolt, nut = variant(), variant("NUT")
        items = [price(bolt, "12.40"), price(bolt, "11.95", least="10"), price(nut, "100")]
        over = price(nut, "90", least="5")
        PriceListItem.objects.filter(pk=over.pk).update(valid_to=date(2020, 1, 1))
    address = f"{LISTS}{items[0].price_list_id}/change-prices/"
    preview = acme.api.send("post", address, {"ending": "0.95", "preview": True}).json()
    with acme.scope():
        assert amounts("RETAIL") == ["12.4", "11.95", "100.", "90."]
    assert {name: preview[name] for name in ("done", "items", "changed", "lowest", "highest")} == {
        "done": False, "items": 3, "changed": 2, "lowest": "-3.63", "highest": "0.00",
    }
    assert [(one["sku"], one["price"], one["new_price"]) for one in preview["examples"]] == [
        ("BOLT", "12.400000", "11.950000"), ("NUT", "100.000000", "99.950000"),
    ]
    assert acme.api.send("post", address, {"ending": "0.95"}).json() == {**preview, "done": True}
    with acme.scope():
        assert amounts("RETAIL") == ["11.95", "11.95", "99.95", "90."]
        assert PriceListItem.objects.get(pk=items[1].pk).version == 1  # what stays as it is was not written


def test_a_copy_waits_to_be_activated(acme: Company) -> None:
    with acme.scope():
        bolt, customer = variant(), Party.objects.create(name="Zinc")
        price(bolt, "10.00", valid_to=date.today() + timedelta(300), priority=3)
        source = price(bolt, "9.00", least="10").price_list
        over = price(bolt, "1.00", least="20")
        PriceListItem.objects.filter(pk=over.pk).update(valid_to=date(2020, 1, 1))
    body = {"code": "ZINC", "name": "Zinc", "percent": "-10", "party": str(customer.pk), "valid_to": None}
    response = acme.api.send("post", f"{LISTS}{source.pk}/copy/", body)
    made = response.json()
    assert response.status_code == 201 and response.headers["Location"].endswith(f"{LISTS}{made['id']}/")
    assert {name: made[name] for name in ("code", "party_name", "priority", "valid_to", "is_active", "currency")} == {
        "code": "ZINC", "party_name": "Zinc", "priority": 3, "valid_to": None, "is_active": False, "currency": "EUR",
    }
    with acme.scope():
        assert (amounts("ZINC"), amounts("RETAIL")) == (["9.", "8.1"], ["10.", "9.", "1."])
    problem = assert_problem(acme.api.send("post", f"{LISTS}{source.pk}/copy/", body), 400, "unique")
    assert pointers(problem) == {"/code"}
    preview = acme.api.send("post", f"{LISTS}{source.pk}/copy/", {**body, "code": "OTHER", "preview": True})
    assert (preview.status_code, preview.json()["changed"]) == (200, 2)
    with acme.scope():
        assert PriceList.objects.count() == 2


def test_prices_are_set_as_another_system_has_them(acme: Company) -> None:
    with acme.scope():
        bolt, nut = variant(), variant("NUT")
        price_list = price(bolt, "10.00").price_list
        price(bolt, "9.00", least="10")
    address = f"{LISTS}{price_list.pk}/set-prices/"
    prices = [
        {"sku": "NUT", "price": "1"}, {"variant": str(bolt.pk), "price": "10"},
        {"sku": "BOLT", "price": "8.5", "min_quantity": "10"},
        {"sku": "BOLT", "price": "8", "min_quantity": "10", "valid_from": "2027-01-01"},
    ]
    with statements() as asked:
        assert acme.api.send("post", address, {"prices": prices}).json() == {"created": 2, "changed": 1, "unchanged": 1}
    few = len(asked)
    with acme.scope():
        assert sorted(amounts("RETAIL")) == ["1.", "10.", "8.", "8.5"]
    assert acme.api.send("post", address, {"prices": prices}).json() == {"created": 0, "changed": 0, "unchanged": 4}
    many = [{"sku": "NUT", "price": "1", "min_quantity": str(number)} for number in range(1000)]
    with statements() as asked:
        assert acme.api.send("post", address, {"prices": many}).json() == {"created": 999, "changed": 0, "unchanged": 1}
    assert len(asked) == few
    refused: list[tuple[dict[str, Any], str]] = [
        ({"sku": "NUT", "price": "3", "min_quantity": "0.0"}, "price"), ({"sku": "GONE", "price": "3"}, "sku"),
        ({"price": "3"}, "variant"),
        ({"sku": "BOLT", "variant": str(nut.pk), "price": "3"}, "variant"), ({"sku": "BOLT", "price": "-1"}, "price"),
    ]
    for wrong, field in refused:
        problem = assert_problem(acme.api.send("post", address, {"prices": [{"sku": "NUT", "price": "2"}, wrong]}), 400)
        assert pointers(problem) == {f"/prices/1/{field}"}
    ends = {"sku": "NUT", "price": "2", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}
    assert "before the first" in assert_problem(acme.api.send("post", address, {"prices": [ends]}), 400)["detail"]
    unknown = {"variant": str(price_list.pk), "price": "2"}
    assert pointers(assert_problem(acme.api.send("post", address, {"prices": [unknown]}), 400)) == {"/variant"}


def test_a_shop_hears_of_new_prices(acme: Company) -> None:
    with acme.scope():
        item = price(variant(), "10.00")
    acme.api.send("post", f"{LISTS}{item.price_list_id}/change-prices/", {"percent": "5"})
    with acme.scope():
        told = OutboxEvent.objects.filter(aggregate_id=item.pk).order_by("seq").values_list("type", "payload")
        (created, _), (updated, payload) = told
    assert (created, updated) == ("price_list_item.created", "price_list_item.updated")
    assert (payload["changed"], payload["object"]["price"]) == (["price"], 10.5)


def test_changes_of_one_list_at_once_all_count(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        bolts = [variant(f"BOLT-{number}") for number in range(20)]
        items = [price(bolt, "100") for bolt in bolts]
    api, rows = company.api, [{"op": "update", "id": str(item.pk), "min_quantity": "2"} for item in reversed(items)]

    def write(number: int) -> int:
        if number == 5:
            same = [{"sku": bolt.sku, "price": "100", "min_quantity": "7"} for bolt in bolts]
            return int(api.send("post", f"{LISTS}{items[0].price_list_id}/set-prices/", {"prices": same}).status_code)
        if number % 2:
            return int(api.send("post", "/api/v1/price-list-items/bulk/", {"rows": rows}).status_code)
        return int(api.send("post", f"{LISTS}{items[0].price_list_id}/change-prices/", {"percent": "100"}).status_code)

    assert at_once(6, write) == [200] * 6
    with company.scope():
        found = PriceListItem.objects.filter(min_quantity=2)
        assert [str(row.price) for row in found] == ["800.000000"] * 20


# --- The pages --------------------------------------------------------------------------------------------


def test_prices_of_a_list_are_found_by_sku(acme: Company) -> None:
    with acme.scope():
        item, _ = price(variant("AB-1"), "1"), price(variant("AC-1"), "2")
        price(variant("AB-2"), "3", code="OTHER")
    response = acme.admin.get(f"{PAGES}{item.price_list_id}/prices/", follow=True)
    assert len(listed(response)) == 2
    with statements() as asked:
        found = acme.admin.get(response.redirect_chain[-1][0] + "&q=ab-")
    assert listed(found) == ["RETAIL Retail"]
    assert not any("COUNT(" in statement for statement in asked)


def test_the_page_that_says_what_something_costs(acme: Company) -> None:
    with acme.scope():
        bolt = variant()
        tax("23")
        price(bolt, "2.00")
        price(bolt, "1.50", least="10")
    page = acme.admin_as(VIEWER).get(f"{PAGES}what-does-it-cost/")
    assert page.status_code == 200 and "What does it cost?" in text(page)
    asked = {"variant": str(bolt.pk), "quantity": "12", "party": "", "day": "2026-03-10", "country": "PT"}
    answer = text(acme.admin_as(VIEWER).get(f"{PAGES}what-does-it-cost/", asked))
    assert "18.00 EUR" in answer and "4.14 EUR" in answer and "22.14 EUR" in answer
    assert "On 2026-03-10. List RETAIL (Retail), for everybody: 1.5 EUR, from 10 on." in answer
    assert "The price from 10 on is closer to the quantity." in answer
    missing = text(acme.admin.get(f"{PAGES}what-does-it-cost/", {**asked, "country": "FR"}))
    assert "There is no tax rate of category standard for FR" in missing and "not known" in missing
    for wrong in ({"quantity": "0"}, {"day": "x"}, {"country": "\0"}, {"region": "x", "country": ""}, {"variant": "x"}):
        page = acme.admin.get(f"{PAGES}what-does-it-cost/", {**asked, **wrong})
        assert page.status_code == 200 and "Unit price" not in text(page) and page.context["form"].errors, wrong
    assert "What does it cost?" in text(acme.admin_as(VIEWER).get("/admin/"))


@pytest.mark.parametrize(("page", "values"), [("change-prices", {}), ("copy", {"code": "NEW", "name": "New"})])
def test_a_change_is_shown_before_it_is_done(page: str, values: dict[str, Any], acme: Company) -> None:
    with acme.scope():
        source = price(variant(), "12.40").price_list
    address, client = f"{PAGES}{source.pk}/{page}/", acme.admin
    assert client.get(address).status_code == 200
    form = {"percent": "0", "ending": "0.95", **values}
    shown = text(client.post(address, form))
    assert "1 of 1 prices become others" in shown and "11.95" in shown
    with acme.scope():
        assert amounts("RETAIL") == ["12.4"] and PriceList.objects.count() == 1
    assert client.post(address, {**form, "do": "1"}).status_code == 302
    with acme.scope():
        assert amounts(values.get("code", "RETAIL")) == ["11.95"]
    if values:
        assert "Another price list has this code already." in text(client.post(address, {**form, "do": "1"}))
    assert "percent" in text(client.post(address, {**form, "percent": "-100"}))
    assert acme.admin_as(VIEWER).post(address, {**form, "do": "1"}).status_code == 403

"""Value, turnover, movers, ABC, ages, shortages and stock-outs: true to the ledger, read only, and shown to whom they may be."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from inventory.models import Category, Product, ProductVariant, ReorderRule
from inventory.services.snapshots import snapshots_make
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers, statements
from tests.contracts.test_openapi import description, response_of, validate
from tests.inventory.goods import Goods
from tests.inventory.worth import DAY, Worth, ago, posted
from tests.limited import limited_admin, limited_api

URL = "/api/v1/analytics/"
REPORTS = ("value", "turnover", "movers", "abc", "ageing", "shortages", "stock-outs")
OF_COSTS = ("turnover", "abc")


def read(company: Company, report: str, **query: Any) -> dict[str, Any]:
    answer = company.api.get(f"{URL}{report}/", query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    validate(found, response_of(description()["paths"][f"{URL}{report}/"]["get"]))
    return found


def rows(company: Company, report: str, *names: str, **query: Any) -> list[Any]:
    return [tuple(row[name] for name in names) for row in read(company, report, **query)["results"]]


def close(text: str | None, expected: float) -> bool:
    return text is not None and abs(float(text) - expected) < 0.05


@pytest.fixture
def worth(acme: Company) -> Worth:
    """At a cost of 1 each. Bolts: 40 for 20 days, then 10. Nuts: 5 came five days ago, and all went two days ago."""
    with acme.scope():
        worth = Worth.create("average")
        fasteners = Category.objects.create(name="Fasteners", slug="fasteners")
        nuts = Category.objects.create(name="Nuts", slug="nuts", parent=fasteners)
        Product.objects.update(category=fasteners)
        product = Product.objects.create(name="Nuts", category=nuts, base_unit=worth.bolt.product.base_unit)
        ProductVariant.objects.filter(pk=worth.goods.nut.pk).update(product=product)
        posted(40, ago(40), worth.bolt, worth.goods.shelf)
        posted(-30, ago(20), worth.bolt, worth.goods.shelf)
        posted(5, ago(5), worth.goods.nut, worth.branch_shelf)
        posted(-5, ago(2), worth.goods.nut, worth.branch_shelf)
    return worth


# --- What they say ------------------------------------------------------------------------------------------
def test_value_over_time(acme: Company, worth: Worth) -> None:
    days = rows(acme, "value", "value")
    assert (len(days), days[0], days[-1]) == (30, ("40.000000",), ("10.000000",))
    by_warehouse = read(acme, "value", group_by="warehouse", from_day=ago(4).date(), to_day=ago(3).date())["results"]
    quantities = [(row["warehouse_code"], row["quantity"]) for row in by_warehouse]
    assert quantities == [("W1", "10.000000")] * 2 + [("W2", "5.000000")] * 2
    [last] = rows(acme, "value", "from_day", "to_day", "value", period="week", from_day=ago(0).date())
    assert last == (str(ago(0).date()), str(ago(0).date()), "10.000000"), "a week that has only begun"


def test_turnover(acme: Company, worth: Worth) -> None:
    """30 of bolts and 5 of nuts in 60 days; on average 20 times 40 and 20 times 10, and 3 times 5, over 60 days."""
    query = {"from_day": ago(59).date(), "to_day": ago(0).date()}
    length = (timezone.now() - datetime.combine(ago(59).date(), datetime.min.time(), UTC)) / DAY
    found = read(acme, "turnover", group_by="variant", **query)
    bolt, nut = found["results"]
    assert (bolt["sku"], bolt["issued"], bolt["issued_value"], bolt["value"]) == ("BOLT", "30.000000", "30.000000", "10.000000")
    assert close(bolt["average_value"], 1000 / length) and close(bolt["turnover"], 30 / 1000 * 365)
    assert close(bolt["days_of_stock"], 10 / (30 / length)) and nut["days_of_stock"] == "0.00"
    assert close(found["totals"]["turnover"], 35 / 1015 * 365)
    [total] = read(acme, "turnover", **query)["results"]
    assert (total["value"], total["issued_value"]) == ("10.000000", "35.000000")
    assert close(total["turnover"], 35 / 1015 * 365)
    over_time = read(acme, "turnover", period="day", **query)["results"]
    assert sum(Decimal(row["issued_value"]) for row in over_time) == 35
    assert close(over_time[25]["average_value"], 40) and over_time[0]["turnover"] is None


def test_movers_fast_and_slow(acme: Company, worth: Worth) -> None:
    assert rows(acme, "movers", "sku", "issued") == [("BOLT", "30.000000"), ("NUT", "5.000000")]
    assert rows(acme, "movers", "sku", "quantity", order="slowest", from_day=ago(10).date()) == [("BOLT", "10.000000")]
    page = read(acme, "movers", limit=1, offset=1)
    assert ([row["sku"] for row in page["results"]], page["count"]) == (["NUT"], 2)
    assert read(acme, "movers", offset=9)["count"] == 2


def test_a_category_has_all_below_it(acme: Company, worth: Worth) -> None:
    with acme.scope():
        fasteners, nuts = Category.objects.order_by("name")
    assert [row[0] for row in rows(acme, "movers", "sku", category=fasteners.pk)] == ["BOLT", "NUT"]
    for report in REPORTS:
        found = read(acme, report, category=nuts.pk)["results"]
        assert not [row for row in found if row.get("sku") == "BOLT"], report
    grouped = rows(acme, "turnover", "name", "issued_value", group_by="category")
    assert grouped == [("Fasteners", "30.000000"), ("Nuts", "5.000000")]


def test_classes_can_be_written_to_the_variants(acme: Company, worth: Worth) -> None:
    found = read(acme, "abc")
    assert [(row["sku"], row["abc_class"], row["current"], row["share"]) for row in found["results"]] == [
        ("BOLT", "A", "", "85.71"), ("NUT", "B", "", "14.29"),
    ]  # fmt: skip
    assert [(one["abc_class"], one["variants"]) for one in found["totals"]["classes"]] == [("A", 1), ("B", 1), ("C", 0)]
    with acme.scope():
        other = ProductVariant.objects.create(product=worth.bolt.product, sku="OTHER", name="Never here", abc_class="A")
    apply = f"{URL}abc/apply/"
    assert acme.api.send("post", apply, {}).json() == {"changed": 3}
    assert acme.api.send("post", apply, {}).json() == {"changed": 0}
    with acme.scope():
        written = dict(ProductVariant.objects.values_list("sku", "abc_class"))
    assert written == {"BOLT": "A", "NUT": "B", other.sku: ""}
    assert acme.api.send("post", apply, {"a": "50", "b": "60"}).json() == {"changed": 1}
    assert_problem(acme.api_as("viewer").send("post", apply, {}), 403)
    assert_problem(limited_api(acme, worth.main).send("post", apply, {}), 403, "outside_warehouses")
    for body in ({"a": "90", "b": "80"}, {"to_day": "2999-01-01"}, {"from_day": "x"}):
        assert pointers(assert_problem(acme.api.send("post", apply, body), 400)) == {f"/{next(iter(body))}"}


def test_what_was_gone_before_has_no_class(acme: Company, worth: Worth) -> None:
    days = {"from_day": ago(1).date(), "to_day": ago(0).date()}
    assert rows(acme, "abc", "sku", **days) == [("BOLT",)], "the nut left the day before"


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_ages(method: str, acme: Company) -> None:
    """Of 4 that came long ago, 3 and 2, four went: with either method the newest five are here."""
    with acme.scope():
        worth = Worth.create(method)
        for quantity, days in ((4, 500), (3, 100), (2, 10)):
            posted(quantity, ago(days), worth.bolt, worth.goods.shelf)
        posted(1, ago(400), worth.goods.nut, worth.branch_shelf)
        posted(-4, ago(1), worth.bolt, worth.goods.shelf)
    found = read(acme, "ageing")
    ages = {row["sku"]: {age["days"]: age["quantity"] for age in row["ages"]} for row in found["results"]}
    shown = {sku: {days: quantity for days, quantity in found.items() if Decimal(quantity)} for sku, found in ages.items()}
    assert shown == {"NUT": {"over 365": "1.000000"}, "BOLT": {"91-180": "3.000000", "0-30": "2.000000"}}
    totals = {age["days"]: age["value"] for age in found["totals"]["ages"] if Decimal(age["value"])}
    assert totals == {"0-30": "2.000000", "91-180": "3.000000", "over 365": "1.000000"}
    assert rows(acme, "ageing", "warehouse_code", "value", group_by="warehouse") == [("W2", "1.000000"), ("W1", "5.000000")]


def test_what_is_low_and_what_is_out(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(3), goods.receive(1, variant=goods.nut), goods.issue(1, variant=goods.nut)
        goods.rule(minimum=5)
        gone = ProductVariant.objects.create(product=goods.bolt.product, sku="GONE", name="Gone", archived_at=timezone.now())
        goods.rule(minimum=5, variant=gone)
    found = read(acme, "shortages")
    assert [(row["sku"], row["state"], row["on_hand"], row["threshold"]) for row in found["results"]] == [
        ("NUT", "out", "0.000000", None), ("BOLT", "low", "3.000000", "5.000000"),
    ]  # fmt: skip
    assert (found["totals"], found["count"]) == ({"low": 1, "out": 1}, 2)
    assert rows(acme, "shortages", "warehouse_code", "items", "low", "out", group_by="warehouse") == [("W1", 2, 1, 1)]


def test_stock_outs(acme: Company, worth: Worth) -> None:
    """The nut is out since two days, and is kept since five; a rule makes a part count that never came."""
    nut, bolt = read(acme, "stock-outs")["results"]
    assert (nut["sku"], nut["warehouse_code"], bolt["sku"]) == ("NUT", "W2", "BOLT")
    assert close(nut["days_out"], 2) and close(nut["days_kept"], 5) and close(nut["availability"], 60)
    assert (bolt["days_out"], bolt["availability"]) == ("0.00", "100.00")
    assert rows(acme, "stock-outs", "sku", from_day=ago(0).date()) == [("BOLT",)], "the other was given up before"
    with acme.scope():
        new = ProductVariant.objects.create(product=worth.bolt.product, sku="NEW", name="New")
        ReorderRule.objects.create(variant=new, warehouse=worth.main, min_quantity=1, created_at=ago(1))
    found = {row[0]: row[1] for row in rows(acme, "stock-outs", "sku", "days_out", group_by="variant")}
    assert close(found["NUT"], 2) and close(found["NEW"], 1)
    before = dict(rows(acme, "stock-outs", "sku", "days_out", to_day=ago(3).date()))
    assert before == {"NUT": "0.00", "BOLT": "0.00"}, "there was no rule yet"
    days = rows(acme, "stock-outs", "days_out", period="day", group_by="total")
    assert close(str(sum(float(out) for (out,) in days)), 3)


# --- To whom, and how ---------------------------------------------------------------------------------------
def test_costs_are_for_those_who_may_see_them(acme: Company, worth: Worth) -> None:
    clerk = acme.api_by_key("inventory.view_stockitem")
    for report in REPORTS:
        answer = clerk.get(f"{URL}{report}/")
        if report in OF_COSTS:
            assert_problem(answer, 403, "permission_denied")
            continue
        body = answer.json()
        validate(body, response_of(description()["paths"][f"{URL}{report}/"]["get"]))
        for row in body["results"]:
            assert not [name for name in ("value", "issued_value", "average_value", "turnover") if row.get(name)], (report, row)
            assert not [age for age in row.get("ages", []) if age["value"]]
    assert clerk.get(f"{URL}movers/").json()["results"][0]["issued"] == "30.000000"
    assert "30.000000,," in clerk.get(f"{URL}movers/", headers={"Accept": "text/csv"}).text
    nobody = acme.api_by_key("inventory.view_valueentry")
    for report in REPORTS:
        assert_problem(nobody.get(f"{URL}{report}/"), 403, "permission_denied")


def test_warehouses_that_one_may_not_see_do_not_count(acme: Company, worth: Worth) -> None:
    api = limited_api(acme, worth.branch)
    for report in REPORTS:
        seen = api.get(f"{URL}{report}/").json()
        assert seen["results"] == acme.api.get(f"{URL}{report}/", {"warehouse": worth.branch.pk}).json()["results"], report
        assert not [row for row in seen["results"] if row.get("sku") == "BOLT"]
        assert_problem(api.get(f"{URL}{report}/", {"warehouse": worth.main.pk}), 403, "outside_warehouses")


def test_as_csv_all_rows(acme: Company, worth: Worth) -> None:
    for report in REPORTS:
        answer = acme.api.get(f"{URL}{report}/", {"limit": 1} if report != "value" else {}, headers={"Accept": "text/csv"})
        table = list(csv.reader(StringIO(answer.text)))
        assert len(table) == 1 + len(acme.api.get(f"{URL}{report}/").json()["results"]), report
        assert len({len(row) for row in table}) == 1
    assert table[0][:3] == ["variant", "sku", "name"]


@pytest.mark.parametrize("report", REPORTS)
def test_reads_and_nothing_else_in_few_statements(report: str, acme: Company) -> None:
    url = f"{URL}{report}/"
    before = len(statements(acme.api, url))
    with acme.scope():
        goods = Goods.create()
        goods.receive(5), goods.receive(3, variant=goods.nut), goods.issue(2), goods.rule()
    with CaptureQueriesContext(connection) as queries:
        first = acme.api.get(url)
    assert not [query["sql"] for query in queries if query["sql"].lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert before == len(statements(acme.api, url)) <= 5, "the last one ends the scope inside the test's transaction"
    assert acme.api.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert_problem(acme.api.send("post", url), 405)


@pytest.mark.parametrize(("report", "query"), [
    ("value", "period=year"), ("value", "from_day=2020-01-01"), ("value", "to_day=2999-01-01"), ("value", "from_day=9999-12-31"),
    ("value", "to_day=0001-01-01"), ("value", "group_by=variant"), ("turnover", "group_by=variant&period=day"),
    ("movers", "limit=0"), ("movers", "offset=x"), ("movers", "order=any"), ("abc", "a=95&b=80"), ("abc", "a=NaN"),
    ("ageing", "from_day=2020-01-01"), ("shortages", "category=x"), ("stock-outs", "warehouse=%00"),
    ("stock-outs", "group_by=stock&period=day"),
])  # fmt: skip
def test_says_which_parameter_is_wrong(report: str, query: str, acme: Company) -> None:
    problem = assert_problem(acme.api.get(f"{URL}{report}/?{query}"), 400, "invalid_parameter")
    assert problem["errors"][0]["parameter"] == query.partition("=")[0]


def test_ten_years_of_months_are_read_from_snapshots(acme: Company, worth: Worth) -> None:
    with acme.scope():
        snapshots_make(through=date.today() - 30 * DAY)
    months = rows(acme, "value", "value", period="month", from_day=ago(3000).date())
    assert (len(months) > 90, months[0], months[-1]) == (True, ("0.000000",), ("10.000000",))


# --- In the admin -------------------------------------------------------------------------------------------
PAGE = "/admin/analytics/"


def test_the_page_has_charts_and_the_same_as_tables(acme: Company, worth: Worth) -> None:
    with acme.scope():
        worth.receive(3)
        worth.goods.rule(minimum=5)
    page = acme.admin.get(PAGE, {"period": "week"})
    assert page.status_code == 200 and "There is none" not in page.text
    titles = ("Value of the stock", "Issued and turned", "ABC", "What moves most", "What lies still", "Age of the stock",
              "Low and out of stock by warehouse", "Days out of stock", "What was out for longest")  # fmt: skip
    assert [title for title in titles if title not in page.text] == []
    assert page.text.count("<canvas") == len(titles)
    assert "BOLT" in page.text and '<a href="/admin/analytics/"' in acme.admin.get("/admin/").text
    table = list(csv.reader(StringIO(acme.admin.get(PAGE, {"csv": "fastest"}).text)))
    assert [row[:3] for row in table] == [["SKU", "Name", "Issued"], ["BOLT", "Bolt", "30.000000"], ["NUT", "Nut", "5.000000"]]
    with acme.scope():
        nuts = Category.objects.get(name="Nuts")
    assert "BOLT" not in acme.admin.get(PAGE, {"category": nuts.pk, "warehouse": worth.branch.pk}).text
    wrong = acme.admin.get(PAGE, {"from_day": "2001-01-01"})
    assert "more than 366 days" in wrong.text and "<canvas" not in wrong.text


def test_the_page_shows_what_one_may_see(acme: Company, worth: Worth) -> None:
    page = limited_admin(acme, worth.branch).get(PAGE)
    assert "NUT" in page.text and "BOLT" not in page.text and "Write these classes" not in page.text
    assert limited_admin(acme, worth.branch).post(PAGE).status_code == 403
    assert acme.admin_as("viewer").post(PAGE).status_code == 403
    assert "are written: 2 variants" in acme.admin.post(PAGE, follow=True).text
    with acme.scope():
        role = Role.objects.create(code="clerk", name="Clerk", permissions=["inventory.view_stockitem"])
    clerk = limited_admin(acme, limited=role.code).get(PAGE)
    assert clerk.status_code == 200 and "What moves most" in clerk.text and "Value of the stock" not in clerk.text

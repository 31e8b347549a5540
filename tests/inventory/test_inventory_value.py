"""What the stock was worth as of an instant, from snapshots and entries; why; and who may see it."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from core.errors import Invalid
from core.invariants import broken
from core.tenancy import organization_scope
from inventory.models import ProductVariant, StockItem, StockMove, StockSnapshot, ValueEntry
from inventory.queries.dashboard import overview
from inventory.queries.stock_totals import LAST
from inventory.queries.valuation import OCCURRED, POSTED, Question, inventory_value
from inventory.services.costing_methods import costing_method_change
from inventory.services.snapshots import snapshots_make, snapshots_thin
from inventory.services.valuation import moves_value
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.worth import Worth
from tests.limited import limited_api

VALUE = "/api/v1/inventory-value/"
HISTORY, METHOD = f"{VALUE}history/", f"{VALUE}costing-method/"
DAY = timedelta(days=1)


def posted_on(worth: Worth, at: datetime, change: int, *, occurred_at: datetime | None = None, cost: int = 1) -> None:
    """A posting of an earlier day, as the service wrote it then."""
    shelf = worth.goods.shelf
    sides = {"to_location": shelf} if change > 0 else {"from_location": shelf}
    move = StockMove.objects.create(
        kind="receipt" if change > 0 else "issue", variant=worth.bolt, quantity=abs(change), unit_cost=cost, created_at=at,
        occurred_at=occurred_at or at, **sides,
    )
    moves_value(moves=[move.pk])


def worth_of(as_of: datetime | None, basis: str = POSTED) -> tuple[Decimal, Decimal]:
    answer = inventory_value(Question(as_of=as_of, basis=basis))
    return sum((row["quantity"] for row in answer.rows), Decimal(0)), answer.value


def noon(ago: int) -> datetime:
    """A day is closed an hour after its end: until then it is still that day."""
    today = (timezone.now() - timedelta(hours=1)).date()
    return datetime.combine(today - ago * DAY, datetime.min.time(), UTC) + timedelta(hours=12)


def test_as_of_any_instant_with_snapshots_and_without(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        for ago, change in ((9, 10), (7, -4), (5, 3), (3, -2)):
            posted_on(worth, noon(ago), change)
        posted_on(worth, noon(2), 100, occurred_at=noon(8), cost=2)  # late: known for six days, posted now
        expected = {
            noon(10): 0, noon(9): 10, noon(8): 10, noon(7): 6, noon(4): 9, noon(3): 7, noon(2) - DAY / 86400: 7, noon(1): 107,
        }  # fmt: skip

        def look() -> None:
            assert {at: worth_of(at)[0] for at in expected} == expected
            assert worth_of(noon(1)) == worth_of(None) == (107, 207)
            assert worth_of(noon(4), OCCURRED) == (109, 209)
            assert worth_of(noon(9), OCCURRED) == (10, 10)

        look()
        snapshots_make(through=noon(8).date())
        assert StockSnapshot.objects.latest("day").quantity == 10
        look()
        assert snapshots_make(through=noon(1).date()) == 7, "a row for each day since"
        assert snapshots_make(through=noon(1).date()) == 0
        look()
        assert [rows for invariant, rows in broken() if rows and "snapshot" in invariant.name] == []
        StockSnapshot.objects.update(quantity=1, issued=1)
        assert len([invariant.name for invariant, rows in broken() if rows and "snapshot" in invariant.name]) == 2


def test_a_day_ends_where_the_organization_lives_and_is_closed_an_hour_later(acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(timezone="Pacific/Auckland")
        worth = Worth.create()
        posted_on(worth, datetime(2026, 1, 5, 10, 59, tzinfo=UTC), 1)  # 23:59 there
        posted_on(worth, datetime(2026, 1, 5, 11, 0, tzinfo=UTC), 1)
        snapshots_make(through=date(2026, 1, 5))
        snapshot = StockSnapshot.objects.latest("day")
        assert (snapshot.quantity, snapshot.until) == (1, datetime(2026, 1, 5, 11, tzinfo=UTC))
        with pytest.raises(Invalid, match="is not over"):
            snapshots_make(through=timezone.localdate(timezone=timezone.get_fixed_timezone(13 * 60)))


def test_what_is_gone_keeps_its_totals(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        posted_on(worth, noon(6), 2)
        posted_on(worth, noon(4), -2)
        snapshots_make(through=noon(5).date())
        assert snapshots_make(through=noon(2).date()) == 3
        assert worth_of(noon(3)) == (0, 0)
        last = StockSnapshot.objects.latest("day")
    assert (last.quantity, last.received, last.issued, last.issued_value, last.began_at) == (0, 2, 2, 2, noon(6))
    assert (last.value_seconds, last.out_seconds) == (2 * 2 * 86_400, (last.until - noon(4)).total_seconds())


def test_the_first_night_makes_the_ends_of_a_year_of_months(acme: Company) -> None:
    """And no more of older days than the ends of weeks and months are kept."""
    with acme.scope():
        posted_on(Worth.create(), noon(500), 2)
        snapshots_make(through=noon(2).date())
        days = sorted(StockSnapshot.objects.values_list("day", flat=True))
        assert len(days) == 14 and all((day + timedelta(1)).day == 1 for day in days[:-1]) and days[-1] == noon(2).date()
        snapshots_make(through=noon(1).date())
        both = [noon(2).date(), noon(1).date()]
        assert snapshots_thin(today=both[1] + timedelta(401)) == len([day for day in both if not is_kept(day)])
        assert snapshots_thin(today=both[1] + timedelta(401)) == 0


def is_kept(day: date) -> bool:
    return day.isoweekday() == 7 or (day + timedelta(1)).day == 1


def test_old_moves_make_snapshots_anew(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        worth = Worth.create()
        posted_on(worth, noon(4), 2)
        snapshots_make(through=noon(2).date())
        StockMove.objects.create(
            kind="receipt", variant=worth.goods.nut, quantity=5, to_location=worth.goods.shelf, created_at=noon(5),
            occurred_at=noon(5),
        )
        shelf = {"warehouse": worth.goods.warehouse, "location": worth.goods.shelf}
        for variant, quantity in ((worth.bolt, 2), (worth.goods.nut, 5)):
            StockItem.objects.create(variant=variant, quantity=quantity, **shelf)
    out = StringIO()
    call_command("build_cost_layers", organization=company.organization.slug, stdout=out)
    assert "1 moves" in out.getvalue()
    with organization_scope(company.organization.pk):
        assert not StockSnapshot.objects.exists()
        assert worth_of(noon(3)) == (7, Decimal("14.5"))
        assert not [rows for _, rows in broken() if rows]


def test_what_is_posted_at_once_is_not_late(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.receive(1, 1)
        late = ValueEntry.objects.filter(is_late=True)
        costing_method_change(method="standard")
        ProductVariant.objects.update(standard_cost=7)
        assert (ValueEntry.objects.count(), late.count()) == (5, 0)
        worth.receive(1, 7, occurred_at=noon(2))
        assert late.count() == 1


# --- The report ---------------------------------------------------------------------------------------------
def stocked(company: Company) -> Worth:
    with company.scope():
        worth = Worth.create("average")
        worth.receive(4, 3)
        worth.receive(1, 5, variant=worth.goods.nut)
        worth.carry(1)
    return worth


@pytest.mark.parametrize(("group_by", "rows"), [
    ("variant", [("BOLT", "4.000000", "12.000000"), ("NUT", "1.000000", "5.000000")]),
    ("warehouse", [("W1", "4.000000", "14.000000"), ("W2", "1.000000", "3.000000")]),
    ("category", [("", "5.000000", "17.000000")]),
    ("stock", [("BOLT W1", "3.000000", "9.000000"), ("NUT W1", "1.000000", "5.000000"), ("BOLT W2", "1.000000", "3.000000")]),
])
def test_is_grouped(group_by: str, rows: list[Any], acme: Company) -> None:
    stocked(acme)
    for query in ({}, {"as_of": "2100-01-01T00:00:00Z"}, {"as_of": "2100-01-01T00:00:00Z", "basis": "occurred"}):
        found = acme.api.get(VALUE, {"group_by": group_by, **query}).json()
        names = ("sku", "warehouse_code")
        shown = [
            (" ".join(row[name] for name in names if name in row) or row["name"], row["quantity"], row["value"])
            for row in found["results"]
        ]
        assert (shown, found["value"], found["count"]) == (rows, "17.000000", len(rows))
    table = list(csv.reader(StringIO(acme.api.get(VALUE, {"group_by": group_by}, headers={"Accept": "text/csv"}).text)))
    assert [row[-2:] for row in table[1:]] == [list(row[1:]) for row in rows]


def test_is_paged_and_filtered(acme: Company) -> None:
    worth = stocked(acme)
    page = acme.api.get(VALUE, {"limit": 1, "offset": 1}).json()
    assert ([row["sku"] for row in page["results"]], page["count"], page["value"]) == (["NUT"], 2, "17.000000")
    assert acme.api.get(VALUE, {"warehouse": str(worth.branch.pk)}).json()["value"] == "3.000000"
    assert acme.api.get(VALUE, {"variant": str(worth.goods.nut.pk)}).json()["value"] == "5.000000"
    assert (page["costing_method"], page["currency"]) == ("average", "EUR")


@pytest.mark.parametrize("query", [
    "as_of=yesterday", "as_of=a%00b", "basis=x", "group_by=x", "limit=0", "limit=x", "offset=-1", "variant=x", "nothing=1",
    "limit=99999999999999999999", "warehouse=%00",
])
def test_refuses_wrong_questions(query: str, acme: Company) -> None:
    problem = assert_problem(acme.api.get(f"{VALUE}?{query}"), 400)
    assert problem["errors"][0]["parameter"] == query.partition("=")[0]


def test_is_seen_where_one_may_look(acme: Company) -> None:
    worth = stocked(acme)
    api = limited_api(acme, worth.branch)
    assert api.get(VALUE).json()["value"] == "3.000000"
    pair = {"variant": str(worth.bolt.pk), "warehouse": str(worth.main.pk)}
    assert api.get(HISTORY, pair).json()["entries"] == []
    assert len(acme.api.get(HISTORY, pair).json()["entries"]) == 2
    nobody = acme.api_by_key("inventory.view_product")
    for url in (VALUE, HISTORY):
        assert_problem(nobody.get(url, pair if url == HISTORY else {}), 403)


def test_the_first_page_says_the_same(acme: Company) -> None:
    stocked(acme)
    with acme.scope():
        assert overview().stock_value == 17
    assert "at cost (moving average)" in acme.admin.get("/admin/").text


# --- Why ------------------------------------------------------------------------------------------------------
def test_each_entry_says_what_was_there_after_it(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.receive(2, 1, note="Monday's delivery")
        worth.receive(2, 5)
        worth.issue(3)
    pair = {"variant": str(worth.bolt.pk), "warehouse": str(worth.main.pk)}
    found = acme.api.get(HISTORY, pair).json()
    assert (found["quantity"], found["value"]) == ("1.000000", "5.000000")
    steps = [(entry["quantity"], entry["value"], entry["quantity_after"], entry["value_after"]) for entry in found["entries"]]
    assert steps == [
        ("-1.000000", "-5.000000", "1.000000", "5.000000"), ("-2.000000", "-2.000000", "2.000000", "10.000000"),
        ("2.000000", "10.000000", "4.000000", "12.000000"), ("2.000000", "2.000000", "2.000000", "2.000000"),
    ]
    assert found["entries"][-1]["move_note"] == "Monday's delivery"
    assert [layer["remaining"] for layer in found["layers"]] == ["0.000000", "1.000000"]
    pages, query = [], {**pair, "limit": 3}
    while True:
        page = acme.api.get(HISTORY, query).json()
        pages += page["entries"]
        if page["next"] is None:
            break
        query["before"] = page["next"]
    assert pages == found["entries"]


def test_the_admin_goes_from_the_total_down_to_the_moves(acme: Company) -> None:
    worth = stocked(acme)
    admin = acme.admin
    report = admin.get("/admin/inventory/costlayer/value/")
    assert "17.00" in report.text and "BOLT" in report.text
    deeper = f"group_by=stock&amp;variant={worth.bolt.pk}"
    assert deeper in report.text
    by_stock = admin.get(f"/admin/inventory/costlayer/value/?{deeper.replace('&amp;', '&')}").text
    why = f"variant={worth.bolt.pk}&amp;warehouse={worth.main.pk}"
    assert why in by_stock
    page = admin.get(f"/admin/inventory/costlayer/value/why/?{why.replace('&amp;', '&')}").text
    assert "<strong>3</strong> worth <strong>9.00</strong>" in page
    assert "/admin/inventory/stockmove/" in page
    table = list(csv.reader(StringIO(admin.get("/admin/inventory/costlayer/value/?csv=1&group_by=warehouse").text)))
    assert [row[-1] for row in table] == ["value", "14.000000", "3.000000"]
    assert "There was nothing in stock" in admin.get("/admin/inventory/costlayer/value/?day=2020-01-01").text
    assert "less than or equal" in admin.get("/admin/inventory/costlayer/value/?day=9999-12-31").text
    variant = admin.get(f"/admin/inventory/productvariant/{worth.bolt.pk}/value", follow=True)
    assert variant.redirect_chain[-1][0].endswith(deeper.replace("&amp;", "&"))


def test_only_an_admin_changes_how_goods_are_costed(acme: Company) -> None:
    stocked(acme)
    body = {"costing_method": "standard"}
    assert_problem(acme.api_as("manager").send("put", METHOD, body), 403)
    assert_problem(acme.api.send("put", METHOD, {"costing_method": "lifo"}), 400)
    assert acme.api.send("put", METHOD, body).json() == body
    assert acme.api.get(VALUE).json()["value"] == "12.500000"
    url = f"/api/v1/organizations/{acme.organization.pk}/"
    assert acme.api.get(url).json()["costing_method"] == "standard"
    assert_problem(acme.api.send("patch", url, {"costing_method": "fifo"}), 400)
    assert acme.admin_as("manager").get("/admin/inventory/costlayer/value/costing-method/").status_code == 403
    done = acme.admin.post("/admin/inventory/costlayer/value/costing-method/", {"costing_method": "fifo"}, follow=True)
    assert "costed by first in, first out" in done.text


def test_snapshots_are_found_by_their_index(acme: Company) -> None:
    """Under row security too: what was is not looked for in all entries, nor in all snapshots."""
    with acme.scope(), connection.cursor() as cursor:
        worth = Worth.create()
        StockSnapshot.objects.bulk_create([
            StockSnapshot(
                variant=worth.bolt, warehouse=worth.main, day=noon(ago).date(), until=noon(ago), quantity=1, value=1, last_seq=1,
                received=1,
            )
            for ago in range(1, 1_000)
        ])
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {LAST}", [acme.organization.pk, [noon(400), noon(1)]])
        assert "Backward using stock_snapshot_by_time" in "\n".join(row[0] for row in cursor.fetchall())

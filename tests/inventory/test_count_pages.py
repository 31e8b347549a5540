"""A count over the API and in the admin: who is told what, who may do what, and what it costs."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import MANAGER, VIEWER
from inventory.models import Location, ReasonCode, StockCount, StockCountLine, StockCountPlan, Warehouse
from inventory.services.count_plans import stock_count_plans_open
from inventory.services.count_posting import Rest, stock_count_post
from inventory.services.counts import Terms
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.contracts.resources import TRANSACTION, assert_problem
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.counting import opened, record
from tests.inventory.goods import Goods
from tests.limited import limited_admin, limited_api

COUNTS, ADMIN_COUNTS = "/api/v1/stock-counts/", "/admin/inventory/stockcount/"


@pytest.fixture
def goods(acme: Company) -> Goods:
    with acme.scope():
        made = Goods.create()
        made.receive(20)
        made.receive(30, variant=made.nut)
        return made


def test_from_opening_to_posting(acme: Company, goods: Goods) -> None:
    api = acme.api
    body = {"warehouse": str(goods.warehouse.pk), "location": str(goods.shelf.pk), "tolerance_quantity": "5"}
    made = api.send("post", f"{COUNTS}open/", body)
    assert (made.status_code, made.json()["status"], made.json()["is_blind"]) == (201, "open", True)
    url = f"{COUNTS}{made.json()['id']}/"
    lines = api.get(f"{url}lines/", {"limit": 1}).json()
    assert [line["sku"] for line in lines["results"]] == ["BOLT"]
    assert not {"book", "difference", "value"} & lines["results"][0].keys()
    assert [line["sku"] for line in api.get(lines["next"]).json()["results"]] == ["NUT"]
    counted = {"lines": [
        {"line": lines["results"][0]["id"], "counted": "19"}, {"variant": str(goods.nut.pk), "counted": "10"},
    ]}
    done = api.send("post", f"{url}record/", counted).json()["lines"]
    assert [(line["counted"], line["is_found"]) for line in done] == [("19.000000", False), ("10.000000", False)]
    found = api.get(f"{url}variance/").json()
    assert [(line["sku"], line["book"], line["difference"], line["is_above"]) for line in found["results"]] == [
        ("BOLT", "20.000000", "-1.000000", False), ("NUT", "30.000000", "-20.000000", True),
    ]
    assert (found["totals"]["differing"], found["totals"]["value"]) == (2, "-52.500000")
    assert_problem(api.send("post", f"{url}post/"), 409, "recount_needed")
    assert api.send("post", f"{url}recount/").json() == {"recounted": 1}
    assert_problem(api.send("post", f"{url}post/"), 409, "lines_not_counted")
    api.send("post", f"{url}record/", {"lines": [{"variant": str(goods.nut.pk), "counted": "29"}]})
    with acme.scope():
        ReasonCode.objects.filter(code="COUNT").update(approval_over_value=1)
    assert api.send("post", f"{url}post/").json()["status"] == "pending"
    assert_problem(api.send("post", f"{url}approve/"), 403, "own_request")
    done = acme.api_as(MANAGER).send("post", f"{url}approve/", {"note": "Seen"}).json()
    assert (done["status"], done["decision_note"]) == ("posted", "Seen")
    with acme.scope():
        assert (goods.on_hand(), goods.on_hand(goods.nut)) == (19, 29)
    assert_problem(api.send("post", f"{url}cancel/"), 409, "count_is_not_open")
    assert_problem(api.get(f"{url}lines/", {"only": "book"}), 400)


def test_who_may_do_what(acme: Company, goods: Goods) -> None:
    with acme.scope():
        count = opened(goods, Terms(is_blind=False))
        elsewhere = Warehouse.objects.create(code="W2", name="Other")
    url = f"{COUNTS}{count.pk}/"
    counter = acme.api_by_key("inventory.view_stockcount", "inventory.record_stockcount")
    assert counter.get(f"{url}lines/").json()["results"][0]["book"] == "20.000000"  # not blind
    lines = {"lines": [{"variant": str(goods.bolt.pk), "location": str(goods.shelf.pk), "counted": "1"}]}
    assert counter.send("post", f"{url}record/", lines).status_code == 200
    for verb, method in (("variance", "get"), ("post", "post"), ("recount", "post"), ("approve", "post")):
        assert_problem(counter.send(method, f"{url}{verb}/", None), 403)
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}record/", lines), 403)
    far = limited_api(acme, elsewhere, limited=MANAGER)
    assert_problem(far.send("post", f"{url}record/", lines), 404)
    assert_problem(far.send("post", f"{COUNTS}open/", {"warehouse": str(goods.warehouse.pk)}), 403, "outside_warehouses")
    assert limited_admin(acme, elsewhere, limited=MANAGER).get(f"{ADMIN_COUNTS}{count.pk}/sheet/").status_code in (403, 404)


def test_many_lines_cost_what_one_does(acme: Company, goods: Goods) -> None:
    api = acme.api
    with acme.scope():
        variants = ProductVariantFactory.create_batch(30, product=goods.bolt.product)
        for variant in variants:
            goods.receive(5, variant=variant)
        count = opened(goods)
    url = f"{COUNTS}{count.pk}/"

    def sent(chosen: list[Any]) -> int:
        body = {"lines": [{"variant": str(one.pk), "location": str(goods.shelf.pk), "counted": "4"} for one in chosen]}
        with statements() as found:
            assert api.send("post", f"{url}record/", body).status_code == 200
        return len([one for one in found if not one.startswith(TRANSACTION)])

    sent(variants[:1])
    assert sent(variants[:1]) == sent(variants[:15]) == sent(variants)
    with statements() as found:
        assert api.send("post", f"{url}post/", {"uncounted": "leave"}).json()["status"] == "posted"
    assert len(found) <= 28, found
    with acme.scope():
        assert goods.on_hand(variants[29]) == 4


def test_what_is_due_is_opened_by_itself(acme: Company, goods: Goods) -> None:
    with acme.scope():
        for variant, letter in ((goods.bolt, "A"), (goods.nut, "B")):
            type(variant).objects.filter(pk=variant.pk).update(abc_class=letter)
        plan = StockCountPlan.objects.create(warehouse=goods.warehouse, abc_class="A", every_days=30, lines_at_once=1)
        goods.receive(3, to=goods.other_shelf)

        def due() -> list[str]:
            counts = stock_count_plans_open()
            return [code for count in counts for code in count.lines.values_list("location__code", flat=True)]

        [first] = due()
        assert due() == []  # somebody still has to count the one before
        count = StockCount.objects.get(plan=plan)
        stock_count_post(count_id=count.pk, rest=Rest.ZERO)
        [second] = due()
        assert {first, second} == {"A-1", "A-2"}
        stock_count_post(count_id=StockCount.objects.get(plan=plan, status="open").pk, rest=Rest.ZERO)
        goods.receive(1)
        assert due() == []
        plan.every_days = 1
        plan.save(update_fields=["every_days"])
        old = StockCountLine.objects.filter(location=goods.shelf)
        old.update(counted_at=count.created_at - timedelta(days=2000))
        assert due() == ["A-1"]


def test_the_pages(acme: Company, goods: Goods) -> None:
    browser = acme.admin
    here = browser.post(f"{ADMIN_COUNTS}start/", {"location": goods.shelf.pk})
    assert here.status_code == 302 and here.url.endswith("/sheet/")
    assert browser.post(f"{ADMIN_COUNTS}start/", {"location": goods.shelf.pk}).url == here.url  # the one that is open
    base = here.url.removesuffix("sheet/")
    sheet = text(browser.get(here.url))
    rows = re.sub(r"[0-9a-f-]{36}", "", sheet.partition("<tbody")[2].partition("</tbody")[0])  # an id may have any digits
    assert "BOLT" in rows and "data-book" not in sheet and "20" not in rows
    with acme.scope():
        count = StockCount.objects.get()
        line = count.lines.get(variant=goods.bolt)
    answer = browser.post(f"{base}record/", {"line": line.pk, "counted": "18"}).json()
    assert answer == {"line": str(line.pk), "progress": [1, 2]}
    assert browser.post(f"{base}record/", {"line": line.pk, "counted": "17", "age": "60.5"}).status_code == 200
    with acme.scope():
        line.refresh_from_db()
        assert timezone.now() - line.counted_at > timedelta(minutes=1)  # the network was away
    browser.post(f"{base}record/", {"line": line.pk, "counted": "18"})
    assert "a number" in browser.post(f"{base}record/", {"line": line.pk, "counted": "x"}).json()["problem"]
    assert "data-problem" in text(browser.post(f"{base}scan/", {"text": "NOBODY"}))
    assert f'data-line="{line.pk}"' in text(browser.post(f"{base}scan/", {"text": "bolt"}))
    assert "data-place" in text(browser.post(f"{base}scan/", {"text": "A-2"}))
    assert "-2" in text(browser.get(f"{base}variance/"))
    paper = text(browser.get(f"{base}print/"))
    assert "NUT" in paper and "Booked" not in paper
    with acme.scope():
        ReasonCode.objects.filter(code="COUNT").update(approval_over_quantity=1)
    assert "wait for approval" in text(browser.post(f"{base}variance/", {"rest": "zero"}, follow=True))
    assert "Somebody else" in text(browser.post(f"{base}decide/", {"approve": ""}, follow=True))
    assert "counted again" in text(acme.admin_as(MANAGER).post(f"{base}decide/", {"reject": "", "note": "Look"}, follow=True))
    assert "posted already" not in text(browser.post(f"{base}cancel/", follow=True))
    with acme.scope():
        assert StockCount.objects.get().status == "cancelled"


def test_a_place_is_found_by_code_or_barcode(acme: Company, goods: Goods) -> None:
    browser = acme.admin
    with acme.scope():
        Location.objects.filter(pk=goods.shelf.pk).update(barcode="BIN-1")
        there = Warehouse.objects.create(code="W2", name="Other")
        Location.objects.create(warehouse=there, code="A-1")
    assert browser.post(f"{ADMIN_COUNTS}start/", {"place": "BIN-1"}).url.endswith("/sheet/")
    several = browser.post(f"{ADMIN_COUNTS}start/", {"place": "a-1", "is_blind": "on"})
    assert "several warehouses" in text(several)
    assert browser.post(f"{ADMIN_COUNTS}start/", {"place": "a-1", "warehouse": there.pk, "is_blind": "on"}).status_code == 302
    assert "Say where" in text(browser.post(f"{ADMIN_COUNTS}start/", {}))
    with acme.scope():
        StockCount.objects.update(status="cancelled")  # what somebody is counting is not due
    due = browser.post(f"{ADMIN_COUNTS}start/", {"warehouse": goods.warehouse.pk, "days": 30, "tolerance_percent": "2.5"})
    assert due.status_code == 302
    with acme.scope():
        made = StockCount.objects.latest("pk")
        assert (made.kind, made.is_blind, made.tolerance_percent) == ("cycle", False, Decimal("2.5"))
        record(made, goods, 1)

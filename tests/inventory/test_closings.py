"""Closed days stay as they are."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.permissions import VIEWER
from core.errors import Conflict, Invalid
from inventory.models import StockClosing, StockMove
from inventory.queries.closings import closed_through, today
from inventory.services.closings import period_close, period_reopen
from inventory.services.reversal import stock_reverse
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once

CLOSINGS, STOCK = "/api/v1/stock-closings/", "/api/v1/stock-items/"


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("UTC"))


def test_nothing_is_posted_on_a_closed_day(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        last = today() - timedelta(days=10)
        old = goods.receive(5, occurred_at=noon(last))
        period_close(through=last, note="October")
        with pytest.raises(Conflict, match=f"closed through {last}, and this happened on {last}"), transaction.atomic():
            goods.receive(5, occurred_at=noon(last))
        goods.receive(5, occurred_at=noon(last + timedelta(days=1)))
        stock_reverse(moves=old.moves)
        assert StockMove.objects.count() == 3, "a reversal is posted today"
        event = OutboxEvent.objects.get(type="stock.closing_changed")
        assert event.payload == {"closed_through": str(last), "previous": None, "note": "October"}


def test_a_day_is_the_organizations(acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(timezone="Pacific/Auckland")
        goods = Goods.create()
        last = today() - timedelta(days=5)
        period_close(through=last)
        evening = datetime(last.year, last.month, last.day, 18, tzinfo=ZoneInfo("UTC"))  # the next morning there
        goods.receive(1, occurred_at=evening)
        with pytest.raises(Conflict, match="closed"), transaction.atomic():
            goods.receive(1, occurred_at=evening - timedelta(hours=9))  # the same day there
        assert goods.on_hand() == 1


def test_closes_forwards_and_reopens_backwards(acme: Company) -> None:
    with acme.scope():
        day = today()
        with pytest.raises(Invalid, match="Today is still open"):
            period_close(through=day)
        with pytest.raises(Conflict, match="No day is closed"):
            period_reopen(through=None, note="?")
        period_close(through=day - timedelta(days=3))
        with pytest.raises(Conflict, match="already"):
            period_close(through=day - timedelta(days=4))
        with pytest.raises(Invalid, match="Say why"):
            period_reopen(through=None, note=" ")
        period_reopen(through=day - timedelta(days=9), note="A late invoice")
        assert closed_through() == day - timedelta(days=9)
        period_reopen(through=None, note="All of it")
        assert closed_through() is None
        assert StockClosing.objects.filter(actor_id=acme.user.pk).count() == 3


def test_who_closes_waits_for_postings_under_way(new_company: Callable[[], Company]) -> None:
    """Whoever comes first: no posting of a closed day is committed after the closing."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        last = today() - timedelta(days=2)

    def work(number: int) -> str:
        if number == 0:
            with company.scope():
                return str(period_close(through=last).created_at.timestamp())
        done = "none"
        for _ in range(20):
            try:
                with company.scope():
                    goods.receive(1, occurred_at=noon(last))
                    done = str(timezone.now().timestamp())
            except Conflict as refused:
                assert refused.code == "period_closed"
                break
        return done

    at_once(4, work)
    with company.scope():
        closing = StockClosing.objects.get()
        late = StockMove.objects.filter(created_at__gt=closing.created_at)
        assert not late.exists()
        with pytest.raises(Conflict, match="closed through"):
            goods.receive(1, occurred_at=noon(last))


def test_over_the_api_and_in_the_admin(acme: Company) -> None:
    with acme.scope():
        day = today()
        goods = Goods.create()
    through = str(day - timedelta(days=3))
    assert_problem(acme.api_as(VIEWER).send("post", f"{CLOSINGS}close/", {"through": through}), 403)
    closed = acme.api.send("post", f"{CLOSINGS}close/", {"through": through, "note": "Month end"})
    assert (closed.status_code, closed.json()["closed_through"]) == (201, through)
    line = {"variant": str(goods.bolt.pk), "quantity": "1", "to_location": str(goods.shelf.pk)}
    late = {"lines": [line], "occurred_at": f"{through}T10:00:00Z"}
    problem = assert_problem(acme.api.send("post", f"{STOCK}receive/", late), 409, "period_closed")
    assert "ask who may reopen" in problem["detail"]
    assert_problem(acme.api.send("post", f"{STOCK}receive/", {**late, "occurred_at": "0001-01-01T00:00:00Z"}), 400)
    address = "/admin/inventory/stockclosing/reopen/"
    assert through.encode() in acme.admin.get(address).content or acme.admin.get(address).status_code == 200
    assert acme.admin.post(address, {"through": "", "note": "A late invoice"}).status_code == 302
    assert acme.api.send("post", f"{STOCK}receive/", late).status_code == 201

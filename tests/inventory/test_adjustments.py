"""A large correction waits until somebody else has looked."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from accounts.permissions import MANAGER, VIEWER
from core.errors import Conflict, Forbidden, Invalid
from inventory.models import ProductVariant, ReasonCode, StockAdjustment, StockMove
from inventory.services.adjustments import adjustment_approve, adjustment_post, adjustment_reject
from inventory.services.posting import Line, Posted
from inventory.services.stock import Adjustment, Circumstances, stock_receive
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants

ADJUST, ADJUSTMENTS = "/api/v1/stock-items/adjust/", "/api/v1/stock-adjustments/"


def limited(goods: Goods, **limits: Any) -> ReasonCode:
    ReasonCode.objects.filter(pk=goods.found.pk).update(**limits)
    goods.found.refresh_from_db()
    return goods.found


def ask(goods: Goods, **values: Any) -> Posted | StockAdjustment:
    numbers = {name: Decimal(value) for name, value in values.items()}
    adjustment = Adjustment(goods.bolt.pk, goods.shelf.pk, **numbers)
    return adjustment_post(adjustments=[adjustment], circumstances=Circumstances(reason_id=goods.found.pk))


@pytest.mark.parametrize(("limits", "small", "large"), [
    ({"approval_over_quantity": 5}, {"change": "-5"}, {"change": "-5.5"}),
    ({"approval_over_quantity": 5}, {"counted": "25"}, {"counted": "14"}),
    ({"approval_over_value": 10}, {"change": "4"}, {"change": "4.1"}),
])
def test_small_ones_are_posted_and_large_ones_wait(
    limits: dict[str, Any], small: dict[str, str], large: dict[str, str], acme: Company,
) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        limited(goods, **limits)
        assert isinstance(ask(goods, **small), Posted)
        before = goods.on_hand()
        waiting = ask(goods, **large)
        assert isinstance(waiting, StockAdjustment) and waiting.status == "pending"
        assert (goods.on_hand(), waiting.lines.get().seen) == (before, before)
        assert OutboxEvent.objects.get(type="stock_adjustment.requested").payload["reason"] == "FOUND"


def test_goods_without_a_standard_cost_are_worth_what_they_cost_last(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        ProductVariant.objects.filter(pk=goods.bolt.pk).update(standard_cost=0)
        limited(goods, approval_over_value=10)
        assert isinstance(ask(goods, counted="9"), Posted)  # nobody knows what it is worth
        stock_receive(lines=[Line(goods.bolt.pk, Decimal(11), to_location_id=goods.shelf.pk, unit_cost=Decimal(3))])
        assert isinstance(ask(goods, change="-3"), Posted)
        assert isinstance(ask(goods, change="-4"), StockAdjustment)


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("again", [{"counted": Decimal(7)}, {"change": Decimal(1)}])
def test_goods_that_are_counted_stand_on_no_other_line(again: dict[str, Decimal], limit: int | None, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        limited(goods, approval_over_quantity=limit)
        lines = [Adjustment(goods.bolt.pk, goods.shelf.pk, **one) for one in ({"counted": Decimal(5)}, again)]
        with pytest.raises(Invalid, match="stand here twice"):
            adjustment_post(adjustments=lines, circumstances=Circumstances(reason_id=goods.found.pk))
        assert not StockAdjustment.objects.exists() and not StockMove.objects.exists()


def test_somebody_else_approves_against_the_balance_of_then(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        limited(goods, approval_over_quantity=1)
        waiting: Any = ask(goods, counted="12")
        with pytest.raises(Forbidden, match="Somebody else"), transaction.atomic():
            adjustment_approve(adjustment_id=waiting.pk)
        goods.issue(3)
    with acme.scope(actor_id=acme.members[MANAGER].user.pk):
        adjustment_approve(adjustment_id=waiting.pk, note="Seen")
        assert goods.on_hand() == 12
        move = StockMove.objects.latest("seq")
        assert (move.quantity, move.document_type, move.document_id) == (5, "stock_adjustment", waiting.pk)
        with pytest.raises(Conflict, match="approved already"):
            adjustment_reject(adjustment_id=waiting.pk, note="No")
        assert OutboxEvent.objects.get(type="stock_adjustment.decided").payload["moves"] == [str(move.pk)]
        assert_invariants()


def test_one_key_asks_once(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        limited(goods, approval_over_quantity=1)

        def asked(quantity: int) -> Any:
            counted = Adjustment(goods.bolt.pk, goods.shelf.pk, counted=Decimal(quantity))
            own = Circumstances(reason_id=goods.found.pk, idempotency_key="count 9")
            return adjustment_post(adjustments=[counted], circumstances=own)

        assert asked(12) == asked(12)
        with pytest.raises(Conflict, match="belongs to another adjustment"):
            asked(11)


def test_what_is_rejected_is_never_posted(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        limited(goods, approval_over_quantity=1)
        waiting: Any = ask(goods, change="7")
    with acme.scope(actor_id=acme.members[MANAGER].user.pk):
        with pytest.raises(Invalid, match="Say why"):
            adjustment_reject(adjustment_id=waiting.pk, note="")
        adjustment_reject(adjustment_id=waiting.pk, note="Count again")
        assert (goods.on_hand(), StockMove.objects.count()) == (0, 0)


def test_over_the_api_and_in_the_admin(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        limited(goods, approval_over_quantity=5)
    line = {"variant": str(goods.bolt.pk), "location": str(goods.shelf.pk), "change": "-9"}
    body = {"lines": [line], "reason": str(goods.found.pk), "idempotency_key": "count 7"}
    asked = acme.api.send("post", ADJUST, body)
    assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    key = asked.json()["adjustment"]
    assert acme.api.send("post", ADJUST, body).json()["adjustment"] == key
    assert_problem(acme.api_as(VIEWER).send("post", f"{ADJUSTMENTS}{key}/approve/"), 403)
    assert_problem(acme.api.send("post", f"{ADJUSTMENTS}{key}/approve/"), 403, "own_request")
    lines = acme.api.get("/api/v1/stock-adjustment-lines/", {"adjustment": key}).json()["results"]
    assert [(one["change"], one["seen"]) for one in lines] == [("-9.000000", "20.000000")]
    page = acme.admin_as(MANAGER).get(f"/admin/inventory/stockadjustment/{key}/decide/")
    assert page.status_code == 200 and b"11" in page.content
    approved = acme.api_as(MANAGER).send("post", f"{ADJUSTMENTS}{key}/approve/", {"note": "Seen"})
    assert approved.status_code == 201, approved.content
    with acme.scope():
        assert goods.on_hand() == 11
        again: Any = ask(goods, change="-8")
    address = f"/admin/inventory/stockadjustment/{again.pk}/decide/"
    assert acme.admin_as(MANAGER).post(address, {"note": "Count again", "reject": ""}).status_code == 302
    with acme.scope():
        again.refresh_from_db()
        assert (again.status, again.decision_note) == ("rejected", "Count again")

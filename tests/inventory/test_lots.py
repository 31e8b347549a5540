"""Tracked goods are known by their lot or serial number wherever they are; what is held is not sold."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import JournalEntry, Organization
from core.errors import Conflict, Invalid
from core.invariants import broken
from inventory.models import Lot, ReasonCode, StockItem, StockMove
from inventory.queries.lots import lot_trace
from inventory.services.candidates import Wanted, goods_propose
from inventory.services.lots import lot_status_change
from inventory.services.posting import Line, LotCode
from inventory.services.reversal import stock_reverse
from inventory.services.stock import Circumstances, stock_assemble, stock_disassemble, stock_issue, stock_move, stock_receive
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import LocationFactory
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants
from tests.inventory.test_races import at_once

LOTS, STOCK = "/api/v1/lots/", "/api/v1/stock-items/"
SOON = date.today() + timedelta(days=10)  # a day that is not over


def issue(goods: Goods, lot: Lot, quantity: Any = 1, **shared: Any) -> Any:
    line = Line(lot.variant_id, Decimal(quantity), from_location_id=goods.shelf.pk, lot_id=lot.pk)
    return stock_issue(lines=[line], circumstances=Circumstances(**shared))


def item_of(lot: Lot) -> StockItem:
    found: StockItem = StockItem.objects.get(lot=lot)
    return found


def test_a_receipt_makes_the_lots_that_are_new(acme: Company, django_assert_max_num_queries: Any) -> None:
    with acme.scope():
        goods = Goods.create()
        milk = goods.tracked()
        lines = [
            Line(milk.pk, Decimal(number), to_location_id=goods.shelf.pk, lot=LotCode(f"L{number}", SOON))
            for number in range(1, 30)
        ]
        with django_assert_max_num_queries(12):  # its value makes pools
            stock_receive(lines=lines)
        again = stock_receive(lines=[Line(milk.pk, Decimal(2), to_location_id=goods.shelf.pk, lot=LotCode("L1"))])
        lot = Lot.objects.get(code="L1")
        assert (lot.kind, lot.expires_on, Lot.objects.count()) == ("lot", SOON, 29)
        assert again.balances[0]["lot"] == str(lot.pk)
        assert item_of(lot).quantity == 3
        event = OutboxEvent.objects.filter(type="stock.posted").latest("id")
        assert event.payload["lines"][0]["lot"] == str(lot.pk)
        assert_invariants()


def test_a_lot_lasts_as_long_as_its_variant_says(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        lot = goods.receive_lot(1, goods.tracked(shelf_life_days=30), "L1")
        assert lot.expires_on == StockMove.objects.latest("seq").occurred_at.date() + timedelta(days=30)
        Organization.objects.update(timezone="Pacific/Auckland")
        evening = datetime(2026, 3, 1, 18, tzinfo=UTC)  # the next morning there
        late = Line(lot.variant_id, Decimal(1), to_location_id=goods.shelf.pk, lot=LotCode("L2"))
        stock_receive(lines=[late], circumstances=Circumstances(occurred_at=evening))
        assert Lot.objects.get(code="L2").expires_on == date(2026, 3, 2) + timedelta(days=30)
        with pytest.raises(Conflict, match="expires on"):
            goods.receive_lot(1, lot.variant, "L1", expires_on=SOON)


@pytest.mark.parametrize(("tracking", "line", "said"), [
    ("lot", {}, "MILK is tracked by lot: say which"),
    ("serial", {}, "MILK is tracked by serial number: say which"),
    ("none", {"lot": LotCode("L1")}, "MILK is not tracked: leave the lot out"),
    ("serial", {"lot": LotCode("S1"), "quantity": Decimal(2)}, "is one piece"),
])
def test_refuses_what_does_not_fit_the_tracking(tracking: str, line: dict[str, Any], said: str, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk = goods.tracked(tracking)
        with pytest.raises(Invalid, match=said), transaction.atomic():
            stock_receive(lines=[Line(milk.pk, **{"quantity": Decimal(1), "to_location_id": goods.shelf.pk, **line})])
        assert not StockMove.objects.exists()


def test_a_lot_of_another_variant_is_none(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        lot = goods.receive_lot(5, goods.tracked(), "L1")
        other = goods.tracked(sku="CREAM")
        line = Line(other.pk, Decimal(1), to_location_id=goods.shelf.pk, lot_id=lot.pk)
        with pytest.raises(Invalid, match="no such lot of CREAM"), transaction.atomic():
            stock_receive(lines=[line])


def test_a_serial_number_is_in_one_place_once(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        pump = goods.tracked("serial", "PUMP")
        lot = goods.receive_lot(1, pump, "S1")
        assert lot.kind == "serial"
        with pytest.raises(Conflict, match="serial number S1 of PUMP is in stock already"), transaction.atomic():
            goods.receive_lot(1, pump, "S1", to=goods.other_shelf)
        stock_move(lines=[Line(pump.pk, Decimal(1), goods.shelf.pk, goods.other_shelf.pk, lot.pk)])
        stock_move(lines=[Line(pump.pk, Decimal(1), goods.other_shelf.pk, goods.shelf.pk, lot.pk)])
        issue(goods, lot)
        goods.receive_lot(1, pump, "S1", to=goods.other_shelf)
        with pytest.raises(IntegrityError, match="stock_serial_is_one_piece"), transaction.atomic():
            StockItem.objects.filter(lot=lot).update(quantity=2)
        with pytest.raises(IntegrityError, match="stock_serial_in_one_place"), transaction.atomic():
            StockItem.objects.filter(lot=lot).update(quantity=1)
        assert_invariants()


def test_a_serial_number_arrives_once_whoever_books_it(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        pump = goods.tracked("serial", "PUMP")
        places = LocationFactory.create_batch(6, warehouse=goods.warehouse, parent=None)

    def receive(number: int) -> str:
        body = {"lines": [{"variant": str(pump.pk), "quantity": "1", "to_location": str(places[number].pk), "lot_code": "S1"}]}
        return str(company.api.send("post", f"{STOCK}receive/", body).status_code)

    answers = Counter(at_once(6, receive))
    assert answers["201"] == 1 and set(answers) <= {"201", "400", "409"}
    with company.scope():
        assert StockItem.objects.filter(quantity=1).count() == 1
        assert [rows for _, rows in broken() if rows] == []


@pytest.mark.parametrize("status", ["quarantine", "blocked", "recalled"])
def test_held_lots_are_on_hand_and_not_available(status: str, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk = goods.tracked()
        rule = goods.rule(minimum=4, variant=milk)
        lot = goods.receive_lot(5, milk, "L1")
        lot_status_change(lot_ids=[lot.pk], status=status, reason="Smells")
        item = item_of(lot)
        assert (item.quantity, item.available, item.is_held) == (5, 0, True)
        rule.refresh_from_db()
        assert (rule.level, rule.is_low) == (0, True)
        with pytest.raises(Conflict, match=f"lot L1 of MILK is {status}"), transaction.atomic():
            issue(goods, lot)
        goods.receive_lot(2, milk, "L1", to=goods.other_shelf)
        stock_move(lines=[Line(milk.pk, Decimal(1), goods.shelf.pk, goods.quarantine.pk, lot.pk)])
        scrap = ReasonCode.objects.get(kind="issue", code="SCRAP")
        issue(goods, lot, reason_id=scrap.pk, note="Poured away")
        assert_invariants()
        assert lot_status_change(lot_ids=[lot.pk], status=status, reason="Again") == []
        lot_status_change(lot_ids=[lot.pk], status="released", reason="It was the crate")
        issue(goods, lot)
        rule.refresh_from_db()
        assert rule.level == 2 + 2  # on the shelves, without the piece in quarantine
        assert_invariants()
        [first, second] = JournalEntry.objects.filter(object_id=lot.pk).order_by("id")
        assert (first.from_state, first.to_state, first.body, second.to_state) == ("released", status, "Smells", "released")
        event = OutboxEvent.objects.filter(type="lot.status_changed").earliest("id")
        assert (event.payload["status"], event.payload["on_hand"], event.payload["sku"]) == (status, 5, "MILK")


def test_expired_goods_are_not_sold(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        lot = goods.receive_lot(5, goods.tracked(), "L1", expires_on=date(2020, 1, 1))
        with pytest.raises(Conflict, match="expired on 2020-01-01"), transaction.atomic():
            issue(goods, lot)
        scrap = ReasonCode.objects.get(kind="issue", code="SCRAP")
        issue(goods, lot, reason_id=scrap.pk, note="Too old")


def test_takes_first_what_expires_first(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk = goods.tracked()
        goods.receive_lot(4, milk, "late", expires_on=SOON + timedelta(days=5))
        goods.receive_lot(4, milk, "never")
        goods.receive_lot(4, milk, "soon", expires_on=SOON, to=goods.other_shelf)
        goods.receive_lot(4, milk, "over", expires_on=date(2020, 1, 1))
        held = goods.receive_lot(4, milk, "held", expires_on=SOON)
        goods.receive_lot(4, milk, "aside", expires_on=SOON, to=goods.quarantine)
        lot_status_change(lot_ids=[held.pk], status="blocked", reason="?")
        found = goods_propose(lines=[Wanted(milk.pk, goods.warehouse.pk, Decimal(10))])
        assert [(one.lot_code, one.quantity) for one in found] == [("soon", 4), ("late", 4), ("never", 2)]
    body = {"lines": [{"variant": str(milk.pk), "warehouse": str(goods.warehouse.pk), "quantity": "5"}]}
    answered = acme.api.send("post", f"{STOCK}propose/", body).json()
    assert [(one["lot_code"], one["location_code"], Decimal(one["quantity"])) for one in answered] == [
        ("soon", "A-2", 4), ("late", "A-1", 1),
    ]  # fmt: skip


def test_tracking_stays_while_goods_are_in_stock(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(3)
        product = goods.bolt.product
        tracked = goods.tracked()
    api = acme.api
    problem = assert_problem(api.send("patch", f"/api/v1/products/{product.pk}/", {"tracking": "lot"}), 409, "tracking_in_use")
    assert "adjust them to nothing" in problem["detail"]
    moved = {"product": str(tracked.product_id)}
    assert_problem(api.send("patch", f"/api/v1/product-variants/{goods.bolt.pk}/", moved), 409, "tracking_in_use")
    with acme.scope():
        goods.adjust(counted="0")
    assert api.send("patch", f"/api/v1/products/{product.pk}/", {"tracking": "serial"}).status_code == 200
    with acme.scope():
        goods.receive_lot(1, goods.bolt, "S1")
        assert_invariants()


def test_a_lot_is_traced_through_kits_both_ways(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk, cheese, platter = (goods.tracked(sku=sku) for sku in ("MILK", "CHEESE", "PLATTER"))
        lot = goods.receive_lot(10, milk, "M1")
        other = goods.receive_lot(10, milk, "M2")
        shelf = goods.shelf.pk

        def make(used: Lot, variant: Any, code: str) -> Any:
            return stock_assemble(
                components=[Line(used.variant_id, Decimal(2), from_location_id=shelf, lot_id=used.pk)],
                kits=[Line(variant.pk, Decimal(1), to_location_id=shelf, lot=LotCode(code))],
            )

        make(lot, cheese, "C1")
        undone = make(other, cheese, "C2")
        stock_reverse(moves=undone.moves)
        cheese_lot = Lot.objects.get(code="C1")
        stock_assemble(
            components=[Line(cheese.pk, Decimal(1), from_location_id=shelf, lot_id=cheese_lot.pk)],
            kits=[Line(platter.pk, Decimal(1), to_location_id=shelf, lot=LotCode("P1"))],
        )
        sold = Lot.objects.get(code="P1")
        issue(goods, sold, note="To Jane")
        forwards = {one["code"]: (one["direction"], one["depth"]) for one in lot_trace(lot_id=lot.pk).lots}
        assert forwards == {"M1": ("itself", 0), "C1": ("forwards", 1), "P1": ("forwards", 2)}
        trace = lot_trace(lot_id=sold.pk)
        assert {one["code"]: one["direction"] for one in trace.lots} == {"P1": "itself", "C1": "backwards", "M1": "backwards"}
        assert trace.moves[-1]["note"] == "To Jane"
        assert [(place["location_code"], Decimal(place["quantity"])) for place in trace.places] == [("A-1", 8)]
        assert {one["code"] for one in lot_trace(lot_id=other.pk).lots} == {"M2"}, "what was reversed made nothing"
        make(lot, cheese, "C3")
        stock_disassemble(
            kits=[Line(cheese.pk, Decimal(1), from_location_id=shelf, lot_id=Lot.objects.get(code="C3").pk)],
            components=[Line(milk.pk, Decimal(2), to_location_id=shelf, lot_id=lot.pk)],
        )
        directions = [one["direction"] for one in lot_trace(lot_id=lot.pk).lots if one["code"] == "M1"]
        assert directions == ["itself"], "a lot that came apart again is not its own origin"
        assert_invariants()
    answered = acme.api.get(f"{LOTS}{lot.pk}/trace/").json()
    assert [one["code"] for one in answered["lots"]] == ["M1", "C1", "C3", "P1", "C3"], "C3 is on both sides"
    page = acme.admin.get(f"/admin/inventory/lot/{lot.pk}/trace/")
    assert page.status_code == 200 and b"P1" in page.content


def test_kits_come_apart_again(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        goods.receive(10, variant=goods.nut)
        kit = goods.tracked("none", "KIT")
        sides = {"from": {"from_location_id": goods.shelf.pk}, "to": {"to_location_id": goods.shelf.pk}}

        def lines(side: str, times: int) -> list[Line]:
            return [Line(goods.bolt.pk, Decimal(4 * times), **sides[side]), Line(goods.nut.pk, Decimal(2 * times), **sides[side])]

        stock_assemble(components=lines("from", 2), kits=[Line(kit.pk, Decimal(2), **sides["to"])])
        assert (goods.on_hand(), goods.on_hand(goods.nut), goods.on_hand(kit)) == (2, 6, 2)
        with pytest.raises(Conflict, match="only 2 of BOLT"), transaction.atomic():
            stock_assemble(components=lines("from", 1), kits=[Line(kit.pk, Decimal(1), **sides["to"])])
        stock_disassemble(kits=[Line(kit.pk, Decimal(1), **sides["from"])], components=lines("to", 1))
        assert (goods.on_hand(), goods.on_hand(goods.nut), goods.on_hand(kit)) == (6, 8, 1)
        assert_invariants()


def test_holds_and_releases_over_the_api_and_in_the_admin(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        lot = goods.receive_lot(3, goods.tracked(), "L1")
    answer = acme.api.send("post", f"{LOTS}{lot.pk}/recall/", {"reason": "Notice 4711"})
    assert (answer.status_code, answer.json()["status"]) == (200, "recalled")
    assert_problem(acme.api.send("post", f"{LOTS}{lot.pk}/release/", {"reason": " "}), 400)
    address = f"/admin/inventory/lot/{lot.pk}/release/"
    assert b"W1" in acme.admin.get(address).content or b"Main" in acme.admin.get(address).content
    released = acme.admin.post(address, {"reason": "Checked"})
    assert (released.status_code, released.headers["Location"]) == (302, f"/admin/inventory/lot/{lot.pk}/change/")
    listed = acme.api.get(LOTS, {"expires_on__isnull": "true", "status": "released"}).json()["results"]
    assert str(lot.pk) in [one["id"] for one in listed]


def test_a_lot_keeps_its_variant(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        lot = goods.receive_lot(3, goods.tracked(), "L1")
        other = goods.tracked(sku="CREAM")
    assert_problem(acme.api.send("patch", f"{LOTS}{lot.pk}/", {"variant": str(other.pk)}), 400)
    untracked = {"variant": str(goods.bolt.pk), "code": "L9"}
    assert_problem(acme.api.send("post", LOTS, untracked), 409, "not_tracked")

"""Goods are picked from place to place, for many orders at once, and nobody goes for the same goods twice."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Membership
from accounts.permissions import VIEWER
from core.errors import Conflict, DomainError
from core.invariants import broken
from inventory.models import Location, Reservation
from orders.models import PickList, PickListItem, SalesOrder
from orders.services.backorders import backorder_fill
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.pick_lists import (
    pick_list_cancel,
    pick_list_create,
    pick_list_finish,
    pick_list_pick,
    pick_list_pick_rest,
    pick_list_short,
    pick_list_start,
)
from orders.services.sales_orders import (
    NewLine,
    sales_order_cancel,
    sales_order_change,
    sales_order_confirm,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from orders.services.shipments import shipment_create, shipment_pack, shipment_reopen
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop


def placed(shop: Shop, bolts: Any = 4, nuts: Any = 0) -> SalesOrder:
    return sales_order_place(order=shop.cart(bolts, nuts))


def listed(*orders: SalesOrder, start: bool = True) -> PickList:
    made = pick_list_create(orders=[order.pk for order in orders])
    return pick_list_start(pick_list=made) if start else made


def lines(made: PickList) -> list[tuple[Any, ...]]:
    """Place, SKU, quantity, picked, short."""
    return list(made.lines.order_by("line").values_list(
        "stock_item__location__code", "order_item__sku", "quantity", "picked_quantity", "short_quantity",
    ))


def state(order: SalesOrder, line: int = 0) -> tuple[Any, ...]:
    """Status; allocated, picked and shipped of a line."""
    order.refresh_from_db()
    found = order.lines.order_by("line")[line]
    return order.status, found.allocated_quantity, found.picked_quantity, found.shipped_quantity


def refused(verb: Callable[[], Any]) -> str:
    with pytest.raises(DomainError) as error:
        verb()
    return error.value.code


def clean() -> bool:
    return not [rows for _, rows in broken() if rows]


def test_one_round_for_two_orders_in_pick_sequence_until_they_are_shipped(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        Location.objects.filter(pk=shop.goods.shelf.pk).update(pick_sequence=20)
        Location.objects.filter(pk=shop.goods.other_shelf.pk).update(pick_sequence=10)
        shop.goods.move(3, shop.goods.other_shelf, variant=shop.goods.nut)
        one, other = placed(shop, 4, 3), placed(shop, 2)
        made = listed(one, other)
        assert lines(made) == [("A-2", "NUT", 3, 0, 0), ("A-1", "BOLT", 4, 0, 0), ("A-1", "BOLT", 2, 0, 0)]
        assert state(one) == ("picking", 4, 0, 0)
        first = made.lines.get(line=0)
        pick_list_pick(pick_list=made, line_id=first.pk, quantity=Decimal(1), variant_id=first.variant_id)
        assert state(one, 1) == ("picking", 3, 1, 0)
        assert refused(lambda: pick_list_finish(pick_list=made)) == "not_all_picked"
        pick_list_finish(pick_list=pick_list_pick_rest(pick_list=made))
        assert state(one) == ("picking", 4, 4, 0) and state(other) == ("picking", 2, 2, 0)
        assert shop.goods.on_hand() == 10, "it leaves with its shipment"
        assert refused(lambda: listed(one, other)) == "nothing_to_pick"
        for order in (one, other):
            sales_order_ship(order=sales_order_pack(order=order))
        assert state(one) == ("shipped", 4, 4, 4) and shop.goods.on_hand() == 4 and clean()


def test_what_is_scanned_must_be_what_the_line_wants(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        milk = shop.goods.tracked()
        mine, other = (shop.goods.receive_lot(2, milk, code) for code in ("L1", "L2"))
        order = shop.cart(2)
        order.lines.update(variant=milk, sku="MILK", price_agreed=True)
        made = listed(sales_order_place(order=order))
        [line] = made.lines.all()

        def pick(**values: Any) -> PickList:
            return pick_list_pick(pick_list=made, line_id=line.pk, **values)

        with pytest.raises(Conflict, match="That is NUT: this line wants MILK"):
            pick(variant_id=shop.goods.nut.pk)
        with pytest.raises(Conflict, match="That is lot L2: this line wants lot L1 of MILK"):
            pick(variant_id=milk.pk, lot_id=other.pk)
        assert refused(lambda: pick(quantity=Decimal(3))) == "more_than_open"
        assert refused(lambda: pick(quantity=Decimal(0))) == "invalid"
        pick(variant_id=milk.pk, lot_id=mine.pk)
        assert state(order) == ("picking", 2, 2, 0)
        assert refused(pick) == "more_than_open"


def test_what_is_short_comes_from_another_place_or_waits(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(backorders=True)
        order = placed(shop, 10)
        shop.goods.receive(2, to=shop.goods.other_shelf)
        made = listed(order)
        line = made.lines.get()
        pick_list_pick(pick_list=made, line_id=line.pk, quantity=Decimal(5))
        pick_list_short(pick_list=made, line_id=line.pk, reason="Bin is empty")
        assert lines(made) == [("A-1", "BOLT", 10, 5, 5), ("A-2", "BOLT", 2, 0, 0)]
        assert state(order) == ("picking", 7, 5, 0)
        waiting = Reservation.objects.get(demand_id=order.pk, stock_item=None, status="active")
        assert waiting.quantity == 3
        pick_list_finish(pick_list=pick_list_pick_rest(pick_list=made))
        assert state(order) == ("picking", 7, 7, 0) and clean()
        assert refused(lambda: sales_order_pack(order=order)) == "not_allocated"
        shop.goods.receive(3, to=shop.goods.other_shelf)
        assert backorder_fill(order=order, reservations=[waiting.pk]), "while it is being picked"
        again = listed(order)
        assert sum(line[2] for line in lines(again)) == 3, "what is picked is on no other list"
        pick_list_finish(pick_list=pick_list_pick_rest(pick_list=again))
        sales_order_ship(order=sales_order_pack(order=order))
        assert state(order) == ("shipped", 10, 10, 10) and clean()


def test_nothing_of_a_line_is_there(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(backorders=True)
        order = placed(shop, 2)
        made = listed(order)
        line = made.lines.get().pk
        assert refused(lambda: pick_list_short(pick_list=made, line_id=line, reason=" ")) == "invalid"
        pick_list_short(pick_list=made, line_id=line, reason="Broken")
        pick_list_finish(pick_list=made)
        assert state(order) == ("confirmed", 0, 0, 0) and clean()


def test_goods_in_a_shipment_are_not_short(acme: Company) -> None:
    with acme.scope():
        order = placed(Shop.create(), 2)
        shipment_create(order=order)
        made = listed(order)
        line = made.lines.get().pk
        assert refused(lambda: pick_list_short(pick_list=made, line_id=line, reason="Broken")) == "in_shipment"


def test_a_list_that_is_canceled_puts_everything_back(acme: Company) -> None:
    with acme.scope():
        order = sales_order_confirm(order=placed(Shop.create(), 4))
        made = listed(order)
        pick_list_pick(pick_list=made, line_id=made.lines.get().pk, quantity=Decimal(3))
        assert refused(lambda: sales_order_change(order=order, lines=[NewLine(order.lines.get().variant_id, Decimal(5))])) == (
            "wrong_status"
        )
        pick_list_cancel(pick_list=made, reason="Too heavy")
        assert state(order) == ("confirmed", 4, 0, 0)
        again = listed(order)
        assert lines(again) == [("A-1", "BOLT", 4, 0, 0)] and clean()


def test_what_is_packed_is_not_picked_again_and_reopened_it_is_still_picked(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop, 4)
        made = listed(order)
        shipment = shipment_pack(shipment=shipment_create(order=order))
        assert state(order) == ("packed", 4, 4, 0)
        assert refused(lambda: pick_list_pick(pick_list=made, line_id=made.lines.get().pk)) == "not_wanted"
        pick_list_finish(pick_list=made)
        shipment_reopen(shipment=shipment)
        assert state(order)[0] == "confirmed", "no list picked it"
        other = placed(shop, 1)
        done = pick_list_finish(pick_list=pick_list_pick_rest(pick_list=listed(other)))
        shipment = shipment_pack(shipment=shipment_create(order=other))
        shipment_reopen(shipment=shipment)
        assert (done.status, state(other)) == ("done", ("picking", 1, 1, 0)) and clean()


def test_an_order_that_is_held_waits_and_one_that_is_canceled_is_left_where_it_is(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        held, gone = placed(shop, 2), placed(shop, 3)
        made = listed(held, gone)
        mine = made.lines.get(order_item__order=held).pk
        sales_order_hold(order=held)
        assert refused(lambda: pick_list_pick(pick_list=made, line_id=mine)) == "wrong_status"
        change = [NewLine(shop.goods.bolt.pk, Decimal(1))]
        assert refused(lambda: sales_order_change(order=held, lines=change)) == "already_picked"
        assert sales_order_release(order=held).status == "picking"
        pick_list_pick_rest(pick_list=made)
        sales_order_cancel(order=gone)
        sales_order_hold(order=held)
        pick_list_cancel(pick_list=made)
        assert sales_order_release(order=held).status == "confirmed", "nobody picks it any more"
        assert state(gone) == ("cancelled", 0, 0, 0) and clean()


def test_an_order_that_changes_before_its_list_is_started_leaves_the_list(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        changed, halved, other = placed(shop, 2, 1), placed(shop, 2), placed(shop, 1)
        made = listed(changed, halved, other, start=False)
        sales_order_change(order=changed, lines=[NewLine(shop.goods.bolt.pk, Decimal(3))])
        sales_order_split(order=halved, lines=[Split(halved.lines.get().pk, Decimal(1))])
        pick_list_start(pick_list=made)
        assert [state(order)[0] for order in (changed, halved, other)] == ["placed", "placed", "picking"]
        pick_list_finish(pick_list=pick_list_pick_rest(pick_list=made))
        again = listed(changed, halved).lines
        assert [sum(line.quantity for line in again.filter(order_item__order=order)) for order in (changed, halved)] == [3, 1]
        assert clean()


def test_two_lists_never_take_the_same_goods(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create()
        orders = [placed(shop, 2) for _ in range(3)]

    def work(number: int) -> str:
        chosen = orders if number % 2 else orders[::-1]
        try:
            with company.scope():
                made = listed(*chosen[: 2 + number % 2])
            with company.scope():
                pick_list_pick_rest(pick_list=made)
            with company.scope():
                pick_list_finish(pick_list=made)
        except Conflict as error:
            return error.code
        return "done"

    answers = at_once(8, work)
    assert set(answers) <= {"done", "nothing_to_pick"}, answers
    with company.scope():
        found = PickListItem.objects.values_list("reservation", "picked_quantity")
        assert sorted(quantity for _, quantity in found) == [2, 2, 2] and len({key for key, _ in found}) == 3
        assert {state(order) for order in orders} == {("picking", 2, 2, 0)} and clean()


def test_at_once_a_line_is_picked_once_or_short_or_its_order_is_packed(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        order = placed(Shop.create(backorders=True), 2)
        made = listed(order)
        line = made.lines.get().pk
    verbs: list[Callable[[], Any]] = [
        lambda: pick_list_pick(pick_list=made, line_id=line),
        lambda: pick_list_short(pick_list=made, line_id=line, reason="Gone"),
        lambda: sales_order_pack(order=order), lambda: pick_list_cancel(pick_list=made),
    ]

    def work(number: int) -> str:
        try:
            with company.scope():
                verbs[number % 4]()
        except Conflict as error:
            return error.code
        return "done"

    answers = at_once(8, work)
    known = {"done", "more_than_open", "not_wanted", "wrong_status", "not_allocated", "in_shipment", "not_active"}
    assert set(answers) <= known, answers
    with company.scope():
        assert clean(), answers


def test_what_is_sent_by_many_at_once_with_one_step_counts_once(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        order = placed(Shop.create(), 9)
        made = listed(order)
        line = made.lines.get().pk

    def work(number: int) -> str:
        with company.scope():
            pick_list_pick(pick_list=made, line_id=line, quantity=Decimal(4), step="scan-1")
        return "done"

    assert at_once(4, work) == ["done"] * 4
    with company.scope():
        assert state(order) == ("picking", 9, 4, 0) and clean()


def test_by_the_api(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop, 4)
    api, url = acme.api, "/api/v1/pick-lists/"
    for body, status in (({}, 400), ({"orders": []}, 400), ({"orders": [str(shop.goods.bolt.pk)]}, 400)):
        assert api.send("post", url, body).status_code == status
    made = api.send("post", url, {"orders": [str(order.pk)]})
    assert (made.status_code, made.json()["warehouse"]) == (201, str(shop.goods.warehouse.pk)), made.content
    again = api.send("post", url, {"warehouse": str(shop.goods.warehouse.pk)})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_pick")
    one = f"{url}{made.json()['id']}/"
    with acme.scope():
        member = str(Membership.objects.get(user=acme.members["manager"].user).pk)
    assert api.send("post", f"{one}assign/", {"assignee": member}).json()["assignee"] == member
    started = api.send("post", f"{one}start/")
    assert (started.json()["status"], started.json()["assignee"]) == ("picking", member)
    [line] = api.get(f"{one}lines/").json()
    assert (line["location_code"], line["sku"], line["quantity"]) == ("A-1", "BOLT", "4.000000")
    wrong = api.send("post", f"{one}pick/", {"line": line["id"], "variant": str(shop.goods.nut.pk)})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_goods")
    assert api.send("post", f"{one}pick/", {"line": line["id"]}).status_code == 200
    much = api.send("post", f"{one}put-back/", {"line": line["id"], "quantity": "5"})
    assert (much.status_code, much.json()["code"]) == (409, "more_than_picked")
    assert api.send("post", f"{one}put-back/", {"line": line["id"], "quantity": "1"}).status_code == 200
    [line] = api.get(f"{one}lines/").json()
    assert line["picked_quantity"] == "3.000000"
    paper = api.get(f"{one}paper/")
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    assert api.send("post", f"{one}short/", {"line": line["id"]}).status_code == 400
    short = api.send("post", f"{one}short/", {"line": line["id"], "reason": "One is bent"})
    assert short.status_code == 200, short.content
    done = api.send("post", f"{one}finish/")
    assert (done.status_code, done.json()["status"]) == (200, "done")
    late = api.send("post", f"{one}cancel/", {})
    assert (late.status_code, late.json()["allowed"]) == (409, [])


def test_on_the_pages(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(backorders=True)
        one, other = placed(shop, 4), placed(shop, 1)
    browser, page = acme.admin, "/admin/orders/picklist/"
    chosen = {"action": "pick_list", "_selected_action": [str(one.pk)]}
    assert "picklist" in browser.post("/admin/orders/salesorder/", chosen).url
    browser.post(f"{page}add/", {"warehouse": str(shop.goods.warehouse.pk), "assignee": ""})
    with acme.scope():
        mine, rest = PickList.objects.order_by("pk")
        line = mine.lines.get()
        assert [found.order_item.order_id for found in rest.lines.all()] == [other.pk], "what is on no list"
    url = f"{page}{mine.pk}/"
    assert browser.post(f"{url}start/", {}).status_code == 302
    assert b"A-1: BOLT" in browser.get(f"{url}pick/").content
    assert browser.post(f"{url}pick/", {f"quantity-{line.pk}": "3"}).status_code == 302
    assert browser.post(f"{url}short/", {f"quantity-{line.pk}": "1", "reason": "Bent"}).status_code == 302
    assert browser.post(f"{url}finish/", {}).status_code == 302
    with acme.scope():
        mine.refresh_from_db()
        assert mine.status == "done" and state(one)[:3] == ("picking", 3, 3)
    assert browser.get(f"{url}change/").status_code == browser.get(page).status_code == 200
    assert browser.get(f"{url}paper/").content[:5] == b"%PDF-"
    assert acme.admin_as(VIEWER).post(f"{page}{rest.pk}/start/", {}).status_code == 403

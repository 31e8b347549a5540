"""An order leaves in parts: each shipment takes along what is reserved, once, and the order follows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import JournalEntry, Organization
from core.errors import Conflict, Invalid
from core.invariants import broken
from core.tenancy import active_organization_id
from inventory.models import StockMove, TaxCategory
from notifications.models import OutboxEvent
from orders.handlers import confirm_shipment
from orders.models import SalesOrder, Shipment, ShipmentItem
from orders.services.fulfilment import sales_order_deliver, sales_order_pack, sales_order_ship
from orders.services.order_lines import NewLine
from orders.services.sales_orders import (
    sales_order_cancel,
    sales_order_change,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from orders.services.shipments import (
    Parcel,
    Part,
    shipment_cancel,
    shipment_create,
    shipment_deliver,
    shipment_fail,
    shipment_hand_over,
    shipment_pack,
    shipment_reopen,
)
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.contracts.resources import TRANSACTION
from tests.factories.taxes import TaxRateFactory
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop
from tests.orders.shop import Shop as WebShop


def placed(shop: Shop, bolts: int = 4, nuts: int = 0) -> SalesOrder:
    order = shop.cart(bolts, nuts)
    SalesOrder.objects.filter(pk=order.pk).update(email="ada@example.com")
    return sales_order_place(order=order)


def some(order: SalesOrder, quantity: Any, line: int = 0) -> Shipment:
    found = order.lines.order_by("line")[line]
    return shipment_create(order=order, parts=[Part(found.pk, Decimal(quantity))])


def state(order: SalesOrder) -> tuple[Any, ...]:
    order.refresh_from_db()
    line = order.lines.order_by("line")[0]
    return order.status, order.fulfilment_status, line.picked_quantity, line.shipped_quantity


def clean() -> bool:
    return not [rows for _, rows in broken() if rows]


def test_an_order_leaves_in_two_shipments(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop, 4)
        first = shipment_pack(shipment=some(order, 1))
        assert state(order) == ("placed", "not_started", 1, 0) and shop.goods.on_hand() == 10
        shipment_hand_over(shipment=first, carrier="DHL", tracking_number="JD1")
        shipment_hand_over(shipment=first)  # once more changes nothing
        assert state(order) == ("placed", "partly_shipped", 1, 1) and shop.goods.on_hand() == 9
        rest = shipment_create(order=order)
        assert [line.quantity for line in rest.lines.all()] == [3], "what is in no shipment yet"
        shipment_pack(shipment=rest)
        assert state(order) == ("packed", "partly_shipped", 4, 1)
        shipment_deliver(shipment=first)
        shipment_hand_over(shipment=rest)
        assert state(order) == ("shipped", "shipped", 4, 4) and shop.goods.on_hand() == 6
        shipment_fail(shipment=rest, reason="Nobody at home")
        shipment_deliver(shipment=rest)
        assert state(order)[:2] == ("delivered", "delivered") and clean()
        moves = list(StockMove.objects.filter(kind="issue").order_by("pk").values_list("pk", "quantity"))
        assert list(ShipmentItem.objects.order_by("pk").values_list("move", "quantity")) == moves == [
            (moves[0][0], 1), (moves[1][0], 3),
        ]


def test_the_verbs_of_the_order_move_all_its_shipments(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop, 4, 2)
        draft = some(order, 1)
        sales_order_pack(order=order)
        assert list(order.shipments.order_by("pk").values_list("status", flat=True)) == ["packed", "packed"]
        assert sorted(ShipmentItem.objects.values_list("quantity", flat=True)) == [1, 2, 3]
        shipment_hand_over(shipment=draft)
        sales_order_ship(order=order)
        sales_order_deliver(order=order)
        assert set(order.shipments.values_list("status", flat=True)) == {"delivered"} and clean()


def test_takes_no_more_than_is_allocated_and_in_no_other_shipment(acme: Company) -> None:
    with acme.scope():
        order = placed(Shop.create(), 4)
        some(order, 3)
        for quantity, error in ((2, Conflict), (0, Invalid)):
            with pytest.raises(error):
                some(order, quantity)
        with pytest.raises(Invalid):
            shipment_create(order=order, parts=[Part(order.pk, Decimal(1))])
        some(order, 1)
        with pytest.raises(Conflict) as refused:
            shipment_create(order=order)
        assert refused.value.code == "nothing_to_ship"


def test_goods_that_were_given_away_are_not_packed(acme: Company) -> None:
    with acme.scope():
        order = placed(Shop.create(), 5)
        line, draft = order.lines.get(), some(order, 4)
        sales_order_split(order=order, lines=[Split(line.pk, Decimal(2))])
        for pack in (lambda: shipment_pack(shipment=draft), lambda: sales_order_pack(order=order)):
            with pytest.raises(Conflict, match="cancel this shipment, and make another one") as refused:
                pack()
            assert refused.value.code == "not_allocated"
        shipment_cancel(shipment=draft)
        sales_order_pack(order=order)
        assert state(order) == ("packed", "packed", 3, 0) and clean()


def test_a_line_that_goes_takes_its_place_in_shipments_along(acme: Company) -> None:
    with acme.scope():
        order = placed(Shop.create(), 2, 3)
        bolts, nuts = order.lines.order_by("line")
        shipment_cancel(shipment=some(order, 3, line=1))
        both = shipment_create(order=order)
        sales_order_change(order=order, lines=[NewLine(bolts.variant_id, Decimal(2), id=bolts.pk)])
        assert [one.quantity for one in both.lines.all()] == [2]
        sales_order_change(order=order, lines=[NewLine(nuts.variant_id, Decimal(1))])
        both.refresh_from_db()
        assert both.status == "cancelled" and not both.lines.exists()
        sales_order_pack(order=order)
        assert state(order) == ("packed", "packed", 1, 0) and clean()


def test_a_shipment_takes_the_lot_that_is_meant(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        milk = shop.goods.tracked()
        one, other = (shop.goods.receive_lot(2, milk, code) for code in ("L1", "L2"))
        order = shop.cart(3)
        order.lines.update(variant=milk, price_agreed=True)
        order = sales_order_place(order=order)
        line = order.lines.get()
        second = shipment_create(order=order, parts=[Part(line.pk, Decimal(1), other.pk)])
        with pytest.raises(Conflict):
            shipment_create(order=order, parts=[Part(line.pk, Decimal(1), other.pk)])
        first = shipment_create(order=order)
        for row in (second, first):
            shipment_hand_over(shipment=shipment_pack(shipment=row))
        moves = StockMove.objects.filter(kind="issue").order_by("pk").values_list("lot", "quantity")
        assert list(moves) == [(other.pk, 1), (one.pk, 2)] and clean()


def test_what_is_packed_by_mistake_is_undone(acme: Company) -> None:
    with acme.scope():
        Organization.objects.filter(pk=active_organization_id()).update(gs1_company_prefix="5601234")
        order = placed(Shop.create(), 4)
        shipment = shipment_pack(shipment=shipment_create(order=order), parcels=[Parcel(weight=Decimal("1.5")), Parcel()])
        assert state(order)[0] == "packed"
        sscc = shipment.parcels.order_by("pk")[0].unit.sscc
        shipment_reopen(shipment=shipment)
        assert state(order)[:2] == ("confirmed", "not_started")
        with pytest.raises(Conflict) as refused:
            shipment_pack(shipment=shipment, parcels=[Parcel(sscc=sscc)])
        assert refused.value.code == "parcel_taken"
        shipment_cancel(shipment=shipment, reason="Packed twice")
        again = shipment_pack(shipment=shipment_create(order=order), parcels=[Parcel(sscc=sscc)])
        assert [one.unit.sscc for one in again.parcels.all()] == [sscc] and state(order)[0] == "packed"


def test_what_is_held_does_not_leave_and_what_is_canceled_neither(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop, 4)
        shipment = shipment_pack(shipment=some(order, 1))
        sales_order_hold(order=order)
        for verb in (shipment_hand_over, lambda shipment: shipment_create(order=order)):
            with pytest.raises(Conflict) as refused:
                verb(shipment=shipment)
            assert refused.value.code == "wrong_status"
        sales_order_cancel(order=order, reason="Ordered twice")
        shipment.refresh_from_db()
        assert shipment.status == "cancelled" and shop.goods.on_hand() == 10 and clean()


@pytest.mark.parametrize("way", ["amended", "split", "amended while held"])
def test_an_order_that_needs_no_more_than_has_left_is_shipped(way: str, acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop, nuts=2)
        shipment = shipment_hand_over(shipment=shipment_pack(shipment=some(order, 1)))
        bolts, nuts = order.lines.order_by("line")
        if way == "split":
            sales_order_split(order=order, lines=[Split(bolts.pk), Split(nuts.pk)])
        elif way == "amended":
            both = [NewLine(variant.pk, Decimal(2)) for variant in (shop.goods.bolt, shop.goods.nut)]
            sales_order_change(order=order, lines=both)
            assert state(order)[:2] == ("placed", "partly_shipped")
            begun = some(order, 1)
            sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(1))])
            assert Shipment.objects.get(pk=begun.pk).status == "cancelled"
        else:
            sales_order_hold(order=order)
            sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(1))])
            assert state(order)[0] == "on_hold"
            sales_order_release(order=order)
        assert state(order)[:2] == ("shipped", "shipped")
        told = list(OutboxEvent.objects.filter(aggregate_id=order.pk, type__startswith="order.").order_by("seq"))
        assert [event.type for event in told][-2:] == [
            {"split": "order.split", "amended": "order.changed"}.get(way, "order.released"), "order.shipped",
        ]
        shipment_deliver(shipment=shipment)
        assert state(order)[0] == "delivered" and clean()


def test_what_was_delivered_already_is_delivered_once_nothing_else_is_wanted(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = placed(shop)
        shipment_deliver(shipment=shipment_hand_over(shipment=shipment_pack(shipment=some(order, 1))))
        sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(1))])
        assert state(order)[:2] == ("delivered", "delivered") and clean()


def test_nobody_ships_the_same_goods_twice(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create()
        order = placed(shop, 4)
        shipments = [shipment_pack(shipment=some(order, 2)) for _ in range(2)]

    def ship(number: int) -> str:
        try:
            with company.scope():
                if number < 4:
                    shipment_hand_over(shipment=shipments[number % 2])
                else:
                    some(order, 1)
        except Conflict as error:
            return error.code
        return "done"

    answers = at_once(8, ship)
    assert answers.count("done") == 4 and set(answers) <= {"done", "not_allocated", "wrong_status"}, answers
    with company.scope():
        assert state(order) == ("shipped", "shipped", 4, 4) and shop.goods.on_hand() == 6
        assert StockMove.objects.filter(kind="issue").count() == 2 and clean()


def test_orders_that_leave_in_shipments_of_the_same_goods_do_not_deadlock(new_company: Callable[[], Company]) -> None:
    """Half of them send the bolts first, half the nuts."""
    company = new_company()
    with company.scope():
        shop, orders = Shop.create(stock=20), list[SalesOrder]()
        for number in range(8):
            order = placed(shop, 1, 1)
            for line in (0, 1) if number % 2 else (1, 0):
                some(order, 1, line)
            orders.append(sales_order_pack(order=order))

    def ship(number: int) -> str:
        with company.scope():
            return str(sales_order_ship(order=orders[number]).status)

    assert at_once(8, ship) == ["shipped"] * 8
    with company.scope():
        assert StockMove.objects.filter(kind="issue").count() == 16 and clean()


def test_the_customer_hears_how_to_follow_the_parcels(acme: Company) -> None:
    with acme.scope():
        order = placed(Shop.create(), 4)
        shipment = shipment_pack(shipment=some(order, 1))
        shipment_hand_over(shipment=shipment, carrier="DHL", tracking_number="JD1", tracking_url="https://track.example.com/JD1")
        event: Any = {"id": "one", "payload": {"shipment": str(shipment.pk)}}
        confirm_shipment.func(event)
        [sent] = mail.outbox
        assert (sent.to, sent.subject) == (["ada@example.com"], f"Your order {order.number} is on its way")
        for words in ("1 x Bolt", "Carrier: DHL", "Tracking number: JD1", "https://track.example.com/JD1", "The rest"):
            assert words in sent.body
        shipment_deliver(shipment=shipment)
        confirm_shipment.func(event)
        assert len(mail.outbox) == 1, "it has come meanwhile"


def test_by_the_api_with_papers(acme: Company) -> None:
    with acme.scope():
        Organization.objects.filter(pk=active_organization_id()).update(gs1_company_prefix="5601234")
        order = placed(Shop.create(), 4)
        line = order.lines.get().pk
    api = acme.api
    body = {"order": str(order.pk), "lines": [{"order_item": str(line), "quantity": "1"}], "carrier": "DHL"}
    made = api.send("post", "/api/v1/shipments/", body)
    assert made.status_code == 201, made.content
    url = f"/api/v1/shipments/{made.json()['id']}/"
    assert api.send("get", f"{url}parcel-labels/").status_code == 409
    packed = api.send("post", f"{url}pack/", {"parcels": [{"weight": "2"}]})
    assert (packed.status_code, packed.json()["status"]) == (200, "packed"), packed.content
    [parcel] = api.get(f"{url}parcels/").json()
    assert len(parcel["sscc"]) == 18
    for paper in ("delivery-note", "parcel-labels"):
        answer = api.get(f"{url}{paper}/")
        assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-"), answer.content
    gone = api.send("post", f"{url}hand-over/", {"tracking_number": "JD1"})
    assert (gone.status_code, gone.json()["tracking_number"], gone.json()["status"]) == (200, "JD1", "handed_over"), gone.content
    assert api.get(f"{url}lines/").json()[0]["move"]
    found = api.get("/api/v1/shipments/", {"search": "JD1"}).json()
    assert [one["number"] for one in found["results"]] == [made.json()["number"]]
    late = api.send("post", f"{url}cancel/", {})
    assert late.status_code == 409 and "deliver" in late.json()["allowed"]
    changed = api.send("patch", url, {"tracking_number": "JD2"})
    assert (changed.status_code, changed.json()["tracking_number"]) == (200, "JD2"), changed.content
    assert api.send("patch", url, {"lines": []}).status_code == 400


def test_the_whole_way_takes_few_statements(acme: Company) -> None:
    shop = WebShop(acme)
    with acme.scope():
        TaxRateFactory.create(tax_category=TaxCategory.objects.get(code="standard"))
    counts: dict[str, int] = {}

    def count(step: str, url: str, body: Any = None) -> Any:
        with CaptureQueriesContext(connection) as queries:
            answer = acme.api.send("post", url, body)
        assert answer.status_code in (200, 201), answer.content
        counts[step] = sum(not one["sql"].startswith((*TRANSACTION, "SELECT set_config")) for one in queries)
        return answer.json()

    for _ in range(2):  # the first time a process asks what it keeps
        lines = [{"variant": str(shop.goods.bolt.pk), "quantity": "1"}]
        body = {"channel": str(shop.channel.pk), "lines": lines, "shipping_address": {"country": "PT"}}
        made = count("cart", "/api/v1/sales-orders/", body)
        for verb in ("place", "pack", "ship", "deliver"):
            count(verb, f"/api/v1/sales-orders/{made['id']}/{verb}/")
    assert counts == {"cart": 10, "place": 11, "pack": 7, "ship": 11, "deliver": 6}


def test_each_step_is_on_the_timeline(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(2))
        for verb in (sales_order_pack, sales_order_ship, sales_order_deliver):
            verb(order=order)
        shipment = order.shipments.get()
        entries = JournalEntry.objects.filter(object_type="orders.shipment", object_id=shipment.pk).order_by("pk")
        steps = list(entries.values_list("from_state", "to_state"))
        assert steps == [("draft", "packed"), ("packed", "handed_over"), ("handed_over", "delivered")]

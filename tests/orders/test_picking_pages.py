"""A round with a pick list by scans: nothing but what the line wants, nothing twice, and what was picked leaves."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Organization
from accounts.permissions import MANAGER, VIEWER
from core.errors import Conflict
from core.invariants import broken
from inventory.models import Location, PriceListItem, ProductBarcode, Warehouse
from orders.models import PickList, SalesOrder, Shipment
from orders.services.pick_lists import (
    pick_list_create,
    pick_list_finish,
    pick_list_pick_rest,
    pick_list_put_back,
    pick_list_start,
)
from orders.services.sales_orders import NewLine, sales_order_create, sales_order_hold, sales_order_place
from orders.services.shipments import Part, shipment_create, shipment_pack
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.limited import limited_admin
from tests.orders.selling import Shop

EAN, SSCC, SECOND = "4006381333931", "340123450000000000", "340123450000000017"

type Send = Callable[..., Any]


@pytest.fixture
def shop(acme: Company) -> Shop:
    """Two orders on one list: bolts and milk of a lot for the first, bolts for the second."""
    with acme.scope():
        made = Shop.create(backorders=True)
        milk = made.goods.tracked()
        ProductBarcode.objects.create(variant=milk, symbology="ean13", value=EAN)
        ProductBarcode.objects.create(variant=made.goods.bolt, symbology="code128", value="BOX-OF-6", quantity=6)
        PriceListItem.objects.create(price_list=made.prices, variant=milk, price=Decimal(1))
        made.goods.receive_lot(5, milk, "L1", to=made.goods.other_shelf)
        lines = [NewLine(made.goods.bolt.pk, Decimal(4)), NewLine(milk.pk, Decimal(2))]
        first = sales_order_place(order=sales_order_create(channel=made.channel, customer=made.customer, lines=lines))
        second = sales_order_place(order=made.cart(bolts=3))
        pick_list_create(orders=[first.pk, second.pk])
    return made


@pytest.fixture
def send(acme: Company, shop: Shop) -> Send:
    client = acme.admin
    with acme.scope():
        address = f"/admin/pick/{PickList.objects.get().pk}/"

    def sending(name: str = "scan/", once: str = "", **fields: Any) -> Any:
        return client.post(f"{address}{name}", {"id": once or uuid4().hex, "by": "scanner", **fields})

    return sending


def said(response: Any) -> str:
    found = re.search(r"data-say[^>]*>(.*?)</", text(response), re.S)
    return " ".join(found.group(1).split()) if found else ""


def line(acme: Company, number: int = 0) -> Any:
    with acme.scope():
        return PickList.objects.get().lines.get(line=number)


def picked(acme: Company) -> list[tuple[str, int, int]]:
    with acme.scope():
        rows = PickList.objects.get().lines.order_by("line").values_list("order_item__sku", "picked_quantity", "short_quantity")
        return [(sku, int(done), int(short)) for sku, done, short in rows]


def test_only_what_the_line_wants_is_picked_and_once(acme: Company, send: Send) -> None:
    once = uuid4().hex
    assert said(send(once=once, text="BOLT")) == "1 of BOLT from A-1. A-1: 3 of BOLT"
    assert said(send(once=once, text="BOLT")) == "A-1: 3 of BOLT"
    assert picked(acme)[0] == ("BOLT", 1, 0), "sent twice, it counts once"
    assert said(send(text="NUT")) == "That is NUT: this line wants BOLT."
    assert send(text="nobody").status_code == 404
    assert said(send(text="BOX-OF-6")) == "These are 6 of BOLT, and 3 are left to pick: type how many."
    assert said(send(text="A-2")) == "This is another place: BOLT is at A-1."
    assert said(send(text="A-1")).startswith("This is A-1.")
    assert send(text="PL-000001").headers["X-Go"].startswith("/admin/pick/")
    typed = f"line/?line={line(acme).pk}"
    for wrong, status in (("5", 409), ("-1", 422), ("1e3", 422), ("b" + "x" * 300, 422)):
        assert send(typed, entry=wrong).status_code == status, wrong
    assert said(send(typed, entry="3")).startswith("2 of BOLT from A-1.")
    assert said(send(typed, entry="2")).startswith("1 of BOLT are at their place again.")
    assert said(send(typed, once := uuid4().hex, entry="+")) == "2 of BOLT from A-1. A-1: 3 of BOLT"
    assert said(send(typed, once, entry="+")) == "A-1: 3 of BOLT", "its answer was lost"
    assert send(typed, entry="1").status_code == 409, "the line is done"
    back = {"line": line(acme).pk, "quantity": "2"}
    for _ in range(2):
        send("back/", "last", **back)
    assert picked(acme)[0] == ("BOLT", 2, 0), "the last step is taken back, once"
    with acme.scope():
        assert PickList.objects.get().assignee.user_id == acme.user.pk


def test_an_article_with_lots_is_known_by_its_lot(acme: Company, send: Send) -> None:
    for number in (0, 1):
        send(f"line/?line={line(acme, number).pk}", entry="+")
    symbol = f"]d201{EAN.zfill(14)}10"
    assert said(send(text=EAN)) == "Scan the lot, too: this line wants lot L1 of MILK."
    assert said(send(text=f"{symbol}L2")) == "That is lot L2: this line wants lot L1 of MILK."
    assert said(send(text=f"{symbol}l1")).startswith("1 of MILK from A-2.")
    assert said(send(text="L1")).startswith("1 of MILK from A-2. Pack SO-000001")


def test_where_places_are_scanned_the_goods_come_second(acme: Company, shop: Shop, send: Send) -> None:
    with acme.scope():
        Warehouse.objects.update(picks_by_place=True)
    assert said(send(text="BOLT")) == "Scan the place first: A-1."
    assert send(f"line/?line={line(acme).pk}", entry="4").status_code == 409
    assert said(send(text="A-1")).startswith("This is A-1. A-1: 4 of BOLT")
    for number in (0, 1):
        assert said(send(f"line/?line={line(acme, number).pk}", entry="+")).startswith(f"{4 - number} of BOLT"), "one place"
    assert send(text=f"(01){EAN.zfill(14)}(10)L1").status_code == 409


def test_what_is_short_is_picked_at_another_place_or_waits(acme: Company, shop: Shop, send: Send) -> None:
    with acme.scope():
        shop.goods.receive(1, to=shop.goods.other_shelf)
    typed, once = f"line/?line={line(acme).pk}", uuid4().hex
    send(typed, entry="2")
    assert "Why?" in text(asked := send(typed, entry="b")) and asked.headers["X-Into"] == "#short-line"
    first = send(typed, once, entry="B The bin is empty")
    assert said(first).startswith("Written down as short. There are more: 1 at A-2, at the end of the round.")
    assert said(send(typed, once, entry="B The bin is empty")) == "A-1: 3 of BOLT", "its answer was lost"
    assert picked(acme) == [("BOLT", 2, 2), ("BOLT", 0, 0), ("MILK", 0, 0), ("BOLT", 0, 0)]
    token = {"line": line(acme, 1).pk, "token": uuid4().hex}
    assert send("short/", **token, reason="").status_code == 422
    assert "What is short waits as a back-order." in said(send("short/", **token, reason="Broken"))
    assert send("short/", **token, reason="Broken").status_code == 200
    for number in (2, 3):
        send(f"line/?line={line(acme, number).pk}", entry="+")
    with acme.scope():
        assert PickList.objects.get().status == "done" and not [rows for _, rows in broken() if rows]
    assert said(send("ship/", order=_order(acme, 1))).startswith("SO-000001 has left by SH-000001.")
    with acme.scope():
        assert list(Shipment.objects.get().lines.order_by("line").values_list("quantity", flat=True)) != []
        assert SalesOrder.objects.get(number="SO-000001").fulfilment_status == "partly_shipped"


def _order(acme: Company, number: int) -> Any:
    with acme.scope():
        return SalesOrder.objects.get(number=f"SO-{number:06}").pk


def _picked_all(acme: Company, send: Send) -> None:
    for number in range(3):
        send(f"line/?line={line(acme, number).pk}", entry="+")


def test_orders_are_packed_one_after_the_other(acme: Company, shop: Shop, send: Send) -> None:
    """Cartons by their labels and weights; without a label the company's next number; sent twice, it leaves once."""
    _picked_all(acme, send)
    for wrong in ("BOLT", "340123450000000001", "(10)L1", "(3302)000250"):
        assert send(text=wrong).status_code in (409, 422), wrong
    assert said(send(text=SSCC)) == f"Carton {SSCC}. 1 carton"
    assert said(send(text="(3302)000250")) == "2.5 kg. 1 carton"
    assert said(send(text=f"(00){SECOND}(3302)000100")) == f"Carton {SECOND}. 1 kg. 2 cartons"
    assert said(send(text="(00)340123450000000024")).endswith("3 cartons")
    assert said(send("carton/", sscc="340123450000000024")) == "The carton is taken back. 2 cartons"
    first, second = _order(acme, 1), _order(acme, 2)
    assert send("ship/", order=first, weight="heavy").status_code == 422
    for _ in range(2):
        assert "has left by SH-000001. Pack SO-000002" in said(send("ship/", order=first, carrier="DHL", tracking_number="JD01"))
    with acme.scope():
        Organization.objects.update(gs1_company_prefix="4012345")
    assert "has left by SH-000002. PL-000001 is done" in said(send("ship/", order=second, weight="0,5"))
    with acme.scope():
        one, other = Shipment.objects.order_by("number")
        assert (one.status, one.carrier, one.tracking_number) == ("handed_over", "DHL", "JD01")
        assert sorted((parcel.unit.sscc, parcel.unit.weight) for parcel in one.parcels.all()) == [
            (SSCC, Decimal("2.5")), (SECOND, Decimal(1)),
        ]
        assert [parcel.unit.weight for parcel in other.parcels.all()] == [Decimal("0.5")]
        assert shop.goods.on_hand() == 3 and not [rows for _, rows in broken() if rows]


def test_a_shipment_that_is_begun_goes_first(acme: Company, send: Send) -> None:
    _picked_all(acme, send)
    with acme.scope():
        order = SalesOrder.objects.get(number="SO-000001")
        begun = shipment_create(order=order, parts=[Part(order.lines.order_by("line")[0].pk, Decimal(1))])
    assert f"{begun} is begun" in text(acme.admin.get(f"/admin/pick/{line(acme).pick_list_id}/"))
    assert "has left by SH-000001. Pack SO-000001" in said(send("ship/", order=order.pk))
    assert "has left by SH-000002. Pack SO-000002" in said(send("ship/", order=order.pk))
    with acme.scope():
        order.refresh_from_db()
        assert order.status == "shipped" and not [rows for _, rows in broken() if rows]


def test_what_is_held_is_passed_by_and_what_is_packed_stays(acme: Company, shop: Shop, send: Send) -> None:
    with acme.scope():
        sales_order_hold(order=SalesOrder.objects.get(number="SO-000001"))
    assert said(send(text="BOLT")) == "1 of BOLT from A-1. A-1: 2 of BOLT", "of the second order"
    send(f"line/?line={line(acme, 1).pk}", entry="+")
    assert "for orders that are held" in text(acme.admin.get(f"/admin/pick/{line(acme).pick_list_id}/"))
    with acme.scope():
        rows = PickList.objects.get()
        other = SalesOrder.objects.get(number="SO-000002")
        shipment_pack(shipment=shipment_create(order=other))
        with pytest.raises(Conflict):
            pick_list_put_back(pick_list=rows, line_id=line(acme, 1).pk)
    assert said(send("finish/")) == "Pack SO-000002", "which is packed, and is still to leave"
    assert said(send("ship/", order=_order(acme, 2))).startswith("SO-000002 has left by SH-000001.")


def test_an_order_leads_to_the_round_for_it(acme: Company, shop: Shop) -> None:
    """To the list that it is on, else to a new one; and says what stands in the way."""
    browser = acme.admin
    with acme.scope():
        listed = PickList.objects.get().pk
        fresh, cart = sales_order_place(order=shop.cart(bolts=1)), shop.cart()

    def pick(order: Any) -> Any:
        return browser.post(f"/admin/orders/salesorder/{order}/pick/")

    assert pick(_order(acme, 1)).headers["Location"] == f"/admin/pick/{listed}/"
    made = pick(fresh.pk).headers["Location"]
    assert made.startswith("/admin/pick/") and pick(fresh.pk).headers["Location"] == made and str(listed) not in made
    assert pick(cart.pk).status_code == 403
    with acme.scope():
        begun = pick_list_start(pick_list=PickList.objects.exclude(pk=listed).get())
        pick_list_finish(pick_list=pick_list_pick_rest(pick_list=begun))
    assert "change" in pick(fresh.pk).headers["Location"], "all of it is picked"


def test_who_may_not_pick_looks_and_a_scan_is_few_statements(acme: Company, send: Send) -> None:
    address = f"/admin/pick/{line(acme).pick_list_id}/"
    with acme.scope():
        north = Warehouse.objects.create(code="N", name="North")
        Location.objects.create(warehouse=north, code="N-1")
    shown = text(acme.admin_as(VIEWER).get(address))
    assert "BOLT" in shown and "It is not there" not in shown and 'name="entry"' not in shown
    assert acme.admin_as(VIEWER).post(f"{address}scan/", {"text": "BOLT", "id": "1"}).status_code == 403
    limited = limited_admin(acme, north)
    assert limited.get(address).status_code == 404 and limited.post(f"{address}scan/", {"text": "BOLT"}).status_code == 404
    assert acme.admin_as(MANAGER).get(address).status_code == 200
    assert acme.admin.get(f"/admin/pick/{uuid4()}/").status_code == 404
    send(text="BOLT")
    with statements() as asked:
        send(text="BOLT")
    assert len([one for one in asked if "orders_" in one or "inventory_" in one]) <= 12, asked

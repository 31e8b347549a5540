"""What is in a parcel or a pallet moves with it, and stays in it until somebody takes it out."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from core.errors import Conflict, DomainError
from core.invariants import broken
from inventory.gs1.meaning import sscc
from inventory.models import Location, LogisticUnit, LogisticUnitContent, StockItem, StockMove, Warehouse
from inventory.services.candidates import Wanted
from inventory.services.logistic_units import unit_create
from inventory.services.packing import unit_move, unit_pack, unit_unpack
from inventory.services.posting import Line
from inventory.services.reservations import Demand, Pick, stock_pick, stock_reserve
from inventory.services.reversal import stock_reverse
from inventory.services.stock import Circumstances, stock_issue
from tests.admin.pages import text
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.barcodes import ProductBarcodeFactory
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants
from tests.inventory.test_races import at_once
from tests.limited import limited_admin, limited_api

UNITS = "/api/v1/logistic-units/"
PALLET, PARCEL, OTHER, FOURTH = (sscc("5601234", number) for number in (1, 2, 3, 4))


class Pile:
    """Ten bolts on a shelf; a pallet there, and a parcel on it."""

    def __init__(self) -> None:
        self.goods = Goods.create()
        self.goods.receive(10)
        self.pallet = unit_create(sscc=PALLET, kind="pallet", location_id=self.goods.shelf.pk)
        self.parcel = unit_create(sscc=PARCEL, parent_id=self.pallet.pk)

    def pack(self, quantity: Any, unit: LogisticUnit | None = None, variant: Any = None, lot: UUID | None = None) -> None:
        line = Line((variant or self.goods.bolt).pk, Decimal(quantity), lot_id=lot)
        unit_pack(unit_id=(unit or self.parcel).pk, lines=[line])

    def numbers(self, location: Location | None = None) -> tuple[int, ...]:
        item = StockItem.objects.get(variant=self.goods.bolt, location=location or self.goods.shelf)
        return int(item.quantity), int(item.reserved), int(item.packed)


@pytest.fixture
def pile(acme: Company) -> Pile:
    with acme.scope():
        return Pile()


def test_a_pallet_moves_with_all_that_is_within(acme: Company, pile: Pile) -> None:
    goods, bolt = pile.goods, str(pile.goods.bolt.pk)
    with acme.scope():
        lot = goods.receive_lot(4, goods.tracked(), "L1")
        pump = goods.receive_lot(1, goods.tracked("serial", "PUMP"), "SN1")
    body = {"lines": [
        {"variant": bolt, "quantity": "2"}, {"variant": bolt, "quantity": "1"},
        {"variant": str(lot.variant_id), "quantity": "4", "lot_code": "L1"},
        {"variant": str(pump.variant_id), "quantity": "1", "lot": str(pump.pk)},
    ]}  # fmt: skip
    assert acme.api.send("post", f"{UNITS}{pile.parcel.pk}/pack/", body).status_code == 200
    acme.api.send("post", f"{UNITS}{pile.pallet.pk}/pack/", {"lines": [{"variant": bolt, "quantity": "5"}]})
    found = acme.api.get(f"{UNITS}{pile.pallet.pk}/contents/").json()
    assert [(one["depth"], one["sscc"], one["sku"], one["lot_code"], one["quantity"]) for one in found] == [
        (0, PALLET, "BOLT", None, "5.000000"), (1, PARCEL, "BOLT", None, "3.000000"), (1, PARCEL, "MILK", "L1", "4.000000"),
        (1, PARCEL, "PUMP", "SN1", "1.000000"),
    ]
    shown = acme.api.get(f"/api/v1/stock-items/?variant={bolt}").json()["results"][0]
    assert (shown["quantity"], shown["packed"], shown["available"]) == ("10.000000", "8.000000", "10.000000")
    move = {"location": str(goods.other_shelf.pk), "note": "To the front", "idempotency_key": "once"}
    moved = acme.api.send("post", f"{UNITS}{pile.pallet.pk}/move/", move)
    assert (moved.status_code, len(moved.json()["moves"])) == (201, 3)
    assert acme.api.send("post", f"{UNITS}{pile.pallet.pk}/move/", move).json()["replayed"] is True
    with acme.scope():
        assert (pile.numbers(), pile.numbers(goods.other_shelf)) == ((2, 0, 0), (8, 0, 8))
        assert set(LogisticUnit.objects.values_list("location", flat=True)) == {goods.other_shelf.pk}
        assert StockMove.objects.filter(document_id=pile.pallet.pk, note="To the front").count() == 3
        unit_move(unit_id=pile.parcel.pk, location_id=goods.shelf.pk)
        pile.parcel.refresh_from_db()
        assert (pile.parcel.parent_id, pile.numbers(), pile.numbers(goods.other_shelf)) == (None, (5, 0, 3), (5, 0, 5))
        assert_invariants()
    assert [one["sku"] for one in acme.api.get(f"{UNITS}{pile.pallet.pk}/contents/").json()] == ["BOLT"]


def test_what_is_packed_is_taken_out_first(acme: Company, pile: Pile) -> None:
    """Issues, moves, picks, counts and reversals take what is loose, and say what to unpack for the rest."""
    goods = pile.goods
    with acme.scope():
        pile.pack(6)
        refused = pytest.raises(Conflict, match=f"only 4 of BOLT at A-1, where 5 are needed: unpack {PARCEL} first")
        with refused as caught:
            goods.issue(5)
        assert caught.value.code == "goods_packed"
        done = stock_reserve(lines=[Wanted(goods.bolt.pk, goods.warehouse.pk, Decimal(9))], demand=Demand("test", uuid4()))
        for act in (
            lambda: stock_pick(picks=[Pick(done.reservations[0], Decimal(5))]),
            lambda: stock_reverse(moves=[StockMove.objects.get(kind="receipt").pk]),
        ):
            with pytest.raises(Conflict), transaction.atomic():
                act()
        stock_pick(picks=[Pick(done.reservations[0], Decimal(4))])
        assert pile.numbers() == (6, 5, 6)
        with pytest.raises(Conflict, match="only 0 of BOLT"):
            pile.pack(1)
        with pytest.raises(Conflict, match="unpack"):
            goods.adjust(counted="5")
        with pytest.raises(Conflict, match="available are only 1"):
            unit_move(unit_id=pile.pallet.pk, location_id=goods.other_shelf.pk)
        with pytest.raises(Conflict, match="there are 6 of variant"):
            unit_unpack(unit_id=pile.parcel.pk, lines=[Line(goods.bolt.pk, Decimal(7))])
        unit_unpack(unit_id=pile.parcel.pk, lines=[Line(goods.bolt.pk, Decimal(2))])
        stock_pick(picks=[Pick(done.reservations[0], Decimal(2))])
        unit_unpack(unit_id=pile.parcel.pk)
        goods.adjust(counted="3")
        assert (pile.numbers(), LogisticUnitContent.objects.count()) == ((3, 3, 0), 0)
        with pytest.raises(Conflict, match="is empty"):
            unit_unpack(unit_id=pile.parcel.pk)
        assert_invariants()


def test_a_move_of_a_unit_is_reversed_after_unpacking(acme: Company, pile: Pile) -> None:
    with acme.scope():
        pile.pack(6)
        moved = unit_move(unit_id=pile.pallet.pk, location_id=pile.goods.other_shelf.pk).moves
        with pytest.raises(Conflict, match=f"unpack {PARCEL} first"):
            stock_reverse(moves=moved)
        unit_unpack(unit_id=pile.parcel.pk)
        stock_reverse(moves=moved)
        assert (pile.numbers(), pile.numbers(pile.goods.other_shelf)) == ((10, 0, 0), (0, 0, 0))
        assert_invariants()


def test_where_stock_may_be_short_packed_goods_leave_too(acme: Company, pile: Pile) -> None:
    with acme.scope():
        Organization.objects.update(allow_negative_stock=True)
        pile.pack(6)
        pile.goods.issue(7)
        assert pile.numbers() == (3, 0, 6)
        with pytest.raises(Conflict):
            pile.pack(1)
        unit_move(unit_id=pile.pallet.pk, location_id=pile.goods.other_shelf.pk)
        assert (pile.numbers(), pile.numbers(pile.goods.other_shelf)) == ((-3, 0, 0), (6, 0, 6))
        assert_invariants()


def test_a_unit_stands_where_the_one_stands_that_it_is_on(acme: Company, pile: Pile) -> None:
    parcel, pallet, there = f"{UNITS}{pile.parcel.pk}/", f"{UNITS}{pile.pallet.pk}/", str(pile.goods.other_shelf.pk)
    assert acme.api.get(parcel).json()["location_code"] == "A-1"
    for url in (parcel, UNITS):
        body = {"sscc": OTHER, "parent": str(pile.pallet.pk), "location": there}
        assert pointers(assert_problem(acme.api.send("patch" if url == parcel else "post", url, body), 400)) == {"/location"}
    assert acme.api.send("patch", pallet, {"location": there}).status_code == 200
    assert acme.api.get(parcel).json()["location_code"] == "A-2"
    with acme.scope():
        pile.goods.move(5, to=pile.goods.other_shelf)
        pile.pack(5)
    for body in ({"location": str(pile.goods.shelf.pk)}, {"location": None}):
        assert_problem(acme.api.send("patch", pallet, body), 409, "unit_holds_goods")
    assert acme.api.send("patch", parcel, {"parent": None, "weight": "2.5"}).json()["location_code"] == "A-2"
    assert_problem(acme.api.send("delete", parcel), 409)
    with acme.scope():
        elsewhere = unit_create(sscc=OTHER, location_id=pile.goods.shelf.pk)
        assert_invariants()
    assert_problem(acme.api.send("patch", parcel, {"parent": str(elsewhere.pk)}), 409, "unit_holds_goods")
    assert_problem(acme.api.send("post", f"{pallet}move/", {"location": str(uuid4())}), 400)
    assert_problem(acme.api.send("post", f"{pallet}move/", {"location": there}), 400)


@pytest.mark.parametrize(("line", "status", "code"), [
    ({"quantity": "0"}, 400, "invalid"), ({"quantity": "11"}, 409, "insufficient_stock"),
    ({"quantity": "1", "lot_code": "?"}, 400, "not_tracked"),
    ({"quantity": "1", "variant": str(uuid4())}, 409, "insufficient_stock"),
])  # fmt: skip
def test_what_cannot_be_packed(line: dict[str, str], status: int, code: str, acme: Company, pile: Pile) -> None:
    body = {"lines": [{"variant": str(pile.goods.bolt.pk), **line}]}
    assert_problem(acme.api.send("post", f"{UNITS}{pile.parcel.pk}/pack/", body), status, code)
    with acme.scope():
        assert pile.numbers() == (10, 0, 0)


def test_a_unit_that_stands_nowhere_takes_nothing(acme: Company, pile: Pile) -> None:
    with acme.scope():
        nowhere = unit_create(sscc=OTHER)
        with pytest.raises(Conflict, match="stands nowhere"):
            pile.pack(1, nowhere)


def test_within_the_warehouses_of_a_role(acme: Company, pile: Pile) -> None:
    with acme.scope():
        shop = Warehouse.objects.create(code="SHOP", name="Shop")
        counter = Location.objects.create(warehouse=shop, code="COUNTER")
        pile.pack(2)
    here, there = limited_api(acme, pile.goods.warehouse), limited_api(acme, shop)
    url, pack = f"{UNITS}{pile.parcel.pk}/", {"lines": [{"variant": str(pile.goods.bolt.pk), "quantity": "1"}]}
    assert [there.get(f"{url}contents/").status_code, there.send("post", f"{url}pack/", pack).status_code] == [404, 404]
    assert here.send("post", f"{url}pack/", pack).status_code == 200
    assert_problem(here.send("post", f"{url}move/", {"location": str(counter.pk)}), 403, "outside_warehouses")
    reader = limited_api(acme, pile.goods.warehouse, limited="viewer")
    assert len(reader.get(f"{url}contents/").json()) == 1
    assert_problem(reader.send("post", f"{url}unpack/", {}), 403)


def test_in_the_admin(acme: Company, pile: Pile) -> None:
    """Goods are scanned one after the other, then the place; a box is as many pieces as its barcode says."""
    page, scan = f"/admin/inventory/logisticunit/{pile.parcel.pk}/", {"text": PARCEL, "id": uuid4().hex, "by": "scanner"}
    with acme.scope():
        ProductBarcodeFactory(variant=pile.goods.bolt, value="4006381333931", quantity=Decimal(4))
    assert "empty" in text(acme.admin.post("/admin/scan/", scan))
    for code, quantity in (("bolt", "1"), ("4006381333931", "1")):
        done = acme.admin.post(f"{page}pack/", {"code": code, "quantity": quantity, "lot": ""})
        assert (done.status_code, done["Location"]) == (302, f"{page}pack/")
    for form, words in (
        ({"code": "A-1", "quantity": "1"}, "A-1 is no goods"), ({"code": "BOLT", "quantity": "6"}, "only 5 of BOLT"),
        ({"code": "BOLT", "quantity": "1", "lot": "?"}, "is not tracked"), ({"code": "", "quantity": "x"}, "Enter a number"),
    ):
        assert words in text(acme.admin.post(f"{page}pack/", form))
    assert acme.admin.post(f"{page}unpack/", {"code": "BOLT", "quantity": "2"}).status_code == 302
    assert "BOLT" in text(acme.admin.post("/admin/scan/", {**scan, "id": uuid4().hex}))
    assert "3 packed" in text(acme.admin.get(f"/admin/stock/card/?variant={pile.goods.bolt.pk}"))
    assert "is no location" in text(acme.admin.post(f"{page}move/", {"code": "BOLT", "note": "", "token": str(uuid4())}))
    assert acme.admin.post(f"{page}move/", {"code": "a-2", "note": "", "token": str(uuid4())})["Location"] == f"{page}change/"
    shown = text(acme.admin.get(f"{page}change/"))
    assert "Bolt" in shown and "packed in it" in shown.lower()
    with acme.scope():
        assert (pile.numbers(), pile.numbers(pile.goods.other_shelf)) == ((7, 0, 0), (3, 0, 3))
        assert_invariants()
    assert limited_admin(acme, pile.goods.warehouse, limited="viewer").get(f"{page}pack/").status_code == 403


def test_the_tray_takes_what_is_loose(acme: Company, pile: Pile) -> None:
    with acme.scope():
        pile.pack(6)
        key = StockItem.objects.get(variant=pile.goods.bolt).pk
    client = acme.admin
    client.post("/admin/tray/put/", {"item": str(key)})
    client.post("/admin/tray/put-down/", {"location": str(pile.goods.other_shelf.pk), "id": uuid4().hex})
    with acme.scope():
        assert (pile.numbers(), pile.numbers(pile.goods.other_shelf)) == ((6, 0, 6), (4, 0, 0))
    assert "reserved, packed, or gone" in text(client.post("/admin/tray/put/", {"item": str(key)}))


def test_statements_do_not_grow_with_what_is_within(acme: Company, pile: Pile) -> None:
    goods, sent = pile.goods, []
    with acme.scope():
        goods.receive(10, variant=goods.nut)
        goods.receive(1, to=goods.other_shelf)
        goods.receive(1, variant=goods.nut, to=goods.other_shelf)
        for variants in ([goods.bolt], [goods.bolt, goods.nut]):
            with CaptureQueriesContext(connection) as queries:
                unit_pack(unit_id=pile.parcel.pk, lines=[Line(variant.pk, Decimal(2)) for variant in variants])
                unit_move(unit_id=pile.pallet.pk, location_id=goods.other_shelf.pk)
                unit_unpack(unit_id=pile.parcel.pk)
            sent.append(len(queries))
            unit_move(unit_id=pile.pallet.pk, location_id=goods.shelf.pk)
        assert sent[0] == sent[1]


def test_four_processes_pack_and_four_issue_what_there_is(new_company: Callable[[], Company]) -> None:
    """Of ten loose bolts, each takes two at a time until there are no more: none is in a parcel and sold as well."""
    company = new_company()
    with company.scope():
        pile = Pile()
        parcels = [unit_create(sscc=code, parent_id=pile.pallet.pk) for code in (OTHER, FOURTH)]

    def act(number: int) -> str:
        line, done = Line(pile.goods.bolt.pk, Decimal(2), from_location_id=pile.goods.shelf.pk), []
        for _ in range(3):
            try:
                with company.scope():
                    if number % 2:
                        unit_pack(unit_id=parcels[number % 4 // 2].pk, lines=[line])
                    else:
                        stock_issue(lines=[line], circumstances=Circumstances())
                    done.append("packed" if number % 2 else "issued")
            except DomainError as refused:
                done.append(refused.code)
        return ",".join(done)

    told = Counter(",".join(at_once(8, act)).split(","))
    assert told["packed"] + told["issued"] == 5
    assert told.keys() <= {"packed", "issued", "goods_packed", "insufficient_stock"}, told
    with company.scope():
        assert pile.numbers() == (10 - 2 * told["issued"], 0, 2 * told["packed"])
        assert [rows for _, rows in broken() if rows] == []


def test_a_pile_moves_while_it_is_packed(new_company: Callable[[], Company]) -> None:
    """To and fro by two processes, packed and unpacked by four: what is in it is always where it stands."""
    company = new_company()
    with company.scope():
        pile = Pile()
        pile.goods.receive(50)
        pile.goods.receive(50, to=pile.goods.other_shelf)

    def act(number: int) -> str:
        told = []
        for step in range(8):
            try:
                with company.scope():
                    if number < 2:
                        to = (pile.goods.shelf, pile.goods.other_shelf)[(number + step) % 2]
                        unit_move(unit_id=pile.pallet.pk, location_id=to.pk)
                    elif (number + step) % 2:
                        pile.pack(2, (pile.parcel, pile.pallet)[number % 2])
                    else:
                        unit_unpack(unit_id=pile.parcel.pk, lines=[Line(pile.goods.bolt.pk, Decimal(1))])
                told.append("done")
            except DomainError as refused:
                told.append(refused.code)
        return ",".join(told)

    told = Counter(",".join(at_once(6, act)).split(","))
    assert told.keys() <= {"done", "invalid", "goods_packed", "more_than_is_packed"} and told["done"] > 6, told
    with company.scope():
        assert pile.numbers()[0] + pile.numbers(pile.goods.other_shelf)[0] == 110
        assert [rows for _, rows in broken() if rows] == []

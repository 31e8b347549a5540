"""Goods go from one warehouse to another, and are in transit between."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict, Invalid
from inventory.models import (
    CostLayer,
    Location,
    Lot,
    ProductVariant,
    ReasonCode,
    Reservation,
    StockItem,
    StockMove,
    TransferOrder,
    Warehouse,
)
from inventory.queries.transfers import in_transit, incoming
from inventory.services.candidates import Wanted
from inventory.services.counts import Selection, stock_count_open
from inventory.services.locations import location_change
from inventory.services.posting import Line
from inventory.services.reservations import Demand, Shortage, stock_reserve
from inventory.services.reversal import document_reverse
from inventory.services.stock import Adjustment, Circumstances, Document, stock_adjust, stock_issue, stock_move
from inventory.services.transfer_moves import (
    Part,
    transfer_order_close,
    transfer_order_receive,
    transfer_order_ship,
    transfer_order_take_back,
)
from inventory.services.transfers import (
    TransferLine,
    transfer_order_cancel,
    transfer_order_change,
    transfer_order_confirm,
    transfer_order_create,
)
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_posting import assert_invariants
from tests.inventory.transfers import Two, places, quantities


def parts(order: TransferOrder, *quantities: Any, **values: Any) -> list[Part]:
    """One of each line, in their order."""
    lines = order.lines.order_by("line")
    return [Part(line.pk, Decimal(quantity), **values) for line, quantity in zip(lines, quantities, strict=True)]


def test_confirmed_shipped_and_received(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = two.order((two.goods.bolt, 4))
        assert (order.number, order.status, places(two.goods.bolt)) == ("TO-000001", "draft", {"A-1": (10, 0)})
        order = transfer_order_confirm(order=order)
        assert (order.status, places(two.goods.bolt)) == ("confirmed", {"A-1": (10, 4)})
        assert incoming(variants=[two.goods.bolt.pk]) == {(two.goods.bolt.pk, two.shop.pk): 4}
        order = transfer_order_ship(order=order)
        assert (order.status, places(two.goods.bolt)) == ("shipped", {"A-1": (6, 0), "SHOP": (4, 0)})
        item = StockItem.objects.get(location=order.transit_location)
        assert (item.warehouse.kind, item.location.kind, item.quantity) == ("transit", "transit", Decimal(4))
        assert_invariants()
        order = transfer_order_receive(order=order)
        assert (order.status, places(two.goods.bolt)) == ("completed", {"A-1": (6, 0), "COUNTER": (4, 0)})
        assert (quantities(order), incoming()) == ([(4, 4, 4, 0, 0)], {})
        assert_invariants()
        types = [f"transfer_order.{one}" for one in ("shipped", "received", "closed")]
        told = OutboxEvent.objects.filter(type__in=types).order_by("seq")
        assert [one.type for one in told] == types
        assert [one.payload["status"] for one in told] == ["shipped", "completed", "completed"]


def test_in_parts(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        two.goods.receive(10, variant=two.goods.nut)
        order = transfer_order_confirm(order=two.order((two.goods.bolt, 4), (two.goods.nut, 6)))
        order = transfer_order_ship(order=order, lines=parts(order, 4, 1))
        assert (order.status, places(two.goods.nut)) == ("partly_shipped", {"A-1": (9, 5), "SHOP": (1, 0)})
        order = transfer_order_receive(order=order)
        assert (order.status, quantities(order)) == ("partly_shipped", [(4, 4, 4, 0, 0), (6, 1, 1, 0, 0)])
        order = transfer_order_ship(order=order)
        order = transfer_order_receive(order=order, lines=[Part(order.lines.get(line=2).pk, Decimal(3))], location=two.counter)
        assert (order.status, quantities(order)[1]) == ("shipped", (6, 6, 4, 0, 0))
        assert incoming() == {(two.goods.nut.pk, two.shop.pk): 2}
        assert_invariants()
        assert transfer_order_receive(order=order).status == "completed"


@pytest.mark.parametrize("wanted", [Decimal(5), Decimal(-1), Decimal(0)])
def test_never_more_than_is_left(wanted: Decimal, acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = two.order((two.goods.bolt, 4))
        for verb in (transfer_order_ship, transfer_order_receive):
            with pytest.raises(Conflict if wanted > 0 else Invalid), transaction.atomic():
                verb(order=order, lines=parts(order, wanted))
            transfer_order_ship(order=order) if verb is transfer_order_ship else None
        assert quantities(order) == [(4, 4, 0, 0, 0)]


def test_what_is_short_is_refused_or_waits(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(3)
        order = two.order((two.goods.bolt, 5))
        for verb in (transfer_order_confirm, transfer_order_ship):
            with pytest.raises(Conflict, match="2 of the 5 wanted"), transaction.atomic():
                verb(order=order)
        order = transfer_order_confirm(order=order, shortage=Shortage.BACKORDER)
        assert places(two.goods.bolt) == {"A-1": (3, 3)}
        with pytest.raises(Conflict, match="cannot be had"), transaction.atomic():
            transfer_order_ship(order=order)
        order = transfer_order_ship(order=order, lines=parts(order, 3))
        two.goods.receive(9)
        order = transfer_order_ship(order=order)
        assert (order.status, places(two.goods.bolt)) == ("shipped", {"A-1": (7, 0), "SHOP": (5, 0)})
        assert not Reservation.objects.filter(status="active").exists()
        assert_invariants()


def test_what_others_reserve_in_its_name_is_not_shipped_for_it(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        two.goods.receive(10, variant=two.goods.nut)
        order = transfer_order_confirm(order=two.order((two.goods.bolt, 4)))
        for line_id in (order.lines.get().pk, uuid4(), None):
            wanted = Wanted(two.goods.nut.pk, two.goods.warehouse.pk, Decimal(1), demand_line_id=line_id)
            stock_reserve(lines=[wanted], demand=Demand("transfer_order", order.pk))
        transfer_order_ship(order=order)
        assert places(two.goods.bolt) == {"A-1": (6, 0), "SHOP": (4, 0)}
        assert places(two.goods.nut) == {"A-1": (10, 2)}, "what was held for its line is free again"


def test_lots_travel_first_expired_first(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        milk = two.goods.tracked()
        late = two.goods.receive_lot(5, milk, "LATE", expires_on=date(2099, 9, 9))
        early = two.goods.receive_lot(5, milk, "EARLY", expires_on=date(2098, 8, 8))
        order = transfer_order_ship(order=two.order((milk, 7)))
        assert {(one.lot_id, one.quantity) for one in in_transit(order)} == {(early.pk, Decimal(5)), (late.pk, Decimal(2))}
        order = transfer_order_receive(order=order, lines=parts(order, 1, lot_id=late.pk))
        order = transfer_order_receive(order=order, lines=parts(order, 4))
        assert [(one.lot_id, one.quantity) for one in in_transit(order)] == [(early.pk, Decimal(1)), (late.pk, Decimal(1))]
        with pytest.raises(Conflict, match="Of this lot less"), transaction.atomic():
            transfer_order_receive(order=order, lines=parts(order, 2, lot_id=late.pk))
        transfer_order_receive(order=order)
        there = StockItem.objects.filter(location=two.counter).values_list("lot__code", "quantity")
        assert set(there) == {("EARLY", 5), ("LATE", 2)}
        assert_invariants()


def test_who_ships_takes_another_serial_number_than_was_reserved(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        pump = two.goods.tracked("serial", "PUMP")
        numbers = {code: two.goods.receive_lot(1, pump, code) for code in ("S1", "S2", "S3")}
        order = transfer_order_confirm(order=two.order((pump, 2)))
        order = transfer_order_ship(order=order, lines=parts(order, 1, lot_id=numbers["S3"].pk))
        assert [one.lot_id for one in in_transit(order)] == [numbers["S3"].pk]
        held = Reservation.objects.filter(status="active")
        assert sum(one.quantity - one.picked_quantity for one in held) == 1
        order = transfer_order_ship(order=order)
        transfer_order_receive(order=order)
        assert set(StockItem.objects.filter(location=two.counter, quantity=1).values_list("lot__code", flat=True)) == {"S1", "S3"}
        assert_invariants()


def test_canceled_taken_back_and_closed(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(20)
        order = transfer_order_confirm(order=two.order((two.goods.bolt, 10)))
        order = transfer_order_ship(order=order, lines=parts(order, 6))
        order = transfer_order_take_back(order=order, lines=parts(order, 2), location=two.goods.other_shelf)
        assert quantities(order) == [(10, 4, 0, 0, 0)]
        assert places(two.goods.bolt) == {"A-1": (14, 4), "A-2": (2, 0), "SHOP": (4, 0)}
        order = transfer_order_cancel(order=order)
        assert (order.status, quantities(order), places(two.goods.bolt)["A-1"]) == ("shipped", [(10, 4, 0, 0, 6)], (14, 0))
        order = transfer_order_receive(order=order, lines=parts(order, 3))
        with pytest.raises(Invalid, match="Say why"), transaction.atomic():
            transfer_order_close(order=order, circumstances=Circumstances())
        assert_invariants()
        order = transfer_order_close(order=order, circumstances=Circumstances(reason_id=two.goods.found.pk, note="Fell off"))
        assert (order.status, quantities(order)) == ("completed", [(10, 4, 3, 1, 6)])
        assert places(two.goods.bolt) == {"A-1": (14, 0), "A-2": (2, 0), "COUNTER": (3, 0)}
        lost = StockMove.objects.latest("seq")
        assert (lost.kind, lost.quantity, lost.document_id) == ("adjustment", 1, order.pk)
        assert OutboxEvent.objects.get(type="transfer_order.closed").payload["lost"] == 1
        assert_invariants()
        draft = transfer_order_cancel(order=two.order((two.goods.bolt, 1)))
        assert (draft.status, quantities(draft)) == ("cancelled", [(1, 0, 0, 0, 1)])
        for verb in (transfer_order_cancel, transfer_order_confirm, transfer_order_ship, transfer_order_receive):
            with pytest.raises(Conflict, match="is cancelled: only one that is"), transaction.atomic():
                verb(order=draft)


def test_a_large_loss_is_not_written_off_without_approval(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(9)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 9)))
        ReasonCode.objects.filter(pk=two.goods.found.pk).update(approval_over_quantity=5)
        circumstances = Circumstances(reason_id=two.goods.found.pk)
        with pytest.raises(Conflict, match="over the limit"), transaction.atomic():
            transfer_order_close(order=order, circumstances=circumstances)
        transfer_order_receive(order=order, lines=parts(order, 4))
        assert transfer_order_close(order=order, circumstances=circumstances).status == "completed"


def test_goods_in_transit_move_by_their_order_alone(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 4)))
        bolt, way, shelf = two.goods.bolt.pk, order.transit_location_id, two.goods.shelf.pk
        assert way
        found = Circumstances(reason_id=two.goods.found.pk)
        attempts: list[Callable[[], Any]] = [
            lambda: stock_issue(lines=[Line(bolt, Decimal(1), from_location_id=way)]),
            lambda: stock_move(lines=[Line(bolt, Decimal(1), from_location_id=shelf, to_location_id=way)]),
            lambda: document_reverse(document=Document("transfer_order", order.pk)),
            lambda: stock_adjust(adjustments=[Adjustment(bolt, way, counted=Decimal(0))], circumstances=found),
        ]
        attempts.append(lambda: location_change(location=Location.objects.get(pk=way), kind="quarantine"))
        for attempt in attempts:
            with pytest.raises(Conflict, match="in transit"), transaction.atomic():
                attempt()
        assert_invariants()


def test_a_repeated_key_ships_once(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = two.order((two.goods.bolt, 4))
        for _ in range(2):
            order = transfer_order_ship(
                order=order, lines=parts(order, 1), circumstances=Circumstances(idempotency_key="truck 7, stop 1"),
            )
        assert quantities(order) == [(4, 1, 0, 0, 0)]


def test_a_draft_may_change_and_no_other(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = two.order((two.goods.bolt, 4))
        lines = [TransferLine(two.goods.bolt.pk, Decimal(2), from_location_id=two.goods.shelf.pk)]
        order = transfer_order_change(order=order, lines=lines, note="Half of it")
        assert (order.note, order.revision, quantities(order)) == ("Half of it", 1, [(2, 0, 0, 0, 0)])
        with pytest.raises(Invalid, match="no such location"), transaction.atomic():
            transfer_order_change(order=order, source_id=two.shop.pk, destination_id=two.goods.warehouse.pk)
        order = transfer_order_confirm(order=order)
        assert transfer_order_change(order=order, note="Soon").note == "Soon"
        for values in ({"lines": lines}, {"destination_id": two.goods.warehouse.pk}):
            with pytest.raises(Conflict, match="its warehouses and lines stay"), transaction.atomic():
                transfer_order_change(order=order, **values)


def test_what_an_order_cannot_be(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        transit = Warehouse.objects.create(code="TRUCKS", name="Trucks", kind="transit")
        other = Lot.objects.create(variant=two.goods.nut, code="N-1")
        bolt, main = two.goods.bolt.pk, two.goods.warehouse
        elsewhere = TransferLine(bolt, Decimal(1), from_location_id=two.counter.pk)
        for values, words in (
            ({"destination": transit}, "for goods in transit"), ({"to_location": two.goods.shelf}, "where the goods go"),
            ({"lines": [TransferLine(bolt, Decimal(0))]}, "above zero"), ({"lines": [elsewhere]}, "come from"),
            ({"lines": [TransferLine(bolt, Decimal(1), other.pk)]}, "no such lot"),
        ):
            with pytest.raises(Invalid, match=words), transaction.atomic():
                transfer_order_create(**{"source": main, "destination": two.shop, **values})
        with pytest.raises(Invalid, match="no lines"), transaction.atomic():
            transfer_order_confirm(order=two.order())
        two.goods.receive(1)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 1)))
        assert Location.objects.get(pk=order.transit_location_id).warehouse == transit, "the organization's own is taken"
        with pytest.raises(Invalid, match="where the goods go"), transaction.atomic():
            transfer_order_receive(order=order, location=two.goods.shelf)


def test_costs_as_many_statements_however_many_lines(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        variants = [two.goods.bolt, *ProductVariantFactory.create_batch(19, product=two.goods.bolt.product)]
        for variant in variants:
            two.goods.receive(10, variant=variant)

        def sent(*chosen: ProductVariant) -> list[int]:
            order, counts = two.order(*((variant, 1) for variant in chosen)), []
            for verb in (transfer_order_confirm, transfer_order_ship, transfer_order_receive):
                with CaptureQueriesContext(connection) as queries:
                    order = verb(order=order)
                counts.append(len(queries))
            return counts

        sent(*variants)  # makes the places that are missing
        assert sent(*variants) == sent(variants[0])


def test_the_value_goes_along(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 4)))
        assert values() == {"W1": Decimal(15), "TRANSIT": Decimal(10)}
        transfer_order_receive(order=order)
        assert values() == {"W1": Decimal(15), "SHOP": Decimal(10)}


def values() -> dict[str, Decimal]:
    rows = CostLayer.objects.exclude(value=0).values_list("warehouse__code", "value")
    found: dict[str, Decimal] = {}
    for code, value in rows:
        found[code] = found.get(code, Decimal(0)) + value
    return found


def test_goods_in_transit_are_neither_counted_nor_missed(acme: Company) -> None:
    """What has come through is not out of stock on the way."""
    with acme.scope():
        two = Two.create()
        two.goods.receive(5)
        order = two.order((two.goods.bolt, 5))
        transfer_order_ship(order=order)
        order.refresh_from_db()
        transit = Warehouse.objects.get(kind="transit")
        with pytest.raises(Conflict, match="Nobody counts goods in transit"), transaction.atomic():
            stock_count_open(selection=Selection(transit.pk))
        transfer_order_receive(order=order)
    for report, where in (("shortages", ["W1"]), ("stock-outs", ["SHOP", "W1"])):
        found = acme.api.get(f"/api/v1/analytics/{report}/").json()["results"]
        assert (report, sorted(row["warehouse_code"] for row in found)) == (report, where)

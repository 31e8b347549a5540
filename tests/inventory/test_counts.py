"""Counting while goods keep moving: the difference is what was wrong, whatever happens meanwhile."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.permissions import MANAGER
from core.errors import Conflict, DomainError, Forbidden, Invalid
from inventory.models import Category, Location, ProductVariant, ReasonCode, StockCountLine, StockItem, StockMove
from inventory.queries.counts import differences, lines_window, sheet, totals
from inventory.services.count_posting import Rest, stock_count_approve, stock_count_post, stock_count_reject
from inventory.services.counts import Counted, Terms, stock_count_cancel, stock_count_record, stock_count_recount
from inventory.services.posting import Line, LotCode
from inventory.services.reversal import document_reverse, stock_reverse
from inventory.services.stock import Circumstances, Document, stock_issue, stock_receive
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.inventory.counting import opened, record
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants


def test_moves_made_after_a_line_was_counted_change_nothing(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        count = opened(goods, location_id=goods.shelf.pk)
        record(count, goods, 18)
        goods.issue(5)
        goods.receive(7)
        goods.move(4, to=goods.other_shelf)
        [row] = differences(count)
        assert (row["book"], row["difference"], row["moves_since"], row["moved_since"]) == (20, -2, 3, -2)
        posted = stock_count_post(count_id=count.pk)
        line = StockCountLine.objects.get()
        assert (posted.status, goods.on_hand(), line.book, line.difference) == ("posted", 16, 20, -2)
        move = StockMove.objects.latest("seq")
        assert (move.kind, move.quantity, move.from_location_id) == ("adjustment", 2, goods.shelf.pk)
        assert move.reason_id == count.reason_id
        assert (move.document_type, move.document_id, move.document_line_id) == ("stock_count", count.pk, line.pk)
        told = OutboxEvent.objects.get(type="stock_count.posted").payload
        assert (told["moves"], told["differing"], told["value"]) == ([str(move.pk)], 1, -5.0)
        assert_invariants()


def test_what_is_booked_late_had_happened_before(acme: Company) -> None:
    """It left the shelf before somebody counted, and was typed afterwards."""
    with acme.scope():
        goods = Goods.create()
        counted_at = timezone.now() - timedelta(minutes=10)
        goods.receive(20, occurred_at=counted_at - timedelta(hours=1))
        count = opened(goods)
        record(count, goods, 15, counted_at=counted_at)
        goods.issue(5, occurred_at=counted_at - timedelta(minutes=1))
        goods.issue(2, occurred_at=counted_at + timedelta(minutes=1))
        stock_count_post(count_id=count.pk)
        assert goods.on_hand() == 13


def test_a_sheet_on_paper_is_of_the_time_when_it_was_counted(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20, occurred_at=timezone.now() - timedelta(hours=2))
        count, hour = opened(goods), timezone.now() - timedelta(hours=1)
        goods.issue(5)
        record(count, goods, 19, counted_at=hour)
        assert differences(count)[0]["difference"] == -1
        with pytest.raises(Invalid, match="future"), transaction.atomic():
            record(count, goods, 19, counted_at=timezone.now() + timedelta(hours=1))


def test_a_reversed_mistake_and_another_count_are_no_moves_of_goods(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        mistake = goods.receive(5)
        first, second = opened(goods), opened(goods)
        record(first, goods, 9)
        record(second, goods, 9)
        stock_reverse(moves=mistake.moves)
        stock_count_post(count_id=first.pk)
        assert goods.on_hand() == 9
        stock_count_post(count_id=second.pk)
        assert (goods.on_hand(), StockCountLine.objects.get(count=second).difference) == (9, 0)
        document_reverse(document=Document("stock_count", first.pk))
        assert goods.on_hand() == 10
        assert_invariants()


def test_unexpected_goods_lots_and_serial_numbers(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk, pump = goods.tracked(), goods.tracked("serial", "PUMP")
        goods.receive_lot(4, milk, "L-1")
        for code, place in (("S-1", goods.shelf), ("S-2", goods.shelf), ("S-3", goods.other_shelf)):
            goods.receive_lot(1, pump, code, to=place)
        count = opened(goods, location_id=goods.shelf.pk)
        window = lines_window(50, None)
        assert [row["lot_code"] for row in sheet(count, window).rows] == ["L-1"]  # nobody reads serial numbers from a list
        record(count, goods, 3, milk, lot=LotCode("L-1"))
        assert record(count, goods, 2, milk, lot=LotCode("L-9")).is_found
        assert record(count, goods, 6, goods.nut).is_found
        for code in ("S-1", "S-3", "S-4"):
            record(count, goods, 1, pump, lot=LotCode(code))
        with pytest.raises(Invalid, match="one piece"), transaction.atomic():
            record(count, goods, 2, pump, lot=LotCode("S-1"))
        with pytest.raises(Conflict, match="1 lines are not counted"), transaction.atomic():
            stock_count_post(count_id=count.pk)
        stock_count_post(count_id=count.pk, rest=Rest.ZERO)
        held = StockItem.objects.exclude(quantity=0).order_by("variant__sku", "lot__code")
        assert list(held.values_list("variant__sku", "lot__code", "location__code", "quantity")) == [
            ("MILK", "L-1", "A-1", 3), ("MILK", "L-9", "A-1", 2), ("NUT", None, "A-1", 6),
            ("PUMP", "S-1", "A-1", 1), ("PUMP", "S-3", "A-1", 1), ("PUMP", "S-4", "A-1", 1),
        ]
        assert StockMove.objects.get(kind="move").lot.code == "S-3"  # it lay elsewhere by the books
        assert_invariants()


def test_a_serial_number_is_not_in_two_places(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        pump = goods.tracked("serial", "PUMP")
        goods.receive_lot(1, pump, "S-1")
        count = opened(goods)
        record(count, goods, 1, pump, lot=LotCode("S-1"))
        record(count, goods, 1, pump, lot=LotCode("S-1"), location_id=goods.other_shelf.pk)
        with pytest.raises(Conflict, match="counted in two places"), transaction.atomic():
            stock_count_post(count_id=count.pk)
        record(count, goods, 0, pump, lot=LotCode("S-1"))
        stock_count_post(count_id=count.pk)
        assert StockItem.objects.get(variant=pump, quantity=1).location_id == goods.other_shelf.pk
        assert_invariants()


@pytest.mark.parametrize(("terms", "fine", "off"), [
    ({"tolerance_quantity": Decimal(2)}, 18, 17), ({"tolerance_percent": Decimal(10)}, 22, 23),
    ({"tolerance_quantity": Decimal(5), "tolerance_percent": Decimal(10)}, 18, 16),
])
def test_above_tolerance_it_is_counted_again(terms: dict[str, Any], fine: int, off: int, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        count = opened(goods, Terms(**terms))
        record(count, goods, fine)
        assert totals(count).above == 0
        record(count, goods, off)
        with pytest.raises(Conflict, match="differ by more"), transaction.atomic():
            stock_count_post(count_id=count.pk)
        assert stock_count_recount(count_id=count.pk) == 1
        [row] = sheet(count, lines_window(50, None), "left").rows
        assert (row["counted"], row["counted_before"], row["recounts"]) == (None, off, 1)
        record(count, goods, off)
        stock_count_post(count_id=count.pk)
        assert goods.on_hand() == off


def test_somebody_else_approves_what_is_over_the_limit(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(20)
        goods.receive(20, variant=goods.nut)
        ReasonCode.objects.filter(code="COUNT").update(approval_over_quantity=3)
        count = opened(goods)
        record(count, goods, 10)
        record(count, goods, 19, goods.nut)
        assert stock_count_post(count_id=count.pk).status == "pending"
        assert (goods.on_hand(), goods.on_hand(goods.nut)) == (20, 19)
        goods.issue(4)
        with pytest.raises(Forbidden, match="Somebody else"), transaction.atomic():
            stock_count_approve(count_id=count.pk)
        with pytest.raises(Conflict, match="pending"), transaction.atomic():
            record(count, goods, 3)
    with acme.scope(actor_id=acme.members[MANAGER].user.pk):
        stock_count_reject(count_id=count.pk, note="Look behind the pallet")
        with pytest.raises(Conflict, match="posted already"), transaction.atomic():
            record(count, goods, 3, goods.nut)
        with pytest.raises(Conflict, match="leave out the rest"), transaction.atomic():
            stock_count_cancel(count_id=count.pk)
        record(count, goods, 6)
        assert stock_count_post(count_id=count.pk).status == "pending"
    with acme.scope():
        stock_count_approve(count_id=count.pk)
        assert goods.on_hand() == 6
        told = OutboxEvent.objects.filter(type="stock_count.decided").order_by("seq")
        assert [event.payload["decision"] for event in told] == ["rejected", "approved"]
        assert_invariants()


def test_what_a_difference_is_worth_without_a_standard_cost(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        ProductVariant.objects.filter(pk=goods.bolt.pk).update(standard_cost=0)
        stock_receive(lines=[Line(goods.bolt.pk, Decimal(20), to_location_id=goods.shelf.pk, unit_cost=Decimal(3))])
        ReasonCode.objects.filter(code="COUNT").update(approval_over_value=10)
        count = opened(goods)
        record(count, goods, 16)
        assert totals(count).value == -12
        assert stock_count_post(count_id=count.pk).status == "pending"


def test_what_is_selected(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        deep = Location.objects.create(warehouse=goods.warehouse, code="A-1-1", parent=goods.shelf)
        goods.receive(1)
        goods.receive(1, to=deep)
        goods.receive(1, variant=goods.nut, to=goods.other_shelf)
        goods.receive(1, variant=goods.nut)
        goods.issue(1, variant=goods.nut)  # nothing left here: not on the sheet
        root = Category.objects.create(name="Steel", slug="steel")
        leaf = Category.objects.create(name="Screws", slug="screws", parent=root)
        milk = goods.tracked()
        milk.product.category = leaf
        milk.product.save(update_fields=["category"])
        milk.abc_class = "A"
        milk.save(update_fields=["abc_class"])
        goods.receive_lot(1, milk, "L-1")

        def lines(**selection: Any) -> list[tuple[str, str]]:
            count = opened(goods, **selection)
            return list(count.lines.order_by("line").values_list("location__code", "variant__sku"))

        assert lines() == [("A-1", "BOLT"), ("A-1", "MILK"), ("A-1-1", "BOLT"), ("A-2", "NUT")]
        assert lines(location_id=goods.shelf.pk) == [("A-1", "BOLT"), ("A-1", "MILK"), ("A-1-1", "BOLT")]
        assert lines(category_id=root.pk) == lines(abc_class="A") == [("A-1", "MILK")]
        assert lines(location_id=goods.quarantine.pk) == []
        with pytest.raises(Conflict, match="nothing to count"), transaction.atomic():
            lines(abc_class="B")


def test_outside_of_the_count_nothing_is_counted(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        count = opened(goods, location_id=goods.shelf.pk)
        refused: list[tuple[dict[str, Any], str]] = [
            ({"location_id": goods.other_shelf.pk}, "not one of those"), ({"quantity": -1}, "less than nothing"),
            ({"variant": goods.tracked()}, "say which"), ({"lot": LotCode("L-1")}, "BOLT is not tracked"),
        ]
        for values, words in refused:
            with pytest.raises(DomainError, match=words), transaction.atomic():
                record(count, goods, values.pop("quantity", 1), **values)
        twice = Counted(Decimal(1), variant_id=goods.bolt.pk)
        with pytest.raises(Invalid, match="twice"), transaction.atomic():
            stock_count_record(count_id=count.pk, lines=[twice, twice])
        stock_count_cancel(count_id=count.pk)
        with pytest.raises(Conflict, match="cancelled"), transaction.atomic():
            record(count, goods, 1)


def test_more_leaves_after_a_count_than_it_found(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5)
        count = opened(goods)
        record(count, goods, 0)
        stock_issue(lines=[Line(goods.bolt.pk, Decimal(1), from_location_id=goods.shelf.pk)], circumstances=Circumstances())
        with pytest.raises(Conflict, match="not enough"), transaction.atomic():
            stock_count_post(count_id=count.pk)

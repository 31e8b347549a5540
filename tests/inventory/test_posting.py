"""Goods come, go, move and are corrected; the ledger and the balances agree whatever happens."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Organization
from core.errors import Conflict, Invalid
from core.invariants import broken
from inventory.models import Location, ProductVariant, StockItem, StockMove, Warehouse
from inventory.services.locations import location_change
from inventory.services.posting import Line
from inventory.services.reversal import stock_reverse
from inventory.services.stock import (
    Adjustment,
    Circumstances,
    stock_adjust,
    stock_assemble,
    stock_issue,
    stock_move,
    stock_receive,
)
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.inventory.goods import Goods


def assert_invariants() -> None:
    assert {invariant.name: rows for invariant, rows in broken() if rows} == {}


def test_goods_come_go_and_move(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        goods.issue(3)
        posted = goods.move("2.5", to=goods.other_shelf)
        assert (goods.on_hand(), goods.on_hand(location=goods.other_shelf)) == (Decimal("4.5"), Decimal("2.5"))
        assert {balance["quantity"] for balance in posted.balances} == {"4.500000", "2.500000"}
        moves = StockMove.objects.order_by("seq")
        assert [(move.kind, move.quantity) for move in moves] == [("receipt", 10), ("issue", 3), ("move", Decimal("2.5"))]
        assert {move.actor_id for move in moves} == {acme.user.pk}
        assert_invariants()


def test_a_posting_of_many_lines_is_all_or_nothing(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        goods.receive(1, variant=goods.nut)
        lines = [Line(variant.pk, Decimal(2), from_location_id=goods.shelf.pk) for variant in (goods.bolt, goods.nut)]
        with pytest.raises(Conflict, match="only 1 of NUT at A-1, where 2 are needed"):
            stock_issue(lines=lines)
        assert (goods.on_hand(), goods.on_hand(goods.nut)) == (10, 1)
        assert StockMove.objects.count() == 2


def test_lines_of_one_place_add_up(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(3)
        twice = [Line(goods.bolt.pk, Decimal(2), from_location_id=goods.shelf.pk)] * 2
        with pytest.raises(Conflict, match="only 3"):
            stock_issue(lines=twice)
        goods.receive(1)
        assert len(stock_issue(lines=twice).moves) == 2
        assert goods.on_hand() == 0
        assert_invariants()


def test_reserved_goods_do_not_leave(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5)
        StockItem.objects.update(reserved=4)
        with pytest.raises(Conflict, match="only 1"):
            goods.issue(2)
        goods.issue(1)
        assert StockItem.objects.get().available == 0


@pytest.mark.parametrize(("values", "after", "kind"), [
    ({"change": "-4"}, 6, ("adjustment", 4)), ({"change": "2"}, 12, ("adjustment", 2)), ({"counted": "7"}, 7, ("adjustment", 3)),
])
def test_adjusting_by_change_or_count(values: dict[str, str], after: int, kind: tuple[str, int], acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        goods.adjust(**values)
        assert goods.on_hand() == after
        move = StockMove.objects.latest("seq")
        assert ((move.kind, move.quantity), move.reason) == (kind, goods.found)
        assert_invariants()


def test_counting_what_is_booked_writes_nothing(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        assert goods.adjust(counted="10").moves == []
        assert StockMove.objects.count() == 1


def test_a_count_against_an_older_balance_is_refused(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        with pytest.raises(Conflict, match="The balance is 10 by now, not 12"):
            goods.adjust(counted="9", expected="12")
        assert goods.on_hand() == 10


def wrong(**values: Any) -> Any:
    def post(goods: Goods) -> Any:
        line = {"quantity": Decimal(1), "to_location_id": goods.shelf.pk, **values}
        return stock_receive(lines=[Line(goods.bolt.pk, **line)])
    return post


@pytest.mark.parametrize(("post", "field"), [
    (wrong(quantity=Decimal(0)), "quantity"),
    (wrong(quantity=Decimal(-1)), "quantity"),
    (wrong(to_location_id=None), "to_location"),
    (wrong(to_location_id=uuid4()), "location"),
    (lambda goods: stock_receive(lines=[]), "lines"),
    (lambda goods: goods.receive(1, occurred_at=timezone.now() + timedelta(minutes=5)), "occurred_at"),
    (lambda goods: goods.move(1, to=goods.shelf), "to_location"),
    (lambda goods: goods.adjust(change="0"), "change"),
    (lambda goods: goods.adjust(change="1", counted="1"), "change"),
    (lambda goods: goods.adjust(counted="-1"), "counted"),
    (lambda goods: goods.adjust(reason=goods.damaged, note=" ", change="1"), "note"),
    (lambda goods: goods.receive(1, reason_id=goods.found.pk), "reason"),
    (lambda goods: stock_adjust(
        adjustments=[Adjustment(goods.bolt.pk, goods.shelf.pk, change=Decimal(1))], circumstances=Circumstances()), "reason"),
])
def test_refuses_with_the_field(post: Any, field: str, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        with pytest.raises(Invalid) as refused, transaction.atomic():
            post(goods)
        assert list(refused.value.fields) == [field]
        assert not StockMove.objects.exists()


def test_one_key_posts_once(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        first = goods.receive(10, idempotency_key="delivery 7")
        again = goods.receive(10, idempotency_key="delivery 7")
        assert (again.replayed, again.moves, goods.on_hand()) == (True, first.moves, 10)
        with pytest.raises(Conflict, match="belongs to another posting"):
            goods.issue(1, idempotency_key="delivery 7")
        for other in ({"quantity": 11}, {"quantity": 10, "to": goods.other_shelf}, {"quantity": 10, "variant": goods.nut}):
            with pytest.raises(Conflict, match="belongs to another posting"):
                goods.receive(**other, idempotency_key="delivery 7")


def test_a_count_keeps_its_key_though_nothing_changed(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        assert goods.count(10, key="count 3").moves == []
        goods.issue(4)
        again = goods.count(10, key="count 3")
        assert (again.replayed, again.moves, goods.on_hand()) == (True, [], 6), "counted before they left"
        for other in (lambda: goods.count(9, key="count 3"), lambda: goods.receive(1, idempotency_key="count 3")):
            with pytest.raises(Conflict, match="belongs to another posting"):
                other()
        first = goods.count(7, key="count 4")
        assert goods.count(7, key="count 4").moves == first.moves
        with pytest.raises(Conflict, match="belongs to another posting"):
            goods.count(8, key="count 4")


def test_negative_stock_where_the_organization_allows_it(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        Organization.objects.update(allow_negative_stock=True)
        goods.issue(3)
        assert goods.on_hand() == -3
        Organization.objects.update(allow_negative_stock=False)
        with pytest.raises(Conflict, match="not enough stock"), transaction.atomic():
            goods.issue(1)
        goods.receive(2)
        assert goods.on_hand() == -1, "goods that come are welcome, even if a debt is left"
        goods.receive(2)
        assert_invariants()


@pytest.mark.parametrize("statement", [
    "UPDATE inventory_stockitem SET quantity = -1",
    "UPDATE inventory_stockitem SET reserved = quantity + 1",
    "UPDATE inventory_stockitem SET packed = quantity + 1",
    "UPDATE inventory_stockitem SET packed = -1",
])
def test_the_database_refuses_impossible_balances(statement: str, acme: Company) -> None:
    with acme.scope():
        Goods.create().receive(1)
        refused = pytest.raises(IntegrityError, match=r"stock_(covers_reservations|holds_packed)")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_ledger_cannot_be_changed(acme: Company) -> None:
    with acme.scope():
        Goods.create().receive(1)
        for change in ("DELETE FROM inventory_stockmove", "UPDATE inventory_stockmove SET quantity = 2"):
            refused = pytest.raises(ProgrammingError, match="permission denied")
            with refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)


def test_each_posting_leaves_an_event_and_a_trail(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(4)
        event = OutboxEvent.objects.get(type="stock.posted")
        [line] = event.payload["lines"]
        assert (line["sku"], line["change"], line["on_hand"], line["available"]) == (goods.bolt.sku, 4, 4, 4)
        entry = AuditEntry.objects.filter(table_name="inventory_stockitem").latest("id")
        assert (entry.changes["quantity"], entry.actor_id) == ([0, 4], acme.user.pk)
        with pytest.raises(Conflict), transaction.atomic():
            goods.issue(5)
        assert OutboxEvent.objects.filter(type="stock.posted").count() == 1


def test_verify_finds_what_was_changed_around_the_service(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(4)
        goods.rule()
        StockItem.objects.update(quantity=9)
        found = {invariant.name: rows for invariant, rows in broken() if rows}
        assert len(found["stock balance = moves in - moves out"]) == 1
        assert "balance 9.000000, moves 4.000000" in found["stock balance = moves in - moves out"][0]
        assert "level 4.000000, stock 9.000000" in found["the level of a reorder rule = the stock it looks at"][0]


def test_a_location_that_holds_stock_keeps_its_kind_and_warehouse(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(1)
        elsewhere = Warehouse.objects.create(code="W2", name="Second")
        for values in ({"kind": Location.Kind.SCRAP}, {"warehouse_id": elsewhere.pk}):
            with pytest.raises(Conflict, match="move it away first"):
                location_change(location=goods.shelf, **values)
        location_change(location=goods.shelf, kind=Location.Kind.RECEIVING)
        location_change(location=goods.other_shelf, kind=Location.Kind.SCRAP)


def test_a_warehouse_is_not_archived_with_what_lies_in_it(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(2)
    url = f"/api/v1/warehouses/{goods.warehouse.pk}/"
    refused = acme.api.delete(url)
    assert (refused.status_code, refused.json()["code"]) == (409, "warehouse_in_use")
    page = acme.admin.post(f"/admin/inventory/warehouse/{goods.warehouse.pk}/delete/", {"post": "yes"}, follow=True)
    assert "There is stock in W1: move it away first." in page.text
    with acme.scope():
        goods.issue(2)
    assert acme.api.delete(url).status_code == 204


@pytest.mark.parametrize("kind", ["quarantine", "scrap"])
def test_goods_that_lie_apart_are_on_hand_and_not_available(kind: str, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5)
        Location.objects.filter(pk=goods.other_shelf.pk).update(kind=kind)
        posted = stock_move(lines=[
            Line(goods.bolt.pk, Decimal(2), from_location_id=goods.shelf.pk, to_location_id=goods.other_shelf.pk),
        ])
        assert {row["location"]: row["available"] for row in posted.balances} == {
            str(goods.shelf.pk): "3.000000", str(goods.other_shelf.pk): "0.000000",
        }
        assert_invariants()
    rows = acme.api.get(f"/api/v1/stock-items/?variant={goods.bolt.pk}").json()["results"]
    assert {(row["quantity"], row["available"]) for row in rows} == {("3.000000", "3.000000"), ("2.000000", "0.000000")}


def test_an_empty_place_that_becomes_one_for_sale_sells_again(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(1)
        goods.issue(1)
        for kind, available in ((Location.Kind.SCRAP, 0), (Location.Kind.STORAGE, 3)):
            Location.objects.filter(pk=goods.shelf.pk).update(kind=kind)
            goods.receive(3)
            assert StockItem.objects.get().available == available
            goods.issue(3)


def test_statements_do_not_grow_with_the_lines(acme: Company, django_assert_max_num_queries: Any) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(50)
        goods.receive(50, variant=goods.nut)
        goods.rule()
        for lines in (1, 2):
            variants = [goods.bolt, goods.nut][:lines]
            with django_assert_max_num_queries(5):  # balances, grounds, change, layers, levels
                stock_issue(lines=[Line(variant.pk, Decimal(1), from_location_id=goods.shelf.pk) for variant in variants])


VERBS = st.lists(st.tuples(st.sampled_from(["receive", "issue", "move", "count"]), st.integers(1, 9), st.booleans()), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(verbs=VERBS)
def test_whatever_is_posted_the_invariants_hold(verbs: list[tuple[str, int, bool]], acme: Company) -> None:
    with transaction.atomic(), acme.scope():
        goods = Goods.create()
        goods.rule(minimum=4, basis="on_hand")
        goods.rule(minimum=4, variant=goods.nut)
        for verb, quantity, is_bolt in verbs:
            variant = goods.bolt if is_bolt else goods.nut
            try:
                with transaction.atomic():
                    play(goods, verb, quantity, variant)
            except Conflict:
                assert goods.on_hand(variant) < quantity
        assert_invariants()
        transaction.set_rollback(True)


def play(goods: Goods, verb: str, quantity: int, variant: Any) -> None:
    if verb == "receive":
        goods.receive(quantity, variant=variant)
    elif verb == "issue":
        goods.issue(quantity, variant=variant)
    elif verb == "move":
        line = Line(variant.pk, Decimal(quantity), from_location_id=goods.shelf.pk, to_location_id=goods.quarantine.pk)
        stock_move(lines=[line])
    else:
        goods.adjust(variant=variant, counted=str(quantity))


ARCHIVED = [
    lambda goods: goods.receive(1),
    lambda goods: goods.adjust(change="1"),
    lambda goods: stock_assemble(
        components=[Line(goods.nut.pk, Decimal(1), from_location_id=goods.shelf.pk)],
        kits=[Line(goods.bolt.pk, Decimal(1), to_location_id=goods.shelf.pk)],
    ),
]


@pytest.mark.parametrize("post", ARCHIVED)
def test_nothing_comes_in_of_what_is_archived(post: Any, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5, goods.nut)
        ProductVariant.objects.filter(pk=goods.bolt.pk).update(archived_at=timezone.now())
        with pytest.raises(Conflict, match="BOLT is archived: restore it before goods come in") as refused, transaction.atomic():
            post(goods)
        assert (refused.value.code, goods.on_hand(), goods.on_hand(goods.nut)) == ("archived", 0, 5)


def test_what_is_left_of_an_archived_variant_may_go(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        ProductVariant.objects.filter(pk=goods.bolt.pk).update(archived_at=timezone.now())
        sold = goods.issue(2)
        goods.move(3, to=goods.quarantine)
        goods.adjust(change="-1")
        goods.adjust(counted="6")  # two more than the books say
        stock_reverse(moves=sold.moves)
        assert (goods.on_hand(), goods.on_hand(location=goods.quarantine)) == (8, 3)
        assert_invariants()


def test_nothing_comes_to_an_archived_warehouse(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        closed = Warehouse.objects.create(code="W9", name="Gone")
        shelf = Location.objects.create(warehouse=closed, code="Z-1")
        goods.receive(2)
        sent = goods.move(1, to=shelf)
        stock_reverse(moves=sent.moves)
        closed.archived_at = timezone.now()
        closed.save()
        for post in (lambda: goods.receive(1, to=shelf), lambda: goods.move(1, to=shelf)):
            with pytest.raises(Conflict, match="Warehouse W9 is archived: restore it, or take the goods to another"):
                post()

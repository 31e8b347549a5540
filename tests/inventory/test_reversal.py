"""What is reversed is as if it had not been; the ledger keeps both."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from core.errors import Conflict, Invalid, NotFound
from inventory.models import ReorderRule, StockItem, StockMove
from inventory.services.posting import Line
from inventory.services.reversal import document_reverse, stock_reverse
from inventory.services.stock import Circumstances, Document, stock_assemble
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_posting import VERBS, assert_invariants, play

MOVES = "/api/v1/stock-moves/"


def state() -> Any:
    items = {(one.variant_id, one.location_id, one.lot_id): one.quantity for one in StockItem.objects.exclude(quantity=0)}
    return items, sorted(ReorderRule.objects.values_list("pk", "level"))


def test_a_receipt_is_reversed_once(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk = goods.tracked()
        goods.receive_lot(5, milk, "L1")
        [key] = StockMove.objects.values_list("pk", flat=True)
        done = stock_reverse(moves=[key], circumstances=Circumstances(note="Wrong truck", idempotency_key="undo 1"))
        move = StockMove.objects.latest("seq")
        assert (move.reverses_id, move.kind, move.from_location, move.lot.code) == (key, "receipt", goods.shelf, "L1")
        assert goods.on_hand(milk) == 0
        again = stock_reverse(moves=[key], circumstances=Circumstances(idempotency_key="undo 1"))
        assert (again.replayed, again.moves) == (True, done.moves)
        with pytest.raises(Conflict, match="is reversed already"):
            stock_reverse(moves=[key])
        with pytest.raises(Conflict, match="is itself a reversal"):
            stock_reverse(moves=done.moves)
        with pytest.raises(NotFound):
            stock_reverse(moves=[uuid4()])
        assert OutboxEvent.objects.filter(type="stock.posted").latest("id").payload["kind"] == "reversal"
        assert_invariants()


def test_nothing_is_undone_before_it_was_done(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        made = timezone.now() - timedelta(days=3)
        moves = goods.receive(5, occurred_at=made).moves
        with pytest.raises(Invalid, match="nothing is undone before it was done"):
            stock_reverse(moves=moves, circumstances=Circumstances(occurred_at=made - timedelta(hours=1)))
        stock_reverse(moves=moves, circumstances=Circumstances(occurred_at=made))
        assert goods.on_hand() == 0


def test_an_assembly_is_undone_as_a_whole(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(4)
        kit = goods.tracked("none", sku="KIT")
        stock_assemble(
            components=[Line(goods.bolt.pk, Decimal(4), from_location_id=goods.shelf.pk)],
            kits=[Line(kit.pk, Decimal(2), to_location_id=goods.shelf.pk)],
        )
        used, made = StockMove.objects.filter(kind="assembly").order_by("seq")
        with pytest.raises(Conflict, match=f"reverse move {used.seq} of it as well"):
            stock_reverse(moves=[made.pk])
        stock_reverse(moves=[made.pk, used.pk])
        assert (goods.on_hand(), goods.on_hand(kit)) == (4, 0)
        assert_invariants()


def test_goods_that_are_gone_do_not_come_back(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        first = goods.receive(5)
        goods.issue(3)
        with pytest.raises(Conflict, match="only 2 of BOLT"), transaction.atomic():
            stock_reverse(moves=first.moves)
        assert goods.on_hand() == 2


def test_a_document_is_reversed_as_far_as_it_is_not_yet(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        document = Document("purchase_order", uuid4())
        first = goods.receive(5, document=document)
        goods.receive(2, variant=goods.nut, document=document)
        stock_reverse(moves=first.moves)
        done = document_reverse(document=document)
        assert (len(done.moves), goods.on_hand(), goods.on_hand(goods.nut)) == (1, 0, 0)
        assert StockMove.objects.filter(document_id=document.id).count() == 4
        with pytest.raises(Conflict, match="All moves of this document are reversed"):
            document_reverse(document=document)
        with pytest.raises(NotFound):
            document_reverse(document=Document("purchase_order", uuid4()))
        assert_invariants()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(verbs=VERBS, more=VERBS)
def test_reversing_what_followed_brings_back_what_was(verbs: Any, more: Any, acme: Company) -> None:
    with transaction.atomic(), acme.scope():
        goods = Goods.create()
        goods.rule(minimum=4)
        perform(goods, verbs)
        before, last = state(), StockMove.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        perform(goods, more)
        if moves := list(StockMove.objects.filter(seq__gt=last).values_list("pk", flat=True)):
            stock_reverse(moves=moves)
        assert state() == before
        assert_invariants()
        transaction.set_rollback(True)


def perform(goods: Goods, verbs: Any) -> None:
    for verb, quantity, is_bolt in verbs:
        try:
            with transaction.atomic():
                play(goods, verb, quantity, goods.bolt if is_bolt else goods.nut)
        except Conflict:
            pass


def test_over_the_api_and_in_the_admin(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        [first], [second] = goods.receive(5).moves, goods.receive(2).moves
    done = acme.api.send("post", f"{MOVES}reverse/", {"moves": [str(first)], "note": "Twice"})
    assert done.status_code == 201, done.content
    assert_problem(acme.api.send("post", f"{MOVES}reverse/", {"moves": [str(first)]}), 409, "reversed")
    assert_problem(acme.api.send("post", f"{MOVES}reverse/", {}), 400)
    admin, address = acme.admin, "/admin/inventory/stockmove/"
    chosen = {"action": "reverse", "_selected_action": [str(second)]}
    page = admin.post(address, chosen)
    assert page.status_code == 200 and b"posted the other way" in page.content
    with acme.scope():
        assert goods.on_hand() == 2, "the page asks first"
    assert admin.post(address, {**chosen, "confirmed": "1", "note": "Oops", "token": str(uuid4())}).status_code == 302
    with acme.scope():
        assert goods.on_hand() == Decimal(0)
        assert_invariants()

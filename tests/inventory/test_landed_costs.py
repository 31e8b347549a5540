"""Costs that are known later: spread to the cent over receipts, and from there over what became of their goods."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from inventory.models import CostLayer, ProductVariant, ValueEntry
from inventory.services.costing_methods import costing_method_change
from inventory.services.landed_costs import Landed, landed_cost_add, spread_exactly
from inventory.services.stock import Document
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.test_posting import assert_invariants
from tests.inventory.worth import Worth, take_back
from tests.limited import limited_api

ADD = "/api/v1/cost-layers/add-landed-cost/"


def add(amount: Any, *moves: Any, by: str = "value", **options: Any) -> Landed:
    return landed_cost_add(amount=Decimal(amount), by=by, moves=moves, **options)


AMOUNTS = st.decimals(min_value="0.01", max_value=10**9, places=2)
STEPS = st.lists(
    st.tuples(st.sampled_from(["receive", "issue", "carry", "land", "back", "branch"]), st.integers(1, 9)), max_size=12,
)


@given(amount=AMOUNTS, weights=st.lists(st.integers(0, 999), min_size=1, max_size=9))
def test_no_cent_is_lost(amount: Decimal, weights: list[int]) -> None:
    exact = [Decimal(weight) for weight in weights] if any(weights) else [Decimal(1)] * len(weights)
    for one in (amount, -amount):
        shares = spread_exactly(one, exact)
        assert sum(shares) == one
        for share, weight in zip(shares, exact, strict=True):
            assert share == share.quantize(Decimal("0.01"))
            assert abs(share - one * weight / sum(exact)) < Decimal("0.01")


@pytest.mark.parametrize(("by", "shares"), [
    ("value", [25, 75]), ("quantity", [50, 50]), ("weight", [20, 80]), ("volume", [10, 90]),
])  # fmt: skip
def test_spreads_in_proportion(by: str, shares: list[int], acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        ProductVariant.objects.filter(pk=worth.bolt.pk).update(weight=1, length=1, width=1, height="0.5")
        ProductVariant.objects.filter(pk=worth.goods.nut.pk).update(weight=4, length=3, width=1, height="1.5")
        moves = [worth.receive(2, 5), worth.receive(2, 15, variant=worth.goods.nut)]
        landed = add(100, *moves, by=by)
        assert [one.amount for one in landed.spread] == shares
        assert worth.value() == 140
        assert_invariants()


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_revalues_what_is_left_and_corrects_what_was_sold(method: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        move = worth.receive(10, 4)
        sale = worth.issue(3)
        landed = add(20, move)
        assert (landed.to_stock, landed.to_sold) == (14, 6)
        assert (worth.value(), worth.cost(sale)) == (7 * 4 + 14, 12 + 6)
        assert worth.cost(worth.issue(7)) == 42
        assert worth.value() == 0
        assert_invariants()


def test_at_standard_cost_it_is_a_variance(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create("standard")
        move = worth.receive(10, "2.5")
        landed = add(20, move)
        assert (landed.to_stock, landed.to_sold, worth.value()) == (0, 20, 25)
        assert_invariants()


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_follows_the_goods_to_another_warehouse_and_back(method: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        move = worth.receive(8, 1)
        worth.carry(4)
        sale = worth.issue(1, branch=True)
        worth.carry(1, back=True)
        taken = worth.issue(2)
        take_back(taken)
        add(8, move)
        assert worth.value(worth.branch) == 2 * 2
        assert worth.value(worth.main) == 5 * 2
        assert (worth.cost(sale), worth.cost(taken)) == (2, 4)
        assert_invariants()


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_of_what_was_sold_before_it_came(method: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method, negative=True)
        worth.issue(3)
        landed = add(5, worth.receive(5, 4))
        assert (landed.to_stock, landed.to_sold, worth.value()) == (2, 3, 10)
        assert_invariants()


def test_a_sale_that_is_taken_back_brings_its_part_along(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move = worth.receive(4, 1)
        sale = worth.issue(4)
        add(4, move)
        assert worth.value() == 0
        take_back(sale)
        assert (worth.value(), worth.open_layers()) == (8, [(4, 8)])
        assert_invariants()


@pytest.mark.parametrize("method", ["fifo", "average", "standard"])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_invariants_hold_whenever_costs_land(steps: list[Any], method: str, acme: Company) -> None:
    with transaction.atomic(), acme.scope():
        worth = Worth.create(method, negative=True)
        receipts, moves = [worth.receive(5, 2)], []
        for verb, number in steps:
            if verb == "receive":
                receipts.append(worth.receive(number, "1.37"))
            elif verb == "land" and receipts:
                add(f"{number}.01", *receipts)
            elif verb == "back" and moves:
                take_back(moves.pop())
            elif verb == "carry":
                moves.append(worth.carry(number))
            else:
                moves.append(worth.issue(number, branch=verb == "branch"))
        worth.value()
        assert_invariants()
        transaction.set_rollback(True)


def test_what_was_added_by_mistake_is_taken_back(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move = worth.receive(4, 1)
        worth.issue(1)
        add("10.01", move)
        add("-10.01", move)
        assert (worth.value(), worth.open_layers()) == (3, [(3, 3)])
        with pytest.raises(Conflict, match="more from the goods than they are worth"):
            add(-5, move)


def test_a_bill_counts_once(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move, bill = worth.receive(4, 1), Document("bill", uuid4())
        add(4, move, document=bill)
        with pytest.raises(Conflict, match="added already"):
            add(4, move, document=bill)
        assert set(ValueEntry.objects.filter(document_id=bill.id).values_list("kind", flat=True)) == {"landed"}


def test_of_all_receipts_of_a_document(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        delivery = Document("goods_receipt", uuid4())
        worth.receive(1, 1, document=delivery)
        worth.receive(1, 3, document=delivery)
        worth.receive(1, 3)
        landed = landed_cost_add(amount=Decimal(8), by="value", receipt=delivery)
        assert [one.amount for one in landed.spread] == [2, 6]


def test_refuses(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        receipt, gift, sale = worth.receive(2, 1), worth.receive(1, 0), worth.issue(1)
        gone = worth.receive(1, 1)
        take_back(gone)
        for move, by, kind, words in (
            (sale, "value", Invalid, "no such receipt"), (uuid4(), "value", Invalid, "no such receipt"),
            (receipt, "weight", Invalid, "what these weigh"), (gift, "value", Invalid, "cost nothing"),
            (gone, "value", Conflict, "are reversed"),
        ):
            with pytest.raises(kind, match=words):
                add(5, move, by=by)
        for amount in ("0", "0.0000001", "1e12"):
            with pytest.raises(Invalid, match="Give an amount"):
                add(amount, receipt)


def test_a_preview_writes_nothing(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move = worth.receive(4, 1)
        worth.issue(1)
    body = {"amount": "2", "by": "quantity", "moves": [str(move)]}
    previewed = acme.api.send("post", ADD, {**body, "preview": True})
    assert (previewed.status_code, previewed.json()["to_stock"], previewed.json()["to_sold"]) == (200, "1.500000", "0.500000")
    with acme.scope():
        assert not ValueEntry.objects.filter(kind="landed").exists()
    done = acme.api.send("post", ADD, body)
    assert done.status_code == 201
    assert {**done.json(), "preview": True} == previewed.json()
    with acme.scope():
        assert CostLayer.objects.get(is_open=True).landed_cost == 2
    assert_problem(acme.api.send("post", ADD, {"amount": "2", "by": "value"}), 400)
    assert_problem(acme.api.send("post", ADD, {**body, "receipt_id": str(uuid4())}), 400)


def test_in_some_warehouses_alone(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move = worth.receive(4, 1)
    body = {"amount": "2", "by": "value", "moves": [str(move)]}
    assert_problem(limited_api(acme, worth.branch).send("post", ADD, body), 400)
    assert limited_api(acme, worth.main).send("post", ADD, body).status_code == 201


def test_after_a_change_of_method_it_still_adds_up(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move = worth.receive(4, 1)
        worth.issue(1)
        costing_method_change(method="average")
        worth.issue(1)
        landed = add(4, move)
        assert (landed.to_stock, worth.value()) == (2, 4)
        assert_invariants()


def test_the_admin_shows_it_before_it_does_it(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.receive(4, 1)
        worth.issue(1)
        entry = ValueEntry.objects.filter(quantity__gt=0).get()
    admin = acme.admin
    chosen = admin.post("/admin/inventory/valueentry/", {"action": "add_landed_cost", "_selected_action": [entry.pk]})
    assert chosen.status_code == 302
    page = admin.get(chosen.url)
    assert "the 1 receipt that you chose" in page.text
    form = {"amount": "2", "by": "value", "token": page.context["form"].initial["token"]}
    preview = admin.post(chosen.url, form)
    assert "worth <strong>1.5</strong> more" in preview.text
    with acme.scope():
        assert worth.value() == 3
    done = admin.post(chosen.url, {**form, "confirmed": "yes"}, follow=True)
    assert "1.5 to goods in stock, 0.5 to the cost of those that are gone" in done.text
    with acme.scope():
        assert worth.value() == Decimal("4.5")
    assert acme.admin_as("viewer").get("/admin/inventory/costlayer/landed-cost/").status_code == 403

"""Real processes on the same transfers: nothing is shipped or received twice, and nobody deadlocks."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from core.errors import DomainError
from core.invariants import broken
from inventory.models import Location, TransferOrder
from inventory.services.transfer_moves import Part, transfer_order_receive, transfer_order_ship
from inventory.services.transfers import TransferLine, transfer_order_confirm, transfer_order_create
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_races import at_once
from tests.inventory.transfers import Two, quantities


def test_eight_processes_ship_and_receive_what_there_is(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        two = Two.create()
        two.goods.receive(30)
        order = transfer_order_confirm(order=two.order((two.goods.bolt, 10)))
        [line] = order.lines.all()

    def two_of(verb: Callable[..., TransferOrder]) -> Callable[[int], str]:
        def run(number: int) -> str:
            try:
                with company.scope():
                    verb(order=order, lines=[Part(line.pk, Decimal(2))])
            except DomainError as refused:
                return refused.code
            return "done"
        return run

    for verb in (transfer_order_ship, transfer_order_receive):
        told = Counter(at_once(8, two_of(verb)))
        assert told["done"] == 5 and told.keys() <= {"done", "wrong_status", "more_than_is_left"}, told
    with company.scope():
        assert quantities(order) == [(10, 10, 10, 0, 0)]
        assert [rows for _, rows in broken() if rows] == []


def test_transfers_to_and_fro_do_not_deadlock(new_company: Callable[[], Company]) -> None:
    """Drafts of overlapping goods in both directions, shipped and received at once by whoever comes."""
    company = new_company()
    with company.scope():
        two = Two.create()
        variants = [two.goods.bolt, *ProductVariantFactory.create_batch(5, product=two.goods.bolt.product)]
        for variant in variants:
            two.goods.receive(500, variant=variant)
            two.goods.receive(500, variant=variant, to=two.counter)
            two.goods.rule(variant=variant)

    def to_and_fro(number: int) -> Any:
        chance, done = Random(number), 0
        for _ in range(12):
            ends = chance.sample([two.goods.warehouse, two.shop], 2)
            lines = [TransferLine(variant.pk, Decimal(1)) for variant in chance.sample(variants, chance.randint(2, 6))]
            with company.scope():
                order = transfer_order_create(source=ends[0], destination=ends[1], lines=lines)
                transfer_order_ship(order=order)
            with company.scope():
                place = Location.objects.filter(warehouse=ends[1]).order_by("?").first()
                transfer_order_receive(order=order, location=place)
            done += 1
        return done

    assert at_once(6, to_and_fro) == [12] * 6
    with company.scope():
        assert set(TransferOrder.objects.values_list("status", flat=True)) == {"completed"}
        assert [rows for _, rows in broken() if rows] == []

"""Whatever moves during a count, and whenever it is booked, the books are right once the count is posted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from core.invariants import broken
from inventory.models import Location, StockCount, StockCountLine, StockItem
from inventory.services.count_posting import Rest, stock_count_post
from inventory.services.counts import Counted, stock_count_record
from inventory.services.locks import Place, lock_stock_items
from inventory.services.posting import Line
from inventory.services.reversal import stock_reverse
from inventory.services.stock import Circumstances, stock_issue, stock_move, stock_receive
from tests.companies import Company
from tests.inventory.counting import opened
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once

MANY = 1000  # no example is short of goods
OFF = {0: 3, 1: 0, 2: -4, 3: 7}  # what is really there, less what the books say
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "issue", "move", "count", "mistake", "other count"]), st.integers(0, 3), st.integers(1, 9),
        st.integers(0, 3), st.booleans(),
    ),
    min_size=6, max_size=25,
)


class Shelves:
    """Two variants on two shelves, four places: what is really there, and what is still to be booked."""

    def __init__(self) -> None:
        self.goods = Goods.create()
        self.start = timezone.now() - timedelta(hours=5)
        shelves = (self.goods.shelf, self.goods.other_shelf)
        variants = (self.goods.bolt, self.goods.nut)
        self.places: list[tuple[Any, Location]] = [(variant, shelf) for variant in variants for shelf in shelves]
        self.clock, self.late = 0, list[Callable[[], Any]]()
        for variant, shelf in self.places:
            self.goods.receive(MANY, variant=variant, to=shelf, occurred_at=self.start)
        self.real = {number: MANY + OFF[number] for number in range(4)}
        self.count, self.other = opened(self.goods), opened(self.goods)

    def now(self) -> datetime:
        """Each thing happens a minute after the one before."""
        self.clock += 1
        return self.start + timedelta(minutes=self.clock)

    def step(self, verb: str, place: int, quantity: int, other: int, is_late: bool) -> None:
        at = self.now()
        if verb == "count":
            self.counts(self.count, place, at)
        elif verb == "other count":
            self.counts(self.other, place, at)
            if is_late:
                stock_count_post(count_id=self.other.pk, rest=Rest.LEAVE)
                self.other = opened(self.goods)
        elif verb == "mistake":  # booked, never happened, and taken back
            [move] = self.booked("receive", place, quantity, other, at)
            self.does(partial(stock_reverse, moves=[move]), is_late)
        elif verb != "move" or (place // 2 == other // 2 and place != other):
            self.real[place] += quantity if verb == "receive" else -quantity
            if verb == "move":
                self.real[other] += quantity
            self.does(partial(self.booked, verb, place, quantity, other, at), is_late)

    def does(self, book: Callable[[], Any], is_late: bool) -> None:
        """What is late is booked after all that was counted."""
        if is_late:
            self.late.append(book)
        else:
            book()

    def booked(self, verb: str, place: int, quantity: int, other: int, at: datetime) -> list[Any]:
        variant, shelf = self.places[place]
        shared = Circumstances(occurred_at=at)
        line = partial(Line, variant.pk, Decimal(quantity))
        if verb == "receive":
            return stock_receive(lines=[line(to_location_id=shelf.pk)], circumstances=shared).moves
        if verb == "issue":
            return stock_issue(lines=[line(shelf.pk)], circumstances=shared).moves
        return stock_move(lines=[line(shelf.pk, self.places[other][1].pk)], circumstances=shared).moves

    def counts(self, count: StockCount, place: int, at: datetime) -> None:
        variant, shelf = self.places[place]
        line = Counted(Decimal(self.real[place]), variant_id=variant.pk, location_id=shelf.pk)
        stock_count_record(count_id=count.pk, lines=[line], counted_at=at)

    def finish(self) -> None:
        for book in self.late:
            book()
        counted = {(row.variant_id, row.location_id) for row in self.count.lines.exclude(counted=None)}
        stock_count_post(count_id=self.count.pk, rest=Rest.LEAVE)
        for number, (variant, shelf) in enumerate(self.places):
            if (variant.pk, shelf.pk) in counted:
                assert StockItem.objects.get(variant=variant, location=shelf).quantity == self.real[number]
        assert [rows for _, rows in broken() if rows] == []


def test_moves_between_the_lines(acme: Company) -> None:
    @settings(max_examples=25)
    @given(steps=STEPS)
    def right_afterwards(steps: list[Any]) -> None:
        with acme.scope(), transaction.atomic():
            shelves = Shelves()
            for step in steps:
                shelves.step(*step)
            shelves.finish()
            transaction.set_rollback(True)

    right_afterwards()


def test_processes_move_while_others_count(new_company: Callable[[], Company]) -> None:
    """Four issue and receive, four count again and again, all of the same goods; then what differs is posted."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        shelves = (goods.shelf, goods.other_shelf)
        places = [Place(variant.pk, shelf.pk) for variant in (goods.bolt, goods.nut) for shelf in shelves]
        stock_receive(lines=[Line(place.variant_id, Decimal(MANY), to_location_id=place.location_id) for place in places])
        count = opened(goods)

    def work(number: int) -> int:
        chance = Random(number)
        for _ in range(15):
            chosen = chance.sample(places, 2)
            with company.scope():
                if number % 2:
                    booked = lock_stock_items(chosen)  # nobody moves what is looked at
                    stock_count_record(count_id=count.pk, lines=[
                        Counted(booked[place].quantity + OFF[places.index(place)], variant_id=place.variant_id,
                                location_id=place.location_id)
                        for place in chosen
                    ])
                elif chance.random() < 0.5:
                    stock_receive(lines=[Line(one.variant_id, Decimal(2), to_location_id=one.location_id) for one in chosen])
                else:
                    stock_issue(lines=[Line(one.variant_id, Decimal(1), from_location_id=one.location_id) for one in chosen])
        return number

    assert sorted(at_once(8, work)) == list(range(8))
    with company.scope():
        stock_count_post(count_id=count.pk, rest=Rest.LEAVE)
        lines = StockCountLine.objects.filter(count=count)
        found = {Place(line.variant_id, line.location_id): line.difference for line in lines}
        assert found == {place: OFF[number] for number, place in enumerate(places)}
        assert [rows for _, rows in broken() if rows] == []

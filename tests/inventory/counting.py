"""Counts to test with."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from inventory.models import ReasonCode, StockCount, StockCountLine
from inventory.services.candidates import Wanted
from inventory.services.count_posting import Rest, stock_count_approve, stock_count_post
from inventory.services.counts import Counted, Selection, Terms, stock_count_open, stock_count_record
from inventory.services.reservations import Demand, stock_reserve
from tests.inventory.goods import Goods


def opened(goods: Goods, terms: Terms | None = None, **selection: Any) -> StockCount:
    return stock_count_open(selection=Selection(goods.warehouse.pk, **selection), terms=terms or Terms())


def record(count: StockCount, goods: Goods, quantity: Any, variant: Any = None, **values: Any) -> StockCountLine:
    at = values.pop("counted_at", None)
    given = {"location_id": goods.shelf.pk, **values}
    line = Counted(Decimal(quantity), variant_id=(variant or goods.bolt).pk, **given)
    [done] = stock_count_record(count_id=count.pk, lines=[line], counted_at=at)
    found: StockCountLine = StockCountLine.objects.get(pk=done.id)
    return found


def count_happens(goods: Goods) -> None:
    """All that is told of a count."""
    ReasonCode.objects.filter(code="COUNT").update(approval_over_quantity=1)
    count = opened(goods)
    record(count, goods, 100)
    stock_count_post(count_id=count.pk, rest=Rest.LEAVE)
    StockCount.objects.filter(pk=count.pk).update(requested_by=uuid4())
    stock_count_approve(count_id=count.pk)
    goods.receive(1, goods.nut)
    wanted = [Wanted(goods.nut.pk, goods.warehouse.pk, Decimal(1))]
    stock_reserve(lines=wanted, demand=Demand("counter_sale", uuid4()))
    short = opened(goods)
    record(short, goods, 0, goods.nut)
    stock_count_post(count_id=short.pk, rest=Rest.LEAVE)

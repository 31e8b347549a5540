"""Goods with costs, in two warehouses: what the tests of values play with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from accounts.models import Organization
from inventory.models import CostLayer, Location, ProductVariant, StockItem, StockMove, ValueEntry, Warehouse
from inventory.queries.valuation import Question, inventory_value
from inventory.services.posting import Line
from inventory.services.stock import Circumstances, stock_issue, stock_move, stock_receive
from inventory.services.valuation import moves_value
from tests.inventory.goods import Goods

DAY = timedelta(days=1)


@dataclass
class Worth:
    goods: Goods
    branch: Warehouse
    branch_shelf: Location

    @classmethod
    def create(cls, method: str = "fifo", *, negative: bool = False) -> "Worth":
        """In the active organization."""
        Organization.objects.update(costing_method=method, allow_negative_stock=negative)
        goods = Goods.create()
        branch = Warehouse.objects.create(code="W2", name="Branch")
        return cls(goods, branch, Location.objects.create(warehouse=branch, code="B-1"))

    @property
    def bolt(self) -> ProductVariant:
        return self.goods.bolt

    @property
    def main(self) -> Warehouse:
        return self.goods.warehouse

    def receive(self, quantity: Any, cost: Any = None, variant: ProductVariant | None = None, **shared: Any) -> UUID:
        unit_cost = None if cost is None else Decimal(cost)
        line = Line((variant or self.bolt).pk, Decimal(quantity), to_location_id=self.goods.shelf.pk, unit_cost=unit_cost)
        return stock_receive(lines=[line], circumstances=Circumstances(**shared)).moves[0]

    def issue(self, quantity: Any, *, branch: bool = False, **shared: Any) -> UUID:
        shelf = self.branch_shelf if branch else self.goods.shelf
        line = Line(self.bolt.pk, Decimal(quantity), from_location_id=shelf.pk)
        return stock_issue(lines=[line], circumstances=Circumstances(**shared)).moves[0]

    def carry(self, quantity: Any, *, back: bool = False) -> UUID:
        sides = (self.branch_shelf.pk, self.goods.shelf.pk) if back else (self.goods.shelf.pk, self.branch_shelf.pk)
        return stock_move(lines=[Line(self.bolt.pk, Decimal(quantity), *sides)]).moves[0]

    def value(self, warehouse: Warehouse | None = None) -> Decimal:
        found = inventory_value(Question(warehouse=warehouse and warehouse.pk)).value
        entries = ValueEntry.objects.filter(**({"warehouse": warehouse} if warehouse else {}))
        assert found == sum(entry.value for entry in entries), "the report and the entries agree"
        return found

    def cost(self, move: UUID) -> Decimal:
        """What a move took away."""
        return -sum((entry.value for entry in ValueEntry.objects.filter(move=move)), Decimal(0))

    def open_layers(self, warehouse: Warehouse | None = None) -> list[tuple[Decimal, Decimal]]:
        found = CostLayer.objects.filter(is_open=True, warehouse=warehouse or self.main).order_by("received_at", "id")
        return [(layer.remaining, layer.value) for layer in found]


def take_back(move_id: UUID) -> UUID:
    """Writes a move's reversal as the ledger, the balances and the values see it."""
    move = StockMove.objects.get(pk=move_id)
    reversal = StockMove.objects.create(
        kind=move.kind, variant=move.variant, quantity=move.quantity, from_location=move.to_location,
        to_location=move.from_location, unit_cost=move.unit_cost, occurred_at=timezone.now(), reverses=move,
    )
    for location, sign in ((move.to_location, -1), (move.from_location, 1)):
        StockItem.objects.filter(variant=move.variant, location=location).update(quantity=F("quantity") + sign * move.quantity)
    moves_value(moves=[reversal.pk])
    return reversal.pk


def ago(days: float) -> datetime:
    return timezone.now() - days * DAY


def posted(
    change: int, at: datetime, variant: ProductVariant, shelf: Location, cost: int = 1, occurred_at: datetime | None = None,
) -> None:
    """As the service wrote it then; balances do not follow."""
    sides = {"to_location": shelf} if change > 0 else {"from_location": shelf}
    move = StockMove.objects.create(
        kind="receipt" if change > 0 else "issue", variant=variant, quantity=abs(change), unit_cost=cost, created_at=at,
        occurred_at=occurred_at or at, **sides,
    )
    moves_value(moves=[move.pk])

"""What pick lists tell. An event names no person."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

LIST = {"pick_list": SOME_ID, "number": "PL-000042", "warehouse": SOME_ID}
GOODS = {
    "line": SOME_ID, "order": SOME_ID, "order_item": SOME_ID, "variant": SOME_ID, "lot": SOME_ID, "stock_item": SOME_ID,
    "quantity": 2.0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PickListNews:
    pick_list: UUID
    number: str
    warehouse: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class PickListGoods(PickListNews):
    line: UUID
    order: UUID
    order_item: UUID
    variant: UUID
    lot: UUID | None
    stock_item: Annotated[UUID, "Which goods, at which place."]
    quantity: Decimal


@event_type("pick_list.created", aggregate="pick_list", example={**LIST, "orders": [SOME_ID]})
class PickListCreated(PickListNews):
    """Somebody may go round with it."""

    orders: list[UUID]


@event_type("pick_list.started", aggregate="pick_list", example=LIST)
class PickListStarted(PickListNews):
    """Somebody goes round with it."""


@event_type("pick_list.picked", aggregate="pick_list", example={**LIST, **GOODS})
class PickListPicked(PickListGoods):
    """Goods of a line are taken from their place."""


@event_type("pick_list.put_back", aggregate="pick_list", example={**LIST, **GOODS})
class PickListPutBack(PickListGoods):
    """Goods of a line that were picked by mistake are at their place again."""


@event_type("pick_list.short", aggregate="pick_list", example={**LIST, **GOODS, "reason": "Bin is empty", "found_elsewhere": 1.0})
class PickListShort(PickListGoods):
    """Goods of a line are not at their place, or not fit to go: somebody should count there."""

    reason: str
    found_elsewhere: Annotated[Decimal, "What another place has of it, as new lines of the list; the rest is a back-order."]


@event_type("pick_list.finished", aggregate="pick_list", example=LIST)
class PickListFinished(PickListNews):
    """The round is over: what was picked may be packed."""


@event_type("pick_list.cancelled", aggregate="pick_list", example={**LIST, "reason": "Too heavy for one round"})
class PickListCancelled(PickListNews):
    """What was picked by it goes back on its shelf; its goods may go on another list."""

    reason: str

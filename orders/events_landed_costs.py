"""What landed costs tell. An event names no person."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

COST = {
    "landed_cost": SOME_ID, "number": "LC-000007", "kind": "freight", "warehouse": SOME_ID, "supplier": SOME_ID, "bill": None,
}
MONEY = {"currency": "USD", "amount": 500.0, "base_amount": 450.0, "to_stock": 300.0, "to_sold": 150.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class LandedCostNews:
    landed_cost: UUID
    number: str
    kind: str
    warehouse: UUID
    supplier: UUID | None
    bill: UUID | None


@event_type("landed_cost.posted", aggregate="landed_cost", example={**COST, **MONEY})
class LandedCostPosted(LandedCostNews):
    """It was spread over the goods that came: they are worth more, and what is gone of them has cost more."""

    currency: str
    amount: Decimal
    base_amount: Annotated[Decimal, "In the organization's currency, at the rate of its day."]
    to_stock: Annotated[Decimal, "What goods that were left became worth more."]
    to_sold: Annotated[Decimal, "What those that were gone cost more."]


@event_type("landed_cost.reversed", aggregate="landed_cost", example={**COST, "reason": "The carrier billed twice"})
class LandedCostReversed(LandedCostNews):
    """It was a mistake: the goods are worth what they would be without it."""

    reason: str


@event_type("landed_cost.cancelled", aggregate="landed_cost", example={**COST, "reason": "Entered twice"})
class LandedCostCancelled(LandedCostNews):
    """A draft that is not posted."""

    reason: str

"""What is packed and unpacked. That a unit moved, its own changes and the posting tell."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentLine:
    """Goods that came into the unit or out of it."""

    variant: UUID
    lot: Annotated[UUID | None, "Of goods that are tracked."]
    change: Annotated[Decimal, "Above 0: packed; less than 0: unpacked."]


@event_type("logistic_unit.contents_changed", aggregate="logistic_unit", example={
    "logistic_unit": SOME_ID, "sscc": "056012340000000016", "location": SOME_ID,
    "lines": [{"variant": SOME_ID, "lot": None, "change": 12.0}],
})  # fmt: skip
class LogisticUnitContentsChanged:
    """Loose goods were packed into a parcel or a pallet, or unpacked. Nothing moved."""

    logistic_unit: UUID
    sscc: str
    location: UUID
    lines: list[ContentLine]

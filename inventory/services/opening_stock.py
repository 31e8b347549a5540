"""The opening stock of an import: posted once; where a file says otherwise later, the difference."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, F, QuerySet, Sum, When

from core.fields import QuantityField
from inventory.models import Location, ReasonCode, StockItem, StockMove
from inventory.services.basics import OPENING
from inventory.services.stock import Adjustment, Circumstances, stock_adjust
from inventory.services.upsert import Counts

ZERO = Decimal(0)


def opening_stock_follow(
    *, key: str, note: str, units: Mapping[UUID, Decimal], location: Location,
) -> tuple[Counts, list[UUID]]:
    """What was sold and bought since the first import stays as it is: only the opening balance follows the file.

    `key` tells the imports apart. Answers too of which variants so much has left since that the balance cannot be less.
    """
    reason = ReasonCode.objects.get(kind=ReasonCode.Kind.ADJUSTMENT, code=OPENING)
    earlier = StockMove.objects.filter(reason=reason, idempotency_key__startswith=key)
    opened = _by_variant(earlier)
    free = dict(StockItem.objects.filter(location=location, lot=None).values_list("variant_id", "available"))
    counts, adjustments, refused = Counts(), list[Adjustment](), list[UUID]()
    for variant, whole in units.items():
        change = whole - opened.get(variant, ZERO)
        if change < 0 and free.get(variant, ZERO) + change < 0:
            refused.append(variant)
        elif change:
            adjustments.append(Adjustment(variant, location.pk, change=change))
            counts.add(Counts(updated=1) if variant in opened else Counts(created=1))
        else:
            counts.add(Counts(unchanged=1))
    if adjustments:
        number = 1 + earlier.values("idempotency_key").distinct().count()
        stock_adjust(adjustments=adjustments, circumstances=Circumstances(
            reason_id=reason.pk, note=note, idempotency_key=f"{key}{number}",
        ))
    return counts, refused


def _by_variant(moves: QuerySet[Any]) -> dict[UUID, Decimal]:
    change = Case(When(to_location=None, then=-F("quantity")), default=F("quantity"), output_field=QuantityField())
    return dict(moves.values("variant_id").annotate(total=Sum(change)).values_list("variant_id", "total"))

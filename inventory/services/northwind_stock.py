"""The opening stock: posted once; where a file says otherwise later, the difference."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, F, QuerySet, Sum, When

from core.fields import QuantityField
from inventory.models import Location, ReasonCode, StockItem, StockMove
from inventory.northwind_tables import PRODUCTS
from inventory.services.basics import OPENING
from inventory.services.northwind_products import Item
from inventory.services.northwind_run import Run
from inventory.services.stock import Adjustment, Circumstances, stock_adjust
from inventory.services.upsert import Counts

KEY = "northwind-opening:"


def import_opening_stock(run: Run, items: list[Item], location: Location) -> None:
    """What was sold and bought since the first import stays as it is: only the opening balance follows the file."""
    reason = ReasonCode.objects.get(kind=ReasonCode.Kind.ADJUSTMENT, code=OPENING)
    earlier = StockMove.objects.filter(reason=reason, idempotency_key__startswith=KEY)
    opened = _by_variant(earlier)
    free = dict(StockItem.objects.filter(location=location).values_list("variant_id", "available"))
    counts, adjustments = Counts(), []
    for item in items:
        units = Decimal(item.row.get("unitsInStock", int))
        change = units - opened.get(item.variant_id, Decimal(0))
        if change < 0 and free.get(item.variant_id, Decimal(0)) + change < 0:
            run.leave_out(PRODUCTS, item.row.line, "unitsInStock", f"{units:f} is less than what has left since")
        elif change:
            adjustments.append(Adjustment(item.variant_id, location.pk, change=change))
            counts.add(Counts(updated=1) if item.variant_id in opened else Counts(created=1))
        else:
            counts.add(Counts(unchanged=1))
    if adjustments:
        number = 1 + earlier.values("idempotency_key").distinct().count()
        stock_adjust(adjustments=adjustments, circumstances=Circumstances(
            reason_id=reason.pk, note="Northwind import", idempotency_key=f"{KEY}{number}",
        ))
    run.count("opening stock", counts)


def _by_variant(moves: QuerySet[Any]) -> dict[UUID, Decimal]:
    change = Case(When(to_location=None, then=-F("quantity")), default=F("quantity"), output_field=QuantityField())
    return dict(moves.values("variant_id").annotate(total=Sum(change)).values_list("variant_id", "total"))

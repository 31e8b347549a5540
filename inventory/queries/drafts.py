"""What somebody carries, and what they are receiving."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import DecimalField, F, Min, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest

from inventory.models import ReceiptDraft, ReceiptDraftEntry, TrayLine

WITH = ("stock_item__variant", "stock_item__location", "stock_item__warehouse", "stock_item__lot")


def tray_of(actor_id: UUID) -> list[Any]:
    """The last first; `takes` is what a line moves as things stand."""
    free = F("stock_item__quantity") - Greatest("stock_item__reserved", "stock_item__packed")
    takes = Coalesce(F("quantity"), free, output_field=DecimalField())
    lines: QuerySet[TrayLine] = TrayLine.objects.filter(actor_id=actor_id).select_related(*WITH).annotate(takes=takes, free=free)
    return list(lines.order_by("-pk"))


def tray_size(actor_id: UUID) -> int:
    return len(TrayLine.objects.filter(actor_id=actor_id).values_list("pk"))  # a tray is small


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    variant: UUID
    sku: str
    name: str
    tracking: str
    lot: str
    expires_on: date | None
    quantity: Decimal

    @property
    def key(self) -> str:
        return line_key(self.variant, self.lot, self.expires_on)

    @property
    def lacks_lot(self) -> bool:
        return self.tracking != "none" and not self.lot


def line_key(variant: UUID, lot: str, expires_on: date | None) -> str:
    """What tells a line from the others."""
    return f"{variant}-{lot}-{expires_on or ''}"


def receipt_lines(draft: ReceiptDraft) -> list[ReceiptLine]:
    """In the order in which they were begun; what was taken back is none."""
    entries = ReceiptDraftEntry.objects.filter(draft=draft)
    names = ("variant_id", "variant__sku", "variant__name", "variant__product__tracking", "lot", "expires_on")
    sums = entries.values(*names).annotate(first=Min("created_at"), total=Sum("quantity")).filter(total__gt=0)
    found = sums.order_by("first", "variant__sku", "lot")
    return [ReceiptLine(*row) for row in found.values_list(*names, "total")]

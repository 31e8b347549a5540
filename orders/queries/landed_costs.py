"""What may still be landed of a bill, and what a landed cost added to which goods."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from inventory.queries.landed_costs import added_by
from orders.models import GoodsReceiptItem, LandedCost, SupplierBillItem

ZERO = Decimal(0)


def left_to_land(bill_id: UUID, *, besides: UUID | None = None) -> Decimal:
    """What a bill asks for besides goods that came, which it revalues itself; without tax, and without what other costs hold."""
    asked = SupplierBillItem.objects.filter(bill=bill_id, order_item__received_quantity=0).aggregate(sum=Sum("net_amount"))
    held = LandedCost.objects.filter(bill=bill_id, status__in=LandedCost.HOLDS).exclude(pk=besides).aggregate(sum=Sum("amount"))
    return (asked["sum"] or ZERO) - (held["sum"] or ZERO)


def receipt_lines(cost: LandedCost) -> list[GoodsReceiptItem]:
    """What its receipts took in."""
    rows = GoodsReceiptItem.objects.filter(receipt__landed_costs__cost=cost, quantity__gt=0)
    return list(rows.select_related("receipt", "variant").order_by("receipt_id", "line"))


def shares(cost: LandedCost, document_type: str) -> list[dict[str, Any]]:
    """Of one that was posted: what came to which line of a receipt."""
    return shared(cost, added_by(document_type, cost.pk))


def shared(cost: LandedCost, amounts: dict[UUID, Decimal]) -> list[dict[str, Any]]:
    """`amounts` by move."""
    return [
        {
            "receipt": line.receipt_id, "receipt_number": line.receipt.number, "receipt_line": line.pk, "move": line.move_id,
            "variant": line.variant_id, "sku": line.variant.sku, "quantity": line.quantity,
            "amount": amounts.get(line.move_id, ZERO),  # type: ignore[arg-type]  # what was taken in has one
        }
        for line in receipt_lines(cost)
    ]

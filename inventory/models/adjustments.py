from django.db import models
from django.db.models import Q

from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Location, Warehouse
from inventory.models.lots import Lot
from inventory.models.stock import ReasonCode


class StockAdjustment(TenantModel):
    """A correction over the limit of its reason: posted when somebody else approves it, against the balances of then."""

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    reason = TenantForeignKey(ReasonCode, related_name="+", editable=False)
    note = models.CharField(max_length=500, blank=True, editable=False)
    occurred_at = models.DateTimeField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING, editable=False)
    idempotency_key = models.CharField(max_length=100, blank=True, editable=False)
    requested_by = models.UUIDField(null=True, editable=False)
    decided_by = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decision_note = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        permissions = [("approve_stockadjustment", "Can approve and reject stock adjustments")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"], condition=~Q(idempotency_key=""), name="stock_adjustment_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status", "id"], name="stock_adjustment_by_status"),
            models.Index(fields=["organization", "warehouse", "id"], name="stock_adjustment_by_warehouse"),
            models.Index(fields=["organization", "reason"], name="stock_adjustment_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.reason}, {self.created_at:%Y-%m-%d %H:%M}"


class StockAdjustmentLine(TenantModel):
    """Either `change` or `counted`. `seen` is the balance when it was asked for."""

    stands_in = ("location.warehouse",)

    adjustment = TenantForeignKey(StockAdjustment, related_name="lines")
    line = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    location = TenantForeignKey(Location, related_name="+")
    lot = TenantForeignKey(Lot, null=True, blank=True, related_name="+")
    change = QuantityField(null=True, blank=True)
    counted = QuantityField(null=True, blank=True)
    seen = QuantityField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "adjustment", "line"], name="stock_adjustment_line_once"),
            models.CheckConstraint(
                condition=Q(change__isnull=True) ^ Q(counted__isnull=True), name="stock_adjustment_line_says_one",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant"], name="adjustment_line_by_variant"),
            models.Index(fields=["organization", "location"], name="adjustment_line_by_location"),
            models.Index(fields=["organization", "lot"], name="adjustment_line_by_lot"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} at {self.location}"

from django.db import models
from django.db.models import F, Q

from core.fields import QuantityField
from core.models import RuntimeModel, TenantForeignKey
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Warehouse
from inventory.models.lots import Lot
from inventory.models.stock import StockItem


class Reservation(RuntimeModel):
    """Stock promised to a demand, which the inventory knows by its name and ids alone.

    Without a stock item it is soft: demand that waits for goods, and holds none. What an active one has left to pick is
    in its stock item's `reserved`.
    """

    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        CONSUMED = "consumed", "Consumed"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"

    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    stock_item = TenantForeignKey(StockItem, null=True, blank=True, related_name="reservations")
    lot = TenantForeignKey(Lot, null=True, blank=True, related_name="+")
    quantity = QuantityField()
    picked_quantity = QuantityField(default=0)
    demand_type = models.CharField(max_length=40, help_text="Such as sales_order.")
    demand_id = models.UUIDField()
    demand_line_id = models.UUIDField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    closed_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=100, blank=True)
    line = models.PositiveIntegerField(default=0)
    actor_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField("API key", null=True)

    class Meta:
        permissions = [
            ("reserve_stock", "Can reserve stock"), ("release_stock", "Can release reservations"),
            ("pick_stock", "Can pick what is reserved"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key", "line"], condition=~Q(idempotency_key=""), name="reservation_once",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, picked_quantity__gte=0, picked_quantity__lte=F("quantity")),
                name="reservation_quantities",
            ),
            models.CheckConstraint(
                condition=Q(status="active", closed_at__isnull=True) | ~Q(status="active") & Q(closed_at__isnull=False),
                name="reservation_closed_when_not_active",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "id"], name="reservation_by_variant"),
            models.Index(fields=["organization", "warehouse", "id"], name="reservation_by_warehouse"),
            models.Index(fields=["organization", "stock_item", "id"], name="reservation_by_stock_item"),
            models.Index(fields=["organization", "lot", "id"], name="reservation_by_lot"),
            models.Index(fields=["organization", "demand_id", "id"], name="reservation_by_demand"),
            models.Index(fields=["organization", "status", "id"], name="reservation_by_status"),
            models.Index(
                fields=["expires_at"], condition=Q(status="active", expires_at__isnull=False), name="reservation_expiring",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} for {self.demand_type} {self.demand_id}"

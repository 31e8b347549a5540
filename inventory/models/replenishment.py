from django.db import models
from django.db.models import ExpressionWrapper, F, Q

from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Warehouse
from inventory.models.suppliers import Supplier
from inventory.models.vehicles import VehicleModel


class ReorderRule(TenantModel):
    """When a variant's stock in a warehouse is too low. Fires when `level` <= `min_quantity`.

    `level` is the stock that `basis` looks at. Each posting keeps it, so that finding what is low reads an
    index; `manage.py verify` compares it with the stock.

    A rule for a vehicle model looks at the same pieces, which fit other vehicles as well: only its threshold is its own.
    """

    audit_ignored = ("level", "is_low")
    stands_in = ("warehouse",)

    class Basis(models.TextChoices):
        ON_HAND = "on_hand", "On hand"
        AVAILABLE = "available", "Available: not reserved, not in quarantine or scrap"
        PROJECTED = "projected", "Projected: available and incoming"

    variant = TenantForeignKey(ProductVariant, related_name="reorder_rules")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    vehicle_model = TenantForeignKey(
        VehicleModel, null=True, blank=True, related_name="+",
        help_text="What must be there for this vehicle, which the part fits. Empty: for all of them.",
    )
    basis = models.CharField(max_length=10, choices=Basis, default=Basis.AVAILABLE)
    min_quantity = QuantityField()
    max_quantity = QuantityField(null=True, blank=True, help_text="Order up to this level.")
    order_quantity = QuantityField(null=True, blank=True, help_text="Order this much, whatever the level.")
    preferred_supplier = TenantForeignKey(Supplier, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(default=True)
    level = QuantityField(default=0, editable=False)
    is_low = models.GeneratedField(
        expression=ExpressionWrapper(Q(level__lte=F("min_quantity")), models.BooleanField()),
        output_field=models.BooleanField(), db_persist=True,
    )

    class Meta:
        permissions = [("run_reorder_check", "Can run the reorder check")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "warehouse", "vehicle_model"], name="reorder_rule_per_vehicle",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(min_quantity__gte=0), name="reorder_rule_min_not_negative"),
            models.CheckConstraint(
                condition=Q(max_quantity__isnull=True) | Q(max_quantity__gt=F("min_quantity")), name="reorder_rule_max_above_min",
                violation_error_message="The maximum must be above the minimum.",
            ),
            models.CheckConstraint(
                condition=Q(order_quantity__isnull=True) | Q(order_quantity__gt=0), name="reorder_rule_order_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "warehouse"], name="reorder_rule_by_warehouse"),
            models.Index(fields=["organization", "vehicle_model"], name="reorder_rule_by_vehicle"),
            models.Index(fields=["organization", "preferred_supplier"], name="reorder_rule_by_supplier"),
            models.Index(fields=["organization", "id"], condition=Q(is_low=True, is_active=True), name="reorder_rule_low"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} in {self.warehouse}"


class ReorderTask(TenantModel):
    """Something to buy, found by the check: of one variant for one warehouse at most one that is unfinished.

    `explanation` holds the numbers it used.
    """

    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ORDERED = "ordered", "Ordered"
        SNOOZED = "snoozed", "Snoozed"
        DISMISSED = "dismissed", "Dismissed"
        DONE = "done", "Done"

    annotated = True
    UNFINISHED = (Status.OPEN, Status.ORDERED, Status.SNOOZED)

    rule = TenantForeignKey(ReorderRule, related_name="tasks")
    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    supplier = TenantForeignKey(Supplier, null=True, blank=True, related_name="+")
    triggered_quantity = QuantityField(editable=False)
    threshold = QuantityField(editable=False)
    suggested_quantity = QuantityField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    due_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    explanation = models.JSONField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "warehouse"], condition=Q(status__in=["open", "ordered", "snoozed"]),
                name="reorder_task_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status", "id"], name="reorder_task_by_status"),
            models.Index(fields=["organization", "rule"], name="reorder_task_by_rule"),
            models.Index(fields=["organization", "variant"], name="reorder_task_by_variant"),
            models.Index(fields=["organization", "warehouse"], name="reorder_task_by_warehouse"),
            models.Index(fields=["organization", "supplier"], name="reorder_task_by_supplier"),
        ]

    def __str__(self) -> str:
        return f"{self.variant}: {self.suggested_quantity}"

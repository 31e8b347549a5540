from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Q

from accounts.models import Membership
from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Warehouse
from inventory.models.suppliers import Supplier
from inventory.models.transfers import TransferOrder
from inventory.models.vehicles import VehicleModel


class ReorderRule(TenantModel):
    """When a variant's stock in a warehouse is too low. Fires when `level` <= `min_quantity`.

    `level` is the stock that `basis` looks at. Each posting keeps it, so that finding what is low reads an
    index; `manage.py verify` compares it with the stock.

    A rule for a vehicle model looks at the same pieces, which fit other vehicles as well: only its threshold is its own.
    """

    audit_ignored = ("level", "is_low", "quiet_at")
    stands_in = ("warehouse",)

    class Method(models.TextChoices):
        FIXED = "fixed", "Fixed: as it is written here"
        FORECAST = "forecast", "By forecast: the demand of the lead time, and safety stock"

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
    method = models.CharField(
        "minimum", max_length=8, choices=Method, default=Method.FIXED, db_default=Method.FIXED, help_text="Where it comes from.",
    )
    min_quantity = QuantityField(help_text="Low at or under this. By forecast: computed, and until there is one as written here.")
    max_quantity = QuantityField(null=True, blank=True, help_text="Order up to this level.")
    cover_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="By forecast: how many days' demand to order; the maximum is computed.",
    )
    safety_stock = QuantityField(
        null=True, blank=True, help_text="By forecast. Empty: as much as the forecast's error and the service level ask for.",
    )
    service_level = models.PositiveSmallIntegerField(
        default=95, db_default=95, validators=[MinValueValidator(50), MaxValueValidator(99)],
        help_text="By forecast: in how many of a hundred lead times the stock shall last.",
    )
    lead_time_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="From the order to the shelf. Empty: as the supplier says.",
    )
    order_quantity = QuantityField(null=True, blank=True, help_text="Order this much, whatever the level.")
    preferred_supplier = TenantForeignKey(Supplier, null=True, blank=True, related_name="+")
    source_warehouse = TenantForeignKey(
        Warehouse, null=True, blank=True, related_name="+",
        help_text="Where goods are fetched before any are bought, as long as that has enough above its own minimum.",
    )
    is_active = models.BooleanField(default=True)
    level = QuantityField(default=0, editable=False)
    explanation = models.JSONField(null=True, editable=False, help_text="By forecast: what the minimum was computed from.")
    quiet_at = QuantityField(null=True, editable=False)  # the level at which a task was dismissed, until it is above the minimum
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
            models.CheckConstraint(
                condition=Q(safety_stock__isnull=True) | Q(safety_stock__gte=0), name="reorder_rule_safety_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(service_level__gte=50, service_level__lte=99), name="reorder_rule_service_level",
                violation_error_message="A service level is from 50 to 99.",
            ),
            models.CheckConstraint(
                condition=~Q(method="forecast") | Q(max_quantity__isnull=True) | Q(cover_days__isnull=False),
                name="reorder_rule_forecast_covers_days",
                violation_error_message="By forecast the maximum is computed: give cover_days in its place.",
            ),
            models.CheckConstraint(
                condition=Q(source_warehouse__isnull=True) | ~Q(source_warehouse=F("warehouse")),
                name="reorder_rule_fetches_elsewhere", violation_error_message="Goods are fetched from another warehouse.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "warehouse"], name="reorder_rule_by_warehouse"),
            models.Index(fields=["organization", "vehicle_model"], name="reorder_rule_by_vehicle"),
            models.Index(fields=["organization", "preferred_supplier"], name="reorder_rule_by_supplier"),
            models.Index(fields=["organization", "source_warehouse"], name="reorder_rule_by_source"),
            models.Index(fields=["organization", "id"], condition=Q(is_low=True, is_active=True), name="reorder_rule_low"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} in {self.warehouse}"


class ReorderTask(TenantModel):
    """Something to buy, found by the check: of one variant for one warehouse at most one that is unfinished.

    `explanation` holds the numbers it used. What is ordered and has not been received is on its way (`INCOMING`).
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
    UNDECIDED = (Status.OPEN, Status.SNOOZED)

    rule = TenantForeignKey(ReorderRule, related_name="tasks")
    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    supplier = TenantForeignKey(Supplier, null=True, blank=True, related_name="+")
    source_warehouse = TenantForeignKey(
        Warehouse, null=True, blank=True, related_name="+", help_text="From where to transfer, in the place of buying.",
    )
    transfer_order = TenantForeignKey(TransferOrder, null=True, blank=True, related_name="+", editable=False)
    triggered_quantity = QuantityField(editable=False)
    threshold = QuantityField(editable=False)
    suggested_quantity = QuantityField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    assignee = TenantForeignKey(Membership, null=True, blank=True, related_name="+")
    due_on = models.DateField(null=True, blank=True, help_text="When goods that are ordered at once would come, or are expected.")
    snoozed_until = models.DateField(null=True, blank=True)
    dismissed_because = models.CharField(max_length=500, blank=True, db_default="")
    ordered_quantity = QuantityField(null=True, blank=True)
    received_quantity = QuantityField(default=0, db_default=0, help_text="Of what was ordered.")
    ordered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    explanation = models.JSONField(editable=False)

    class Meta:
        permissions = [("order_reordertask", "Can order what reorder tasks suggest")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "warehouse"], condition=Q(status__in=["open", "ordered", "snoozed"]),
                name="reorder_task_once",
            ),
            models.CheckConstraint(
                condition=Q(ordered_quantity__isnull=True) | Q(ordered_quantity__gt=0), name="reorder_task_ordered_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status", "id"], name="reorder_task_by_status"),
            models.Index(fields=["organization", "rule"], name="reorder_task_by_rule"),
            models.Index(fields=["organization", "variant"], name="reorder_task_by_variant"),
            models.Index(fields=["organization", "warehouse"], name="reorder_task_by_warehouse"),
            models.Index(fields=["organization", "supplier"], name="reorder_task_by_supplier"),
            models.Index(fields=["organization", "assignee", "id"], name="reorder_task_by_assignee"),
            models.Index(fields=["organization", "source_warehouse"], name="reorder_task_by_source"),
            models.Index(fields=["organization", "transfer_order"], name="reorder_task_by_transfer"),
            models.Index(fields=["organization", "snoozed_until"], condition=Q(status="snoozed"), name="reorder_task_snoozed"),
        ]

    def __str__(self) -> str:
        return f"{self.variant}: {self.suggested_quantity}"

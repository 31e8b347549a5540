from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import Category, ProductVariant
from inventory.models.locations import Location, Warehouse
from inventory.models.lots import Lot
from inventory.models.stock import ReasonCode

LONGEST_INTERVAL, LARGEST_SHEET = 3_650, 10_000


def percent_field() -> models.DecimalField:
    return models.DecimalField(
        max_digits=7, decimal_places=3, null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="Of the book quantity. A line that differs by more has to be counted again before it is posted.",
    )


def tolerance_field() -> QuantityField:
    return QuantityField(
        null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="A line that differs by more has to be counted again before it is posted.",
    )


class StockCountPlan(TenantModel):
    """How often the goods of a class are counted in a warehouse: each night a sheet is opened of those that are due."""

    stands_in = ("warehouse",)

    warehouse = TenantForeignKey(Warehouse, related_name="+")
    abc_class = models.CharField(
        "ABC class", max_length=1, choices=ProductVariant.AbcClass, blank=True, help_text="Empty: all variants.",
    )
    every_days = models.PositiveIntegerField(
        default=90, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_INTERVAL)],
        help_text="Each place is counted once in so many days.",
    )
    lines_at_once = models.PositiveIntegerField(
        default=50, validators=[MinValueValidator(1), MaxValueValidator(LARGEST_SHEET)],
        help_text="No more on one sheet; what was not counted for longest comes first.",
    )
    is_blind = models.BooleanField("blind", default=True, help_text="Who counts does not see what is booked.")
    tolerance_quantity = tolerance_field()
    tolerance_percent = percent_field()
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "warehouse", "abc_class"], name="stock_count_plan_once",
                violation_error_message="There is a plan for this class in this warehouse already.",
            ),
            models.CheckConstraint(
                condition=Q(every_days__gte=1, every_days__lte=LONGEST_INTERVAL, lines_at_once__gte=1,
                            lines_at_once__lte=LARGEST_SHEET)
                & (Q(tolerance_quantity__isnull=True) | Q(tolerance_quantity__gte=0))
                & (Q(tolerance_percent__isnull=True) | Q(tolerance_percent__gte=0)),
                name="stock_count_plan_numbers", violation_error_message="A number is too small or too large.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.abc_class or 'All'} in {self.warehouse} every {self.every_days} days"


class StockCount(TenantModel):
    """A sheet of places to look at. Goods keep moving meanwhile; see queries/counts.py."""

    annotated = True
    stands_in = ("warehouse",)

    class Kind(models.TextChoices):
        FULL = "full", "Full"
        CYCLE = "cycle", "Cycle"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PENDING = "pending", "Waits for approval"
        POSTED = "posted", "Posted"
        CANCELLED = "cancelled", "Canceled"

    UNFINISHED = (Status.OPEN, Status.PENDING)

    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.FULL, editable=False)
    location = TenantForeignKey(
        Location, null=True, blank=True, related_name="+", editable=False, help_text="It and all below it; empty: the warehouse.",
    )
    category = TenantForeignKey(Category, null=True, blank=True, related_name="+", editable=False)
    abc_class = models.CharField("ABC class", max_length=1, choices=ProductVariant.AbcClass, blank=True, editable=False)
    plan = TenantForeignKey(StockCountPlan, null=True, blank=True, related_name="+", editable=False)
    is_blind = models.BooleanField("blind", default=True, editable=False, help_text="Who counts does not see what is booked.")
    tolerance_quantity = tolerance_field()
    tolerance_percent = percent_field()
    reason = TenantForeignKey(ReasonCode, related_name="+", editable=False)
    note = models.CharField(max_length=500, blank=True, editable=False)
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN, editable=False)
    requested_by = models.UUIDField(null=True, editable=False)
    decided_by = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decision_note = models.CharField(max_length=500, blank=True, editable=False)
    posted_at = models.DateTimeField(null=True, blank=True, editable=False)
    promises_lost = models.PositiveIntegerField(
        default=0, db_default=0, editable=False,
        help_text="How many reservations gave way, because their goods were not found: they are promised from elsewhere or wait.",
    )

    class Meta:
        permissions = [
            ("record_stockcount", "Can count stock"),
            ("post_stockcount", "Can see what a count found, have lines counted again, and post it"),
            ("approve_stockcount", "Can approve and reject stock counts over a limit"),
        ]
        indexes = [
            models.Index(fields=["organization", "status", "id"], name="stock_count_by_status"),
            models.Index(fields=["organization", "warehouse", "id"], name="stock_count_by_warehouse"),
            models.Index(fields=["organization", "location", "id"], name="stock_count_by_location"),
            models.Index(fields=["organization", "category"], name="stock_count_by_category"),
            models.Index(fields=["organization", "plan"], name="stock_count_by_plan"),
            models.Index(fields=["organization", "reason"], name="stock_count_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} count of {self.location or self.warehouse}"


class StockCountLine(TenantModel):
    """What lies at one place. `snapshot_seq` is the last move that was booked when it was counted.

    `book` and the move that made it so are known once the line is posted; until then queries/counts.py says them.
    """

    stands_in = ("location.warehouse",)

    count = TenantForeignKey(StockCount, related_name="lines")
    line = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    location = TenantForeignKey(Location, related_name="+")
    lot = TenantForeignKey(Lot, null=True, blank=True, related_name="+")
    is_found = models.BooleanField("unexpected", default=False)
    counted = QuantityField(null=True, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)
    counted_by = models.UUIDField(null=True)
    snapshot_seq = models.BigIntegerField(null=True, blank=True)
    recounts = models.PositiveSmallIntegerField(default=0)
    counted_before = QuantityField(null=True, blank=True)
    book = QuantityField(null=True, blank=True)
    difference = models.GeneratedField(
        expression=F("counted") - F("book"), output_field=QuantityField(null=True), db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "count", "variant", "location", "lot"], nulls_distinct=False,
                name="stock_count_line_once",
            ),
            models.CheckConstraint(condition=Q(counted__isnull=True) | Q(counted__gte=0), name="stock_count_not_negative"),
            models.CheckConstraint(
                condition=Q(counted__isnull=True, counted_at__isnull=True, snapshot_seq__isnull=True)
                | Q(counted__isnull=False, counted_at__isnull=False, snapshot_seq__isnull=False),
                name="stock_count_line_counted_whole",
            ),
            models.CheckConstraint(
                condition=Q(book__isnull=True) | Q(counted__isnull=False), name="stock_count_line_posted_counted",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "count", "line", "id"], name="stock_count_line_in_order"),
            models.Index(fields=["organization", "variant", "location"], name="stock_count_line_by_variant"),
            models.Index(fields=["organization", "location"], name="stock_count_line_by_location"),
            models.Index(fields=["organization", "lot"], name="stock_count_line_by_lot"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} at {self.location}"

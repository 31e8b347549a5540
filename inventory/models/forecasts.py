from django.db import models

from core.fields import QuantityField
from core.models import RuntimeModel, TenantForeignKey
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Warehouse


class DemandForecast(RuntimeModel):
    """How much of a variant leaves a warehouse in the week that begins on `period_start`, a Monday.

    Of the methods the one was taken whose forecasts of the weeks before were best. `error` is the root mean square of what
    they were wrong by, in units a week; null while there are too few weeks to measure it.
    """

    stands_in = ("warehouse",)

    class Method(models.TextChoices):
        AVERAGE = "average", "Moving average"
        SMOOTHING = "smoothing", "Exponential smoothing"
        CROSTON = "croston", "Croston, for slow movers"

    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    period_start = models.DateField()
    method = models.CharField(max_length=9, choices=Method)
    quantity = QuantityField()
    low = QuantityField(help_text="In nine of ten weeks the demand is more than this.")
    high = QuantityField(help_text="In nine of ten weeks the demand is less than this.")
    error = QuantityField(null=True, help_text="Root mean square of what the method was wrong by, in units a week.")
    method_errors = models.JSONField(help_text="The error of each method.")
    weeks = models.PositiveSmallIntegerField(help_text="How many weeks' demand it was made of.")
    actual = QuantityField(null=True, help_text="What the demand was, once the week is over.")
    computed_at = models.DateTimeField()

    class Meta:
        permissions = [("run_demandforecast", "Can compute demand forecasts")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "warehouse", "period_start"], name="demand_forecast_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "warehouse", "id"], name="demand_forecast_by_warehouse"),
            models.Index(fields=["organization", "period_start", "id"], name="demand_forecast_by_period"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} in the week of {self.period_start}"

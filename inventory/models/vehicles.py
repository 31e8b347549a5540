from django.db import models
from django.db.models import Q

from core.fields import QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant


class VehicleModel(TenantModel):
    annotated = True

    make = models.CharField(max_length=60)
    model = models.CharField(max_length=100)
    model_key = SearchKeyField("model")
    year = models.PositiveSmallIntegerField()
    engine = models.CharField(max_length=60, blank=True)
    trim = models.CharField(max_length=60, blank=True)
    vehicle_type = models.CharField(max_length=40, blank=True)
    fuel = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "make", "model", "year", "engine", "trim"], name="vehicle_model_once",
                violation_error_message="This vehicle model is there already.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "model_key"], name="vehicle_model_search"),
            models.Index(fields=["organization", "model", "year"], name="vehicle_model_by_model"),
            models.Index(fields=["organization", "year", "id"], name="vehicle_model_by_year"),
        ]

    def __str__(self) -> str:
        return f"{self.make} {self.model} {self.year}"


class Fitment(TenantModel):
    """Which part fits which vehicle, and where."""

    variant = TenantForeignKey(ProductVariant, related_name="fitments")
    vehicle_model = TenantForeignKey(VehicleModel, related_name="fitments")
    position = models.CharField(max_length=40, blank=True, help_text="Such as front left.")
    quantity_per_vehicle = QuantityField(default=1)
    notes = models.CharField(max_length=200, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "variant", "vehicle_model", "position"], name="fitment_once"),
            models.CheckConstraint(condition=Q(quantity_per_vehicle__gt=0), name="fitment_quantity_positive"),
        ]
        indexes = [models.Index(fields=["organization", "vehicle_model", "variant", "id"], name="fitment_by_vehicle")]

    def __str__(self) -> str:
        return f"{self.variant} in {self.vehicle_model}"

from django.db import models

from core.fields import SearchKeyField
from core.models import TenantModel


class VehicleModel(TenantModel):
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
        indexes = [models.Index(fields=["organization", "model_key"], name="vehicle_model_search")]

    def __str__(self) -> str:
        return f"{self.make} {self.model} {self.year}"

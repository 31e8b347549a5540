from django.db import models

from core.fields import SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant


class Lot(TenantModel):
    """A batch, or one piece with its serial number. What is not released is on hand, not available."""

    annotated = True

    class Kind(models.TextChoices):
        LOT = "lot", "Lot"
        SERIAL = "serial", "Serial number"

    class Status(models.TextChoices):
        RELEASED = "released", "Released"
        QUARANTINE = "quarantine", "Quarantine"
        BLOCKED = "blocked", "Blocked"
        RECALLED = "recalled", "Recalled"

    variant = TenantForeignKey(ProductVariant, related_name="lots")
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.LOT)
    code = models.CharField(max_length=80)
    code_key = SearchKeyField("code")
    expires_on = models.DateField(null=True, blank=True)
    best_before = models.DateField(null=True, blank=True)
    supplier_lot = models.CharField("supplier's lot", max_length=80, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.RELEASED)

    class Meta:
        permissions = [("hold_lot", "Can quarantine, block and recall lots"), ("release_lot", "Can release lots")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "code"], name="lot_code_per_variant",
                violation_error_message="This variant has a lot of this code already.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "code_key"], name="lot_search"),
            models.Index(fields=["organization", "variant", "expires_on", "id"], name="lot_first_expiring"),
            models.Index(fields=["organization", "status", "id"], name="lot_by_status"),
            models.Index(fields=["organization", "expires_on", "id"], name="lot_by_expiry"),
        ]

    def __str__(self) -> str:
        return self.code

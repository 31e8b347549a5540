from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.gs1.digits import SSCC, is_digits, wrong_digit
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Location
from inventory.models.lots import Lot


def validate_sscc(text: str) -> None:
    if not is_digits(text) or len(text) != SSCC:
        raise ValidationError(f"An SSCC has {SSCC} digits.")
    if wrong := wrong_digit(text):
        raise ValidationError(f"{wrong} Was it read whole?")


class LogisticUnit(TenantModel):
    """A parcel or a pallet, with the number on its label. Parcels stand on a pallet by `parent`, and where it stands."""

    annotated = True
    tree_depth = 5
    stands_in = ("location.warehouse",)

    class Kind(models.TextChoices):
        PARCEL = "parcel", "Parcel"
        PALLET = "pallet", "Pallet"
        CONTAINER = "container", "Container"

    sscc = models.CharField(
        "SSCC", max_length=SSCC, blank=True, validators=[validate_sscc],
        help_text="Of a unit that came with a label. Empty: the next one with the company's GS1 prefix.",
    )
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.PARCEL)
    parent = TenantForeignKey("self", null=True, blank=True, related_name="children")
    location = TenantForeignKey(Location, null=True, blank=True, related_name="+")
    weight = QuantityField(null=True, blank=True, help_text="In kilograms, with what is in it.")

    class Meta:
        permissions = [("pack_logisticunit", "Can pack goods into logistic units and unpack them")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sscc"], name="logistic_unit_sscc",
                violation_error_message="There is a unit with this SSCC already.",
            ),
            models.CheckConstraint(
                condition=Q(weight__isnull=True) | Q(weight__gt=0), name="logistic_unit_weight_positive",
                violation_error_message="A weight is above zero.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "parent"], name="logistic_unit_by_parent"),
            models.Index(fields=["organization", "location", "id"], name="logistic_unit_by_location"),
            models.Index(fields=["organization", "kind", "id"], name="logistic_unit_by_kind"),
        ]

    def __str__(self) -> str:
        return self.sscc


class LogisticUnitContent(TenantModel):
    """What is packed in a unit itself, without what is in those that stand on it. It lies where the unit stands."""

    stands_in = ("unit.location.warehouse",)

    unit = TenantForeignKey(LogisticUnit, related_name="contents")
    variant = TenantForeignKey(ProductVariant, related_name="+")
    lot = TenantForeignKey(Lot, null=True, related_name="+")
    quantity = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "unit", "variant", "lot"], nulls_distinct=False, name="logistic_unit_content_once",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="logistic_unit_content_positive"),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "lot"], name="logistic_unit_content_variant"),
            models.Index(fields=["organization", "lot"], name="logistic_unit_content_lot"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.variant}"

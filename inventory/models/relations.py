from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant


class ProductRelation(TenantModel):
    """Reads as a sentence: `from_variant` supersedes, is an alternative to, or is an accessory of `to_variant`.

    A part is superseded by one other at most, and never by itself in a circle, so there is one current part.
    """

    class Kind(models.TextChoices):
        SUPERSEDES = "supersedes", "supersedes"
        ALTERNATIVE = "alternative", "is an alternative to"
        ACCESSORY = "accessory", "is an accessory of"

    from_variant = TenantForeignKey(ProductVariant, related_name="relations")
    kind = models.CharField(max_length=11, choices=Kind)
    to_variant = TenantForeignKey(ProductVariant, related_name="+")
    valid_from = models.DateField(null=True, blank=True, help_text="Counts from this day on; empty: always.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "product relation"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "from_variant", "to_variant", "kind"], name="product_relation_once",
                violation_error_message="This relation is there already.",
            ),
            models.UniqueConstraint(
                fields=["organization", "to_variant"], condition=Q(kind="supersedes"), name="product_relation_one_successor",
                violation_error_message="This part is superseded already: let the newest part supersede its successor.",
            ),
            models.CheckConstraint(
                condition=~Q(from_variant=models.F("to_variant")), name="product_relation_of_two",
                violation_error_message="A part is not related to itself.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "to_variant", "kind"], name="product_relation_by_target")]

    def __str__(self) -> str:
        return f"{self.from_variant} {self.get_kind_display()} {self.to_variant}"

from django.db import models
from django.db.models import Q

from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant


class BomLine(TenantModel):
    """A component of an assembly or a kit: so much of it goes into one. The database refuses a loop."""

    assembly = TenantForeignKey(ProductVariant, related_name="bom_lines")
    component = TenantForeignKey(ProductVariant, related_name="+")
    quantity = QuantityField(help_text="For one of the assembly, in the component's base unit.")
    scrap_percent = models.DecimalField(
        max_digits=5, decimal_places=2, default=0, help_text="Lost in the making: 5 takes 1.05 for each 1.",
    )
    is_optional = models.BooleanField(default=False, help_text="Not counted unless somebody asks for it.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower ones are shown first.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "bill of materials line"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "assembly", "component"], name="bom_line_once",
                violation_error_message="This component is in the bill of materials already.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="bom_line_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(scrap_percent__gte=0), name="bom_line_scrap_not_negative",
                violation_error_message="The scrap cannot be less than 0 percent.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "component"], name="bom_line_by_component")]

    def __str__(self) -> str:
        return f"{self.component}: {self.quantity.normalize():f}"

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from core.fields import QuantityField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import Product, ProductVariant, UnitOfMeasure

attribute_code = RegexValidator(
    r"^[a-z](?:_?[a-z0-9])*\Z", "Small letters, digits and single underscores, a letter first: storage.",
)


class AttributeDefinition(TenantModel):
    """Something that products or variants have a value of: storage, color, voltage."""

    class DataType(models.TextChoices):
        TEXT = "text", "Text"
        CHOICE = "choice", "Choice"
        INTEGER = "integer", "Whole number"
        DECIMAL = "decimal", "Number"
        MEASURE = "measure", "Measure: a number with a unit"
        BOOLEAN = "boolean", "Yes or no"
        DATE = "date", "Date"

    code = models.CharField(max_length=40, validators=[attribute_code], help_text="Its name for programs and filters.")
    name = models.CharField(max_length=100)
    data_type = models.CharField(max_length=8, choices=DataType, default=DataType.TEXT)
    unit = TenantForeignKey(
        UnitOfMeasure, null=True, blank=True, related_name="+",
        help_text="Of a measure: the unit of values that name none. Others of its dimension are converted.",
    )
    options = ArrayField(models.CharField(max_length=100), default=list, blank=True, size=200, help_text="Of a choice.")
    is_variant_axis = models.BooleanField(
        default=False, help_text="Tells the variants of a product apart: no two of them have the same values on all axes.",
    )
    is_filterable = models.BooleanField(default=True, help_text="Lists can be filtered by it.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower ones are shown first.")

    class Meta:
        verbose_name = "attribute"
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="attribute_code_per_organization"),
            models.CheckConstraint(
                condition=Q(data_type="measure", unit__isnull=False) | (~Q(data_type="measure") & Q(unit__isnull=True)),
                name="attribute_unit", violation_error_message="A measure has a unit, and no other type has.",
            ),
            models.CheckConstraint(
                condition=Q(data_type="choice", options__len__gt=0) | (~Q(data_type="choice") & Q(options=[])),
                name="attribute_options", violation_error_message="A choice has options, and no other type has.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "unit"], name="attribute_by_unit")]

    def __str__(self) -> str:
        return self.name


class ProductAttributeValue(TenantModel):
    """What a product has of an attribute, or one of its variants; of a variant the database fills in the product.

    `key` is made by the database: the value as text that sorts as the value does, a number in the base unit of its
    dimension. Text is compared by indexes under row security, numbers are not (ADR 34).
    """

    audit_ignored = ("key",)

    definition = TenantForeignKey(AttributeDefinition, related_name="values", verbose_name="attribute")
    product = TenantForeignKey(Product, models.CASCADE, related_name="attribute_values")
    variant = TenantForeignKey(ProductVariant, models.CASCADE, null=True, blank=True, related_name="attribute_values")
    value_text = models.CharField("text", max_length=400, null=True, blank=True)
    value_number = QuantityField("number", null=True, blank=True)
    unit = TenantForeignKey(UnitOfMeasure, null=True, blank=True, related_name="+")
    value_boolean = models.BooleanField("yes or no", null=True, blank=True)
    value_date = models.DateField("date", null=True, blank=True)
    key = models.CharField(max_length=800, db_collation="C", null=True, editable=False)

    class Meta:
        verbose_name = "attribute value"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "product", "variant", "definition"], nulls_distinct=False, name="attribute_value_once",
                violation_error_message="There is a value of this attribute already.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(value_text__isnull=False, value_number__isnull=True, value_boolean__isnull=True, value_date__isnull=True)
                    | Q(value_text__isnull=True, value_number__isnull=False, value_boolean__isnull=True, value_date__isnull=True)
                    | Q(value_text__isnull=True, value_number__isnull=True, value_boolean__isnull=False, value_date__isnull=True)
                    | Q(value_text__isnull=True, value_number__isnull=True, value_boolean__isnull=True, value_date__isnull=False)
                ),
                name="attribute_value_one_column", violation_error_message="Give exactly one value.",
            ),
            models.CheckConstraint(
                condition=Q(value_text__isnull=True) | ~Q(value_text=""), name="attribute_value_not_empty",
                violation_error_message="This may not be empty: delete the value instead.",
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | Q(value_number__isnull=False), name="attribute_value_unit",
                violation_error_message="Only a number has a unit.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "definition"], name="attribute_value_by_variant"),
            models.Index(
                fields=["organization", "definition", "key"], include=["variant", "product"], name="attribute_value_by_key",
            ),
            models.Index(fields=["organization", "unit"], name="attribute_value_by_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.definition}: {shown(self)}"


def shown(value: ProductAttributeValue) -> str:
    """In words, with its unit."""
    if value.value_boolean is not None:
        return "yes" if value.value_boolean else "no"
    if value.value_number is None:
        return value.value_text or str(value.value_date)
    number = f"{value.value_number.normalize():f}"
    return f"{number} {value.unit.symbol or value.unit.code}" if value.unit else number

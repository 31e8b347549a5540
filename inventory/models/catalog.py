from django.db import models
from django.db.models import Q

from accounts.models import Party
from accounts.models.partners import country_code
from core.custom_fields import CustomFieldsModel
from core.fields import MoneyField, QuantityField, SearchKeyField
from core.models import ArchivableModel, TenantForeignKey, TenantModel, external_ref, external_ref_unique
from inventory.models.taxes import TaxCategory


class UnitOfMeasure(TenantModel):
    """By the codes of UN/ECE Recommendation 20, such as C62 (piece) and KGM (kilogram).

    One of these is `factor` ÷ `divisor` of the dimension's base unit, exactly: an ounce is 28349.523125 ÷ 1000000 kg.
    """

    class Dimension(models.TextChoices):
        COUNT = "count", "Count"
        NONE = "none", "None: converts to nothing else"
        MASS = "mass", "Mass"
        LENGTH = "length", "Length"
        AREA = "area", "Area"
        VOLUME = "volume", "Volume"
        TIME = "time", "Time"
        DATA = "data", "Data"
        VOLTAGE = "voltage", "Voltage"
        CURRENT = "current", "Electric current"
        CHARGE = "charge", "Electric charge"
        POWER = "power", "Power"
        ENERGY = "energy", "Energy"
        FORCE = "force", "Force"
        TORQUE = "torque", "Torque"
        PRESSURE = "pressure", "Pressure"
        RATE = "rate", "Frequency"

    code = models.CharField(max_length=8)
    name = models.CharField(max_length=60)
    symbol = models.CharField(max_length=16, blank=True, default="", db_default="", help_text="As people write it: kg, GB.")
    dimension = models.CharField(max_length=8, choices=Dimension, default=Dimension.COUNT)
    factor = QuantityField(default=1, help_text="How many of the dimension's base unit one of these is, before the divisor.")
    divisor = models.PositiveBigIntegerField(
        default=1, db_default=1, help_text="Divides the factor, where six decimals do not say it exactly.",
    )
    rounding = models.PositiveSmallIntegerField(default=0, help_text="Decimal places of a quantity in this unit.")

    class Meta:
        verbose_name_plural = "units of measure"
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="unit_code_per_organization"),
            models.CheckConstraint(condition=Q(factor__gt=0), name="unit_factor_positive"),
            models.CheckConstraint(condition=Q(divisor__gt=0), name="unit_divisor_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class Category(ArchivableModel):
    tree_depth = 12

    parent = TenantForeignKey("self", null=True, blank=True, related_name="children")
    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    slug = models.SlugField(max_length=100, db_index=False)
    description = models.TextField(blank=True)
    external_ref = external_ref()

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            # Of all rows that there are. With a condition it is nothing that another table could refer to, so that who moves a
            # category does not lock its key: goods are put into it meanwhile, and two that move into each other do not deadlock.
            models.UniqueConstraint(
                fields=["organization", "parent", "slug"], name="category_slug_by_parent", nulls_distinct=False,
                condition=~Q(slug=""), violation_error_message="Another category has this slug under the same parent.",
            ),
            external_ref_unique("category_external_ref"),
        ]
        indexes = [
            models.Index(fields=["organization", "name", "id"], name="category_by_name"),
            models.Index(fields=["organization", "name_key"], name="category_search"),
        ]

    def __str__(self) -> str:
        return self.name


class Product(CustomFieldsModel, ArchivableModel):
    """The item master; its variants are what is stocked."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        DISCONTINUED = "discontinued", "Discontinued"

    class Tracking(models.TextChoices):
        NONE = "none", "None"
        LOT = "lot", "By lot"
        SERIAL = "serial", "By serial number"

    name = models.CharField(max_length=200)
    name_key = SearchKeyField("name")
    category = TenantForeignKey(Category, null=True, blank=True, related_name="products")
    manufacturer = TenantForeignKey(Party, null=True, blank=True, related_name="+")
    description = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    tracking = models.CharField(max_length=6, choices=Tracking, default=Tracking.NONE)
    base_unit = TenantForeignKey(UnitOfMeasure, related_name="+")
    tax_category = TenantForeignKey(TaxCategory, null=True, blank=True, related_name="+", help_text="Empty: standard.")
    hs_code = models.CharField("HS code", max_length=14, blank=True)
    country_of_origin = models.CharField(max_length=2, blank=True, validators=[country_code])
    external_ref = external_ref()

    class Meta:
        constraints = [external_ref_unique("product_external_ref")]
        indexes = [
            models.Index(fields=["organization", "name", "id"], name="product_by_name"),
            models.Index(fields=["organization", "name_key"], name="product_search"),
            models.Index(fields=["organization", "category", "id"], name="product_by_category"),
            models.Index(fields=["organization", "manufacturer"], name="product_by_manufacturer"),
            models.Index(fields=["organization", "base_unit"], name="product_by_base_unit"),
            models.Index(fields=["organization", "tax_category"], name="product_by_tax_category"),
            models.Index(fields=["organization", "status", "id"], name="product_by_status"),
        ]

    def __str__(self) -> str:
        return self.name


class ProductVariant(CustomFieldsModel, ArchivableModel):
    """The stock-keeping unit. Weight in kilograms, lengths in meters, cost in the organization's base currency.

    `axis_key` is made by the database of the values on its product's axes, such as color and size.
    """

    audit_ignored = ("axis_key",)

    class AbcClass(models.TextChoices):
        A = "A", "A"
        B = "B", "B"
        C = "C", "C"

    sku = models.CharField("SKU", max_length=64)
    sku_key = SearchKeyField("sku")
    product = TenantForeignKey(Product, related_name="variants")
    name = models.CharField(max_length=200)
    name_key = SearchKeyField("name")
    weight = QuantityField(null=True, blank=True)
    length = QuantityField(null=True, blank=True)
    width = QuantityField(null=True, blank=True)
    height = QuantityField(null=True, blank=True)
    standard_cost = MoneyField(default=0)
    abc_class = models.CharField("ABC class", max_length=1, choices=AbcClass, blank=True)
    shelf_life_days = models.PositiveIntegerField(null=True, blank=True)
    is_kit = models.BooleanField(
        default=False, db_default=False,
        help_text="Put together when it is wanted: it is never low or out of stock. Assemble it before it is sold, or sell it by"
        " its components.",
    )
    sold_by_components = models.BooleanField(
        default=False, db_default=False,
        help_text="Of a kit: an order takes its components from stock, by its bill of materials. It has no stock of its own.",
    )
    axis_key = models.CharField(max_length=64, null=True, editable=False)
    external_ref = external_ref()

    class Meta:
        verbose_name = "variant"
        constraints = [
            models.UniqueConstraint(fields=["organization", "sku"], name="variant_sku_per_organization"),
            external_ref_unique("variant_external_ref"),
            models.UniqueConstraint(
                fields=["organization", "product", "axis_key"], condition=Q(archived_at__isnull=True), name="variant_axes_once",
                violation_error_message="Another variant of this product has the same values on all axes.",
            ),
            models.CheckConstraint(condition=Q(standard_cost__gte=0), name="variant_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(sold_by_components=False) | Q(is_kit=True), name="variant_sold_by_components_is_kit",
                violation_error_message="Only a kit is sold by its components: say that it is one.",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=0) & Q(length__gte=0) & Q(width__gte=0) & Q(height__gte=0),
                name="variant_sizes_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "product"], name="variant_by_product"),
            models.Index(fields=["organization", "name", "id"], name="variant_by_name"),
            models.Index(fields=["organization", "sku_key"], name="variant_search_sku"),
            models.Index(fields=["organization", "name_key"], name="variant_search_name"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"

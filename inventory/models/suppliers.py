from django.db import models
from django.db.models import Q

from accounts.models import Party
from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import ArchivableModel, TenantForeignKey, TenantModel, external_ref, external_ref_unique
from inventory.models.catalog import ProductVariant


class Supplier(ArchivableModel):
    """The vendor role of a party."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        BLOCKED = "blocked", "Blocked"

    party = TenantForeignKey(Party, related_name="+")
    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    currency = CurrencyField(default="EUR")
    lead_time_days = models.PositiveSmallIntegerField(default=0)
    min_order_value = MoneyField(default=0)
    incoterm = models.CharField(max_length=3, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    external_ref = external_ref()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="supplier_code_per_organization"),
            models.UniqueConstraint(fields=["organization", "party"], name="supplier_once_per_party"),
            external_ref_unique("supplier_external_ref"),
            models.CheckConstraint(condition=Q(min_order_value__gte=0), name="supplier_min_order_not_negative"),
        ]
        indexes = [models.Index(fields=["organization", "code_key"], name="supplier_search")]

    def __str__(self) -> str:
        return self.code


class SupplierProduct(TenantModel):
    """The supplier's item for our variant. `last_price` is in the supplier's currency, for one base unit."""

    supplier = TenantForeignKey(Supplier, related_name="items")
    variant = TenantForeignKey(ProductVariant, related_name="supplier_products")
    supplier_sku = models.CharField("supplier's SKU", max_length=64)
    manufacturer_part_number = models.CharField(max_length=64, blank=True)
    pack_size = QuantityField(default=1)
    min_order_quantity = QuantityField(default=0)
    order_multiple = QuantityField(default=1)
    lead_time_days = models.PositiveSmallIntegerField(null=True, blank=True)
    last_price = MoneyField(null=True, blank=True)
    is_preferred = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "supplier", "supplier_sku"], name="supplier_product_once"),
            models.UniqueConstraint(
                fields=["organization", "variant"], condition=Q(is_preferred=True), name="supplier_product_one_preferred",
                violation_error_message="This variant has a preferred supplier already.",
            ),
            models.CheckConstraint(
                condition=Q(pack_size__gt=0) & Q(order_multiple__gt=0) & Q(min_order_quantity__gte=0),
                name="supplier_product_quantities_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant"], name="supplier_product_by_variant"),
            models.Index(fields=["organization", "supplier_sku"], name="supplier_product_by_sku"),
        ]

    def __str__(self) -> str:
        return self.supplier_sku

from django.db import models
from django.db.models import F, Q

from accounts.models import Party
from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant

ENDS_LATER = "The last day is before the first."


class PriceList(TenantModel):
    """What we sell for, or what a supplier asks, from a day to a day, both included. A party's list comes before general ones."""

    annotated = True

    class Kind(models.TextChoices):
        SALE = "sale", "Sale"
        PURCHASE = "purchase", "Purchase"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SALE)
    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    currency = CurrencyField()
    party = TenantForeignKey(
        Party, null=True, blank=True, related_name="+", help_text="The customer or supplier; empty: everybody.",
    )
    priority = models.IntegerField(default=0, help_text="Of lists that both count, the higher one decides.")
    includes_tax = models.BooleanField(default=False)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True, help_text="The last day; empty: until further notice.")
    is_active = models.BooleanField("active", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="price_list_code_per_organization"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="price_list_ends_after_it_begins", violation_error_message=ENDS_LATER,
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "kind", "id"], name="price_list_by_kind"),
            models.Index(fields=["organization", "party", "kind"], name="price_list_by_party"),
            models.Index(fields=["organization", "code_key"], name="price_list_search_code"),
            models.Index(fields=["organization", "name_key"], name="price_list_search_name"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class PriceListItem(TenantModel):
    """The price of one base unit, from a quantity on, from a day to a day. Of two that count, the later start decides."""

    price_list = TenantForeignKey(PriceList, related_name="items")
    variant = TenantForeignKey(ProductVariant, related_name="prices")
    min_quantity = QuantityField(default=0, help_text="It counts from this quantity on, for the whole of it.")
    price = MoneyField(help_text="For one base unit, in the list's currency.")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True, help_text="The last day; empty: as long as the list.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "price_list", "variant", "min_quantity", "valid_from"], name="price_item_once",
                nulls_distinct=False, violation_error_message="The list has a price from this quantity and day on.",
            ),
            models.CheckConstraint(
                condition=Q(min_quantity__gte=0) & Q(price__gte=0), name="price_item_not_negative",
                violation_error_message="Neither a price nor a quantity is below zero.",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="price_item_ends_after_it_begins", violation_error_message=ENDS_LATER,
            ),
        ]
        indexes = [models.Index(fields=["organization", "variant", "price_list"], name="price_item_by_variant")]

    def __str__(self) -> str:
        return f"{self.variant} in {self.price_list}"

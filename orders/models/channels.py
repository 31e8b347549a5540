from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Party
from core.custom_fields import CustomFieldsModel
from core.fields import CurrencyField, MoneyField, SearchKeyField
from core.models import ArchivableModel, TenantForeignKey, TenantModel, external_ref, external_ref_unique
from inventory.models import Warehouse


def hours(state: str, usual: int) -> models.PositiveIntegerField:
    return models.PositiveIntegerField(
        f"{state}, hours", null=True, blank=True, default=usual, db_default=usual,
        help_text=f"An order that is {state} for longer is stuck. Empty: never.",
    )


class Channel(TenantModel):
    """Where orders come from: a web shop, a marketplace, the counter. It says in which currency, and from which warehouse."""

    annotated = True
    stands_in = ("warehouse",)

    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    currency = CurrencyField()
    warehouse = TenantForeignKey(Warehouse, related_name="+", help_text="Its goods are promised first.")
    reservation_minutes = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="How long an order that is not confirmed holds its goods. Empty: until it is canceled.",
    )
    backorders = models.BooleanField("takes back-orders", default=False, help_text="What is short waits for goods.")
    placed_hours = hours("placed", 24)
    confirmed_hours = hours("confirmed", 48)
    picking_hours = hours("being picked", 24)
    packed_hours = hours("packed", 24)
    shipped_hours = hours("shipped", 168)
    on_hold_hours = hours("on hold", 72)
    error_hours = hours("in error", 4)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="channel_code_per_organization"),
            models.CheckConstraint(
                condition=Q(reservation_minutes__isnull=True) | Q(reservation_minutes__gte=1, reservation_minutes__lte=5_256_000),
                name="channel_reservation_minutes", violation_error_message="From one minute to ten years.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "code_key"], name="channel_search_code"),
            models.Index(fields=["organization", "name_key"], name="channel_search_name"),
            models.Index(fields=["organization", "warehouse"], name="channel_by_warehouse"),
        ]

    def __str__(self) -> str:
        return self.code


class Customer(CustomFieldsModel, ArchivableModel):
    """The buyer role of a party. Who signs in as `user_id` sees this customer's orders, and no others."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        BLOCKED = "blocked", "Blocked"

    party = TenantForeignKey(Party, related_name="+")
    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    credit_limit = MoneyField(
        null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="Of orders that are not paid, in the organization's currency. Empty: no limit.",
    )
    tax_exempt = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    user_id = models.UUIDField(null=True, blank=True, editable=False, help_text="The member who signs in as this customer.")
    external_ref = external_ref()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="customer_code_per_organization"),
            models.UniqueConstraint(fields=["organization", "party"], name="customer_once_per_party"),
            models.UniqueConstraint(
                fields=["organization", "user_id"], name="customer_once_per_user",
                violation_error_message="This person signs in as another customer.",
            ),
            external_ref_unique("customer_external_ref"),
            models.CheckConstraint(
                condition=Q(credit_limit__isnull=True) | Q(credit_limit__gte=0), name="customer_credit_limit_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "code_key"], name="customer_search"),
        ]

    def __str__(self) -> str:
        return self.code

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from accounts.models.people import User
from core.fields import CurrencyField, MoneyField
from core.models import AuditedModel, TenantModel


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name!r} is not a time zone; write it like Europe/Lisbon.")


def seconds(label: str, least: int, most: int, what: str) -> models.PositiveIntegerField:
    bounds = [MinValueValidator(least), MaxValueValidator(most)]
    text = f"{what}, in seconds: {least} to {most}; empty: as the installation says."
    return models.PositiveIntegerField(label, null=True, blank=True, validators=bounds, help_text=text)


def within(field: str, least: int, most: int, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__range": (least, most)}), name=name,
        violation_error_message=f"From {least} to {most} seconds.",
    )


class Organization(AuditedModel):
    """The tenant. Walled by its own id: a list of our customers is a leak as well."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        CLOSING = "closing", "Closing"

    class CostingMethod(models.TextChoices):
        FIFO = "fifo", "First in, first out"
        AVERAGE = "average", "Moving average"
        STANDARD = "standard", "Standard cost"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    gs1_company_prefix = models.CharField("GS1 company prefix", max_length=12, blank=True)
    base_currency = CurrencyField(default="EUR")
    timezone = models.CharField("time zone", max_length=64, default="UTC", validators=[validate_timezone])
    allow_negative_stock = models.BooleanField(default=False)
    costing_method = models.CharField(
        max_length=8, choices=CostingMethod, default=CostingMethod.FIFO, db_default=CostingMethod.FIFO,
        help_text="What goods that leave cost. A change revalues the stock: see Inventory value.",
    )
    purchase_approval_over = MoneyField(
        "approve purchases over", null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="A purchase order of more than this, without tax, waits for somebody else's approval. Empty: none does.",
    )
    rate_per_minute = models.PositiveIntegerField(
        "requests per minute", null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Of all its people and programs together; empty: the installation's default.",
    )
    access_token_seconds = seconds("lifetime of access tokens", 5 * 60, 24 * 3600, "How long an access token works")
    refresh_token_seconds = seconds(
        "lifetime of unused sign-ins", 3600, 90 * 24 * 3600, "How long a sign-in lasts that nobody uses",
    )
    require_mfa = models.BooleanField(
        "require a second factor", default=False, db_default=False,
        help_text="Members without one may do nothing here until they have enrolled.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)

    class Meta:
        constraints = [
            within("access_token_seconds", 5 * 60, 24 * 3600, "organization_access_token_seconds"),
            within("refresh_token_seconds", 3600, 90 * 24 * 3600, "organization_refresh_token_seconds"),
        ]
        permissions = [("switch_organization", "Can work for this organization in the admin")]

    def __str__(self) -> str:
        return self.name


class Membership(TenantModel):
    """Who belongs where."""

    class Status(models.TextChoices):
        INVITED = "invited", "Invited"
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    is_default = models.BooleanField(
        "default organization", default=False, help_text="The organization that this person works for after signing in.",
    )
    joined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "member"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once"),
            models.UniqueConstraint(fields=["user"], condition=Q(is_default=True), name="membership_one_default"),
        ]

    def __str__(self) -> str:
        return str(self.user)

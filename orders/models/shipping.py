import re
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q

from core.fields import CurrencyField, MoneyField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import TaxCategory

MOST_RATES = 200
MOST = Decimal(10) ** 12
NUMBER = "{number}"
WRITTEN = (
    'Write rates like [{"country": "PT", "min": "0", "price": "4.90"}]: from which total, weight or quantity on which price'
    " counts; without a country it counts elsewhere, and a price of null means that it is not carried."
)


def number_of(value: object) -> Decimal | None:
    """None for what is no amount from zero on, with up to six places."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    fits = found.is_finite() and 0 <= found < MOST and found == round(found, 6)
    return found if fits else None


def validate_rates(rates: object) -> None:
    if not isinstance(rates, list) or not 0 < len(rates) <= MOST_RATES:
        raise ValidationError(f"{WRITTEN} At least one, at most {MOST_RATES}.")
    seen = set()
    for rate in rates:
        if not isinstance(rate, dict) or not {"price"} <= set(rate) <= {"country", "min", "price"}:
            raise ValidationError(WRITTEN)
        country, least = rate.get("country", ""), number_of(rate.get("min", "0"))
        if not isinstance(country, str) or not re.fullmatch(r"([A-Z]{2})?", country):
            raise ValidationError("A country is two capital letters, by ISO 3166: PT, US; or empty.")
        if least is None or (rate["price"] is not None and number_of(rate["price"]) is None):
            raise ValidationError('A number is 0 or more with up to six places, best as text, such as "4.90".')
        if (country, least) in seen:
            raise ValidationError(f"There are two rates from {least.normalize():f} on{' for ' + country if country else ''}.")
        seen.add((country, least))


def validate_template(template: str) -> None:
    if NUMBER not in template:
        raise ValidationError(f"Say with {NUMBER} where the tracking number stands.")
    URLValidator(["http", "https"])(template.replace(NUMBER, "1"))


class ShippingMethod(TenantModel):
    """A carrier's service that a customer may choose, and what it costs: by country, from a total, weight or quantity on."""

    annotated = True

    class Basis(models.TextChoices):
        TOTAL = "total", "Total of the goods"
        WEIGHT = "weight", "Weight in kilograms"
        QUANTITY = "quantity", "Quantity"

    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    name = models.CharField(max_length=100, help_text="What the customer reads.")
    name_key = SearchKeyField("name")
    carrier = models.CharField(max_length=80, blank=True)
    currency = CurrencyField()
    basis = models.CharField(max_length=8, choices=Basis, default=Basis.TOTAL, help_text="What the rates go by.")
    rates = models.JSONField(
        validators=[validate_rates],
        help_text='[{"country": "PT", "min": "0", "price": "4.90"}]: the price from this total, weight or quantity on. Without a'
                  " country: elsewhere. A price of null: not carried.",
    )
    includes_tax = models.BooleanField(default=False, help_text="Whether the prices have the tax in them.")
    free_from = MoneyField(
        null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="Goods of this total, with tax, are carried for nothing. Empty: never.",
    )
    tax_category = TenantForeignKey(TaxCategory, null=True, blank=True, related_name="+", help_text="Empty: standard.")
    eta_days = models.PositiveSmallIntegerField("days on the way", null=True, blank=True)
    tracking_url_template = models.CharField(
        max_length=200, blank=True, validators=[validate_template],
        help_text="Where a parcel is followed: https://carrier.example/track/{number}.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="shipping_method_code_per_organization"),
            models.CheckConstraint(
                condition=Q(free_from__isnull=True) | Q(free_from__gte=0), name="shipping_method_free_from_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "code_key"], name="shipping_method_search_code"),
            models.Index(fields=["organization", "name_key"], name="shipping_method_search_name"),
            models.Index(fields=["organization", "tax_category"], name="shipping_method_by_tax"),
        ]

    def __str__(self) -> str:
        return self.code

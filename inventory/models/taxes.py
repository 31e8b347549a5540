from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models.partners import country_code
from core.fields import SearchKeyField
from core.models import TenantForeignKey, TenantModel


class TaxCategory(TenantModel):
    """What kind of goods, to the tax office. A product without one counts as STANDARD."""

    STANDARD = "standard"

    code = models.SlugField(max_length=40, db_index=False)
    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    is_taxed = models.BooleanField("taxed", default=True, help_text="If not, no tax is due anywhere and no rate is looked for.")

    class Meta:
        verbose_name_plural = "tax categories"
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="tax_category_code_per_organization")]
        indexes = [models.Index(fields=["organization", "name_key"], name="tax_category_search")]

    def __str__(self) -> str:
        return self.name


class TaxRate(TenantModel):
    """What a place takes of a category, from a day to a day, both included.

    The rate of a region counts before its country's. Two of one category and place never overlap: `inventory.database`
    refuses it.
    """

    tax_category = TenantForeignKey(TaxCategory, related_name="rates")
    country = models.CharField(max_length=2, validators=[country_code])
    region = models.CharField(max_length=100, blank=True, help_text="As in addresses, whatever its case; empty: all others.")
    region_key = SearchKeyField("region")
    rate = models.DecimalField(
        max_digits=7, decimal_places=4, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="In percent.",
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text="The last day; empty: until further notice.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rate__gte=0) & Q(rate__lte=100), name="tax_rate_is_a_percentage",
                violation_error_message="From 0 to 100 percent.",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="tax_rate_ends_after_it_begins",
                violation_error_message="The last day is before the first.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "tax_category", "valid_from"], name="tax_rate_by_category"),
            models.Index(fields=["organization", "country", "region_key"], name="tax_rate_by_place"),
        ]

    def __str__(self) -> str:
        return f"{self.tax_category} {self.country} {self.region}".strip() + f" {self.rate.normalize():f} %"

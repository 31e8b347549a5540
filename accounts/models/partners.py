from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from core.custom_fields import CustomFieldsModel
from core.fields import SearchKeyField
from core.models import ArchivableModel, TenantForeignKey, TenantModel, external_ref, external_ref_unique

country_code = RegexValidator(r"^[A-Z]{2}$", "Two capital letters, by ISO 3166: PT, US.")


class Party(CustomFieldsModel, ArchivableModel):
    """A business partner, one record whatever its roles."""

    class Kind(models.TextChoices):
        ORGANIZATION = "organization", "Organization"
        PERSON = "person", "Person"

    name = models.CharField(max_length=200)
    name_key = SearchKeyField("name")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.ORGANIZATION)
    tax_number = models.CharField(max_length=40, blank=True)
    gln = models.CharField("GLN", max_length=13, blank=True, validators=[RegexValidator(r"^\d{13}$", "A GLN has 13 digits.")])
    language = models.CharField(max_length=8, blank=True)
    website = models.CharField(max_length=300, blank=True)
    payment_terms_days = models.PositiveSmallIntegerField("days to pay", null=True, blank=True)
    external_ref = external_ref()

    class Meta:
        verbose_name_plural = "parties"
        constraints = [external_ref_unique("party_external_ref")]
        indexes = [
            models.Index(fields=["organization", "name", "id"], name="party_by_name"),
            models.Index(fields=["organization", "name_key"], name="party_search"),
        ]

    def __str__(self) -> str:
        return self.name


class Address(TenantModel):
    """Without a party: one of the organization's own sites."""

    class Kind(models.TextChoices):
        BILLING = "billing", "Billing"
        SHIPPING = "shipping", "Shipping"
        SITE = "site", "Site"

    party = TenantForeignKey(Party, models.CASCADE, null=True, blank=True, related_name="addresses")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.BILLING)
    street1 = models.CharField("street", max_length=200)
    street2 = models.CharField("street, second line", max_length=200, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, validators=[country_code])
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "addresses"
        indexes = [models.Index(fields=["organization", "party"], name="address_by_party")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "party", "kind"], condition=Q(is_default=True), name="address_one_default",
                violation_error_message="This party has a default address of this kind already.",
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.street1, self.city, self.country) if part)


class Contact(TenantModel):
    """A person at a partner."""

    party = TenantForeignKey(Party, models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=150)
    name_key = SearchKeyField("name")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=32, blank=True)
    fax = models.CharField(max_length=32, blank=True)
    position = models.CharField(max_length=100, blank=True)
    is_primary = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "party"], name="contact_by_party"),
            models.Index(fields=["organization", "name_key"], name="contact_search"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "party"], condition=Q(is_primary=True), name="contact_one_primary",
                violation_error_message="This party has a primary contact already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

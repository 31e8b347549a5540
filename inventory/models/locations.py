from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models import Address
from accounts.models.tenancy import validate_timezone
from core.fields import QuantityField, SearchKeyField
from core.models import ArchivableModel, TenantForeignKey, TenantModel, external_ref, external_ref_unique


class Warehouse(ArchivableModel):
    stands_in = ("id",)

    class Kind(models.TextChoices):
        OWN = "own", "Own"
        THIRD_PARTY = "third_party", "Third party"
        TRANSIT = "transit", "Transit"

    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    name = models.CharField(max_length=100)
    address = TenantForeignKey(Address, null=True, blank=True, related_name="+")
    gln = models.CharField("GLN", max_length=13, blank=True, validators=[RegexValidator(r"^\d{13}$", "A GLN has 13 digits.")])
    timezone = models.CharField("time zone", max_length=64, blank=True, validators=[validate_timezone])
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.OWN)
    is_active = models.BooleanField(default=True)
    picks_by_place = models.BooleanField(
        "places are scanned when picking", default=False, db_default=False,
        help_text="Who picks scans the place before the goods.",
    )
    external_ref = external_ref()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="warehouse_code_per_organization"),
            external_ref_unique("warehouse_external_ref"),
        ]
        indexes = [
            models.Index(fields=["organization", "address"], name="warehouse_by_address"),
            models.Index(fields=["organization", "code_key"], name="warehouse_search"),
        ]

    def __str__(self) -> str:
        return self.name


class Location(TenantModel):
    """Zone, aisle, rack, bin: a tree within a warehouse. Stock in quarantine, scrap or transit is on hand, not available."""

    annotated = True
    tree_depth = 8
    stands_in = ("warehouse",)

    class Kind(models.TextChoices):
        STORAGE = "storage", "Storage"
        RECEIVING = "receiving", "Receiving"
        SHIPPING = "shipping", "Shipping"
        QUARANTINE = "quarantine", "Quarantine"
        SCRAP = "scrap", "Scrap"
        TRANSIT = "transit", "Transit"

    class CapacityPolicy(models.TextChoices):
        REFUSE = "refuse", "Refuse what does not fit"
        WARN = "warn", "Take it, and say so"

    AVAILABLE = (Kind.STORAGE, Kind.RECEIVING, Kind.SHIPPING)

    warehouse = TenantForeignKey(Warehouse, related_name="locations")
    parent = TenantForeignKey("self", null=True, blank=True, related_name="children")
    code = models.CharField(max_length=40)
    code_key = SearchKeyField("code")
    name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.STORAGE)
    barcode = models.CharField(max_length=64, blank=True)
    pick_sequence = models.PositiveIntegerField(default=0)
    capacity = QuantityField(
        null=True, blank=True, help_text="How many pieces fit, of all goods together. Empty: as many as come.",
    )
    max_weight = QuantityField(
        null=True, blank=True, help_text="Of all goods together, in kilograms, as their variants say. Empty: whatever comes.",
    )
    capacity_policy = models.CharField(
        max_length=6, choices=CapacityPolicy, default=CapacityPolicy.REFUSE, db_default=CapacityPolicy.REFUSE,
        help_text="What happens when more comes than fits.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "warehouse", "code"], name="location_code_per_warehouse"),
            models.CheckConstraint(
                condition=(Q(capacity__isnull=True) | Q(capacity__gt=0)) & (Q(max_weight__isnull=True) | Q(max_weight__gt=0)),
                name="location_capacity_positive", violation_error_message="What fits is more than nothing; or leave it empty.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "parent"], name="location_by_parent"),
            models.Index(fields=["organization", "code_key"], name="location_search"),
            models.Index(fields=["organization", "barcode"], condition=~Q(barcode=""), name="location_by_barcode"),
        ]

    def __str__(self) -> str:
        return self.code

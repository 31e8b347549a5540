from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import LPad

from core.fields import QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.gs1.digits import GTIN, LENGTHS
from inventory.models.catalog import ProductVariant


class ProductBarcode(TenantModel):
    """What is scanned for a variant, or for a pack of `quantity` of it.

    The database checks the digits; `gtin` is the one form in which a scan of EAN, UPC or GTIN finds it.
    """

    class Symbology(models.TextChoices):
        EAN13 = "ean13", "EAN-13"
        EAN8 = "ean8", "EAN-8"
        UPCA = "upca", "UPC-A"
        GTIN14 = "gtin14", "GTIN-14"
        ITF14 = "itf14", "ITF-14"
        CODE128 = "code128", "Code 128"
        CODE39 = "code39", "Code 39"
        QR = "qr", "QR"
        DATAMATRIX = "datamatrix", "Data Matrix"
        OTHER = "other", "Other"

    variant = TenantForeignKey(ProductVariant, related_name="barcodes")
    symbology = models.CharField(max_length=10, choices=Symbology, default=Symbology.EAN13)
    value = models.CharField(max_length=128, help_text="Of a GTIN all digits, with the check digit.")
    value_key = SearchKeyField("value")
    gtin = models.GeneratedField(
        expression=Case(When(symbology__in=list(LENGTHS), then=LPad("value", GTIN, Value("0")))),
        output_field=models.CharField(max_length=GTIN, null=True), db_persist=True, null=True, verbose_name="GTIN",
    )
    quantity = QuantityField(default=1, help_text="Base units in the pack that carries this code.")

    class Meta:
        verbose_name = "barcode"
        constraints = [
            models.UniqueConstraint(fields=["organization", "symbology", "value"], name="barcode_once"),
            models.UniqueConstraint(
                fields=["organization", "gtin"], name="barcode_gtin_once",
                violation_error_message="This number is taken: EAN, UPC and GTIN of the same digits are one code.",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="barcode_quantity_positive"),
        ]
        indexes = [
            models.Index(fields=["organization", "variant"], name="barcode_by_variant"),
            models.Index(fields=["organization", "value_key"], name="barcode_search"),
        ]

    def __str__(self) -> str:
        return self.value

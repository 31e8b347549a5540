from django.db import models
from django.db.models import Q

from core.fields import QuantityField
from core.models import RuntimeModel, TenantForeignKey
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Location
from inventory.models.stock import StockItem


class TrayLine(RuntimeModel):
    """What a person takes along, to be put down at the location that they scan. Until then it lies where it lay."""

    actor_id = models.UUIDField()
    stock_item = TenantForeignKey(StockItem, related_name="+")
    quantity = QuantityField(null=True, help_text="Empty: all that is not reserved.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["organization", "actor_id", "stock_item"], name="tray_line_once"),
            models.CheckConstraint(condition=Q(quantity__isnull=True) | Q(quantity__gt=0), name="tray_line_quantity"),
        ]
        indexes = [models.Index(fields=["organization", "stock_item"], name="tray_line_by_stock_item")]

    def __str__(self) -> str:
        return f"{self.stock_item}"


class ReceiptDraft(RuntimeModel):
    """Goods that a person is receiving: kept here until they are posted, so that another device may go on with them.

    One without a document, and one for each document that is to bring goods.
    """

    actor_id = models.UUIDField()
    document_type = models.CharField(max_length=40, blank=True, db_default="")
    document_id = models.UUIDField(null=True)
    location = TenantForeignKey(Location, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "actor_id", "document_id"], nulls_distinct=False, name="receipt_draft_once",
            ),
        ]
        indexes = [models.Index(fields=["organization", "location"], name="receipt_draft_by_location")]

    def __str__(self) -> str:
        return f"Receipt at {self.location}" if self.location_id else "Receipt"


class ReceiptDraftEntry(RuntimeModel):
    """What one step of receiving changed: a line is the sum of its entries, and the last step can be taken back."""

    draft = TenantForeignKey(ReceiptDraft, related_name="entries")
    step = models.CharField(max_length=40)
    number = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    lot = models.CharField(max_length=80, blank=True)
    expires_on = models.DateField(null=True)
    quantity = QuantityField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["organization", "draft", "step", "number"], name="receipt_draft_step_once"),
        ]
        indexes = [
            models.Index(fields=["organization", "draft", "id"], name="receipt_draft_entries"),
            models.Index(fields=["organization", "variant"], name="receipt_draft_by_variant"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant}"

from django.db import models
from django.db.models import Q

from core.fields import QuantityField
from core.models import RuntimeModel, TenantForeignKey
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Warehouse
from inventory.models.replenishment import ReorderTask


class ExpectedReceipt(RuntimeModel):
    """What is still to come by a line of a document, which the inventory knows by its name and ids alone.

    It counts as incoming. A reorder task that the line answers counts no more beside it.
    """

    stands_in = ("warehouse",)

    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    quantity = QuantityField(help_text="Of base units, not received yet.")
    expected_on = models.DateField(null=True)
    document_type = models.CharField(max_length=40, help_text="Such as purchase_order.")
    document_id = models.UUIDField()
    document_number = models.CharField(max_length=40)
    document_line_id = models.UUIDField()
    reorder_task = TenantForeignKey(ReorderTask, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "document_line_id"], name="expected_receipt_once"),
            models.UniqueConstraint(fields=["organization", "reorder_task"], name="expected_receipt_of_task_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="expected_receipt_not_negative"),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "warehouse"], name="expected_receipt_by_variant"),
            models.Index(fields=["organization", "warehouse"], name="expected_receipt_by_warehouse"),
            models.Index(fields=["organization", "document_id"], name="expected_receipt_by_document"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} by {self.document_number}"

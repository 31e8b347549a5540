from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import Supplier, Warehouse
from orders.models.purchasing import PurchaseOrder, PurchaseOrderItem


class SupplierBill(TenantModel):
    """What a supplier asks for goods of a purchase order. Its lines change while it is a draft.

    `entered_by` wrote its lines last; neither they nor who submitted it approve it.
    """

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_VARIANCE = "in_variance", "Differs, waits for approval"
        APPROVED = "approved", "Approved"
        CANCELLED = "cancelled", "Canceled"

    OPEN = (Status.DRAFT, Status.IN_VARIANCE)
    OVER = (Status.APPROVED, Status.CANCELLED)

    supplier_number = models.CharField("supplier's number", max_length=80, help_text="As it stands on their paper.")
    number_key = SearchKeyField("supplier_number")
    order = TenantForeignKey(PurchaseOrder, related_name="bills", editable=False)
    supplier = TenantForeignKey(Supplier, related_name="+", editable=False)
    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    status = models.CharField(max_length=11, choices=Status, default=Status.DRAFT, editable=False)
    currency = CurrencyField(editable=False)
    billed_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    net_total = MoneyField(default=0, editable=False)
    tax_total = MoneyField(default=0, editable=False)
    total = MoneyField(default=0, editable=False, help_text="With tax.")
    entered_by = models.UUIDField(null=True, editable=False)
    submitted_by = models.UUIDField(null=True, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decision_note = models.CharField(max_length=500, blank=True, editable=False)
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        permissions = [("approve_supplierbill", "Can approve and reject supplier bills of others that differ from the order")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "supplier", "supplier_number"], condition=~Q(status="cancelled"),
                name="supplier_bill_number", violation_error_message="This supplier's bill with this number is entered already.",
            ),
            models.CheckConstraint(
                condition=Q(due_on__isnull=True) | Q(due_on__gte=F("billed_on")), name="supplier_bill_due_after_billed",
                violation_error_message="A bill is not due before its own day.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="supplier_bill_search"),
            models.Index(fields=["organization", "supplier_number", "id"], name="supplier_bill_by_number"),
            models.Index(fields=["organization", "order", "id"], name="supplier_bill_by_order"),
            models.Index(fields=["organization", "supplier", "id"], name="supplier_bill_by_supplier"),
            models.Index(fields=["organization", "warehouse", "id"], name="supplier_bill_by_warehouse"),
            models.Index(fields=["organization", "status", "id"], name="supplier_bill_by_status"),
            models.Index(fields=["organization", "billed_on", "id"], name="supplier_bill_by_day"),
            models.Index(fields=["organization", "due_on", "id"], name="supplier_bill_by_due_day"),
        ]

    def __str__(self) -> str:
        return self.supplier_number


class SupplierBillItem(TenantModel):
    """`variances` is what was out of line as it was submitted: code, what the bill says, what it was held against, detail."""

    stands_in = ("bill.warehouse",)

    bill = TenantForeignKey(SupplierBill, models.CASCADE, related_name="lines")
    line = models.PositiveIntegerField()
    order_item = TenantForeignKey(PurchaseOrderItem, related_name="billed", editable=False)
    sku = models.CharField("SKU", max_length=64, editable=False)
    name = models.CharField(max_length=400, editable=False)
    quantity = QuantityField(help_text="In base units.")
    unit_price = MoneyField(validators=[MinValueValidator(0)], help_text="Of one base unit, without tax.")
    discount_percent = models.DecimalField(
        "discount, per cent", max_digits=7, decimal_places=4, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    tax_rate = models.DecimalField(
        max_digits=7, decimal_places=4, default=0, validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Per cent.",
    )
    net_amount = MoneyField(default=0, editable=False)
    tax_amount = MoneyField(default=0, editable=False)
    variances = models.JSONField(default=list, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "bill", "line"], name="supplier_bill_item_once"),
            models.UniqueConstraint(fields=["organization", "bill", "order_item"], name="supplier_bill_item_per_order_line"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="supplier_bill_item_quantity_positive"),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, discount_percent__gte=0, discount_percent__lte=100, tax_rate__gte=0,
                            tax_rate__lte=100),
                name="supplier_bill_item_percentages", violation_error_message="A price from 0, and from 0 to 100 per cent.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "order_item"], name="supplier_bill_item_by_order")]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.sku}"

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.custom_fields import CustomFieldsModel
from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel, external_ref, external_ref_unique
from inventory.models import ProductVariant, ReorderTask, Supplier, SupplierProduct, Warehouse


class PurchaseOrder(CustomFieldsModel, TenantModel):
    """What a supplier is to bring to a warehouse. Its number, status, totals and times are written by the services alone.

    Its lines change while it is a draft; to change them later, it is revised first.
    """

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PENDING_APPROVAL = "pending_approval", "Waits for approval"
        APPROVED = "approved", "Approved"
        SENT = "sent", "Sent"
        PARTIALLY_RECEIVED = "partially_received", "Partly received"
        RECEIVED = "received", "Received"
        BILLED = "billed", "Billed"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Canceled"

    UNDECIDED = (Status.DRAFT, Status.PENDING_APPROVAL)
    BRINGS = (Status.APPROVED, Status.SENT, Status.PARTIALLY_RECEIVED, Status.RECEIVED, Status.BILLED)
    BEFORE_GOODS_COME = (Status.DRAFT, Status.PENDING_APPROVAL, Status.APPROVED, Status.SENT)
    OVER = (Status.CLOSED, Status.CANCELLED)

    class SentBy(models.TextChoices):
        MAIL = "mail", "By mail"
        OTHER = "other", "By other means"

    number = models.CharField(max_length=40, editable=False)
    number_key = SearchKeyField("number")
    supplier = TenantForeignKey(Supplier, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+", help_text="Where the goods are to come.")
    status = models.CharField(max_length=18, choices=Status, default=Status.DRAFT, editable=False)
    currency = CurrencyField(blank=True, help_text="The supplier's, unless given.")
    expected_on = models.DateField(null=True, blank=True)
    supplier_reference = models.CharField("supplier's reference", max_length=80, blank=True, help_text="On their confirmation.")
    note = models.CharField(max_length=500, blank=True)
    net_total = MoneyField(default=0, editable=False)
    tax_total = MoneyField(default=0, editable=False)
    total = MoneyField(default=0, editable=False, help_text="With tax.")
    revision = models.PositiveIntegerField(default=0, editable=False, help_text="How often it became a draft again.")
    requested_by = models.UUIDField(null=True, editable=False)
    decided_by = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decision_note = models.CharField(max_length=500, blank=True, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_by = models.CharField(
        max_length=5, choices=SentBy, blank=True, default="", db_default="", editable=False,
        help_text="How the supplier got it last. Empty: they never did.",
    )
    received_at = models.DateTimeField("last received at", null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    external_ref = external_ref()

    class Meta:
        permissions = [
            ("approve_purchaseorder", "Can approve and reject purchase orders of others"),
            ("send_purchaseorder", "Can send purchase orders to suppliers"),
            ("receive_purchaseorder", "Can receive purchase orders, and send goods back"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="purchase_order_number"),
            external_ref_unique("purchase_order_external_ref"),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="purchase_order_search"),
            models.Index(fields=["organization", "status", "id"], name="purchase_order_by_status"),
            models.Index(fields=["organization", "supplier", "id"], name="purchase_order_by_supplier"),
            models.Index(fields=["organization", "warehouse", "id"], name="purchase_order_by_warehouse"),
            models.Index(fields=["organization", "expected_on", "id"], name="purchase_order_by_day"),
        ]

    def __str__(self) -> str:
        return self.number


class PurchaseOrderItem(TenantModel):
    """`received_quantity` counts all that came in and was accepted, `returned_quantity` what of it went back."""

    stands_in = ("order.warehouse",)

    order = TenantForeignKey(PurchaseOrder, related_name="lines")
    line = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    supplier_product = TenantForeignKey(SupplierProduct, null=True, blank=True, related_name="+", editable=False)
    reorder_task = TenantForeignKey(ReorderTask, null=True, blank=True, related_name="+", editable=False)
    sku = models.CharField("SKU", max_length=64, editable=False)
    name = models.CharField(max_length=400, editable=False)
    quantity = QuantityField()
    unit_price = MoneyField(
        null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="Of one base unit, without tax. Empty: as price lists say, or the supplier asked last.",
    )
    discount_percent = models.DecimalField(
        "discount, per cent", max_digits=7, decimal_places=4, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=0, editable=False, help_text="Per cent.")
    net_amount = MoneyField(default=0, editable=False)
    tax_amount = MoneyField(default=0, editable=False)
    price_reason = models.CharField(max_length=300, blank=True, editable=False, help_text="Why it costs that.")
    over_receipt_percent = models.DecimalField(
        "over-receipt, per cent", max_digits=7, decimal_places=4, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="How much more than ordered is taken in.",
    )
    received_quantity = QuantityField("received", default=0, editable=False)
    returned_quantity = QuantityField("returned", default=0, editable=False)
    rejected_quantity = QuantityField("rejected", default=0, editable=False, help_text="Came, and was not taken in.")
    billed_quantity = QuantityField("billed", default=0, db_default=0, editable=False, help_text="On bills that are approved.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "order", "line"], name="purchase_item_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="purchase_item_quantity_positive"),
            models.CheckConstraint(
                condition=Q(unit_price__isnull=True) | Q(unit_price__gte=0), name="purchase_item_price_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100, over_receipt_percent__gte=0,
                            over_receipt_percent__lte=100, tax_rate__gte=0),
                name="purchase_item_percentages", violation_error_message="From 0 to 100 per cent.",
            ),
            models.CheckConstraint(
                condition=Q(returned_quantity__gte=0, rejected_quantity__gte=0, received_quantity__gte=F("returned_quantity")),
                name="purchase_item_returns_what_came", violation_error_message="No more goes back than came.",
            ),
            models.CheckConstraint(
                condition=Q(
                    received_quantity__lte=F("returned_quantity") + F("quantity") * (100 + F("over_receipt_percent")) / 100,
                ),
                name="purchase_item_received_within_tolerance",
                violation_error_message="No more is received than was ordered, and the over-receipt that is allowed.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "order"], name="purchase_item_by_variant"),
            models.Index(fields=["organization", "supplier_product"], name="purchase_item_by_product"),
            models.Index(fields=["organization", "reorder_task"], name="purchase_item_by_task"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.sku}"

from django.db import models
from django.db.models import F, Q

from core.fields import MoneyField, QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import Location, Lot, ReasonCode, StockMove, Warehouse
from orders.models.channels import Customer
from orders.models.sales import SalesOrder, SalesOrderItem


class ReturnAuthorization(TenantModel):
    """What a customer may send back of an order. Its states, times and amounts are written by the services alone."""

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        RECEIVED = "received", "Received"
        INSPECTED = "inspected", "Inspected"
        REFUNDED = "refunded", "Refunded"
        REPLACED = "replaced", "Replaced"
        REJECTED = "rejected", "Rejected"
        CLOSED = "closed", "Closed"

    OVER = (Status.REJECTED, Status.CLOSED)

    number = models.CharField(max_length=40, editable=False)
    number_key = SearchKeyField("number")
    order = TenantForeignKey(SalesOrder, related_name="returns")
    customer = TenantForeignKey(Customer, null=True, related_name="+", editable=False)
    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED, editable=False)
    reason = TenantForeignKey(
        ReasonCode, null=True, blank=True, related_name="+", help_text="Of kind receipt: by it the goods come in again.",
    )
    note = models.CharField(max_length=500, blank=True)
    refund_amount = MoneyField(
        default=0, editable=False, help_text="With tax and discounts, in the order's currency: of the goods that came.",
    )
    refund_reference = models.CharField(max_length=100, blank=True, help_text="By which the refund is found at the bank.")
    replacement = TenantForeignKey(SalesOrder, null=True, related_name="+", editable=False)
    received_at = models.DateTimeField(null=True, editable=False)
    inspected_at = models.DateTimeField(null=True, editable=False)
    credited_at = models.DateTimeField(
        null=True, editable=False, help_text="When credit notes were drafted for its goods; empty until then.",
    )

    class Meta:
        verbose_name = "return"
        permissions = [
            ("approve_returnauthorization", "Can approve and reject returns"),
            ("receive_returnauthorization", "Can receive returned goods, and inspect them"),
            ("settle_returnauthorization", "Can refund and replace returned goods"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="return_number"),
            models.CheckConstraint(condition=Q(refund_amount__gte=0), name="return_refund_not_negative"),
            models.CheckConstraint(
                condition=~Q(status="refunded") | ~Q(refund_reference=""), name="return_refunded_by_reference",
            ),
            models.CheckConstraint(
                condition=~Q(status="replaced") | Q(replacement__isnull=False), name="return_replaced_by_order",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="return_search"),
            models.Index(fields=["organization", "order", "id"], name="return_by_order"),
            models.Index(fields=["organization", "customer", "id"], name="return_by_customer"),
            models.Index(fields=["organization", "warehouse", "id"], name="return_by_warehouse"),
            models.Index(fields=["organization", "status", "id"], name="return_by_status"),
            models.Index(fields=["organization", "reason"], name="return_by_reason"),
            models.Index(fields=["organization", "replacement"], name="return_by_replacement"),
        ]

    def __str__(self) -> str:
        return self.number


class ReturnItem(TenantModel):
    """Of one line of the order, one lot or serial number where they are tracked. `location` is where the goods lie."""

    stands_in = ("authorization.warehouse",)

    class Disposition(models.TextChoices):
        RESTOCK = "restock", "Restock"
        QUARANTINE = "quarantine", "Quarantine"
        SCRAP = "scrap", "Scrap"

    authorization = TenantForeignKey(ReturnAuthorization, related_name="lines")
    line = models.PositiveIntegerField(editable=False)
    order_item = TenantForeignKey(SalesOrderItem, related_name="+", editable=False)
    lot = TenantForeignKey(Lot, null=True, related_name="+", editable=False)
    quantity = QuantityField("asked", editable=False)
    received_quantity = QuantityField("received", default=0, editable=False)
    disposition = models.CharField(max_length=10, choices=Disposition, blank=True)
    location = TenantForeignKey(Location, null=True, related_name="+", editable=False)
    move = TenantForeignKey(StockMove, null=True, related_name="+", editable=False)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "authorization", "line"], name="return_item_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, received_quantity__gte=0) & Q(received_quantity__lte=F("quantity")),
                name="return_item_received_of_asked",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "order_item"], name="return_item_by_order"),
            models.Index(fields=["organization", "lot"], name="return_item_by_lot"),
            models.Index(fields=["organization", "location"], name="return_item_by_location"),
            models.Index(fields=["organization", "move"], name="return_item_by_move"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.order_item.sku}"

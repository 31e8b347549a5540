from django.db import models
from django.db.models import Q

from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import LedgerModel, TenantForeignKey
from inventory.models import Location, Lot, ProductVariant, StockMove, Warehouse
from orders.models.purchasing import PurchaseOrder, PurchaseOrderItem


class GoodsReceipt(LedgerModel):
    """Goods of a purchase order that came in at once, or went back to the supplier."""

    stands_in = ("warehouse",)

    class Kind(models.TextChoices):
        RECEIPT = "receipt", "Receipt"
        RETURN = "return", "Return"

    number = models.CharField(max_length=40)
    number_key = SearchKeyField("number")
    kind = models.CharField(max_length=7, choices=Kind)
    order = TenantForeignKey(PurchaseOrder, related_name="receipts")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    delivery_note = models.CharField(max_length=80, blank=True, help_text="The number on the supplier's paper.")
    note = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField()
    currency = CurrencyField()
    exchange_rate = models.DecimalField(
        max_digits=20, decimal_places=9, help_text="Of the day: what one unit of the order's currency is in the organization's.",
    )
    actor_id = models.UUIDField(null=True, editable=False)
    idempotency_key = models.CharField(max_length=100, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="goods_receipt_number"),
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"], condition=~Q(idempotency_key=""), name="goods_receipt_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="goods_receipt_search"),
            models.Index(fields=["organization", "order", "id"], name="goods_receipt_by_order"),
            models.Index(fields=["organization", "kind", "id"], name="goods_receipt_by_kind"),
            models.Index(fields=["organization", "warehouse", "id"], name="goods_receipt_by_warehouse"),
        ]

    def __str__(self) -> str:
        return self.number


class GoodsReceiptItem(LedgerModel):
    """What was taken in is posted by `move`; what was rejected was not, and stays the supplier's."""

    stands_in = ("receipt.warehouse",)

    receipt = TenantForeignKey(GoodsReceipt, related_name="lines")
    line = models.PositiveIntegerField()
    order_item = TenantForeignKey(PurchaseOrderItem, related_name="+")
    variant = TenantForeignKey(ProductVariant, related_name="+")
    lot = TenantForeignKey(Lot, null=True, related_name="+")
    location = TenantForeignKey(Location, null=True, related_name="+")
    quantity = QuantityField(default=0)
    rejected_quantity = QuantityField("rejected", default=0)
    rejected_because = models.CharField(max_length=200, blank=True)
    unit_cost = MoneyField(null=True, help_text="Of one base unit, in the organization's currency.")
    move = TenantForeignKey(StockMove, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "receipt", "line"], name="goods_receipt_item_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, rejected_quantity__gte=0) & (Q(quantity__gt=0) | Q(rejected_quantity__gt=0)),
                name="goods_receipt_item_says_something",
            ),
            models.CheckConstraint(
                condition=Q(rejected_quantity=0) | ~Q(rejected_because=""), name="goods_receipt_item_rejected_because",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "order_item"], name="goods_receipt_item_by_order"),
            models.Index(fields=["organization", "variant", "receipt"], name="goods_receipt_item_by_variant"),
            models.Index(fields=["organization", "lot"], name="goods_receipt_item_by_lot"),
            models.Index(fields=["organization", "location"], name="goods_receipt_item_by_location"),
            models.Index(fields=["organization", "move"], name="goods_receipt_item_by_move"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.variant}"

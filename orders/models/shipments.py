from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q

from core.fields import QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import LogisticUnit, Lot, ProductVariant, Reservation, StockItem, StockMove, Warehouse
from orders.models.sales import SalesOrder, SalesOrderItem


class Shipment(TenantModel):
    """Goods of a sales order that leave the warehouse at once. Its number, status and times are written by the services alone."""

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PACKED = "packed", "Packed"
        HANDED_OVER = "handed_over", "Handed over"
        IN_TRANSIT = "in_transit", "In transit"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        RETURNED = "returned", "Came back"
        CANCELLED = "cancelled", "Canceled"

    OPEN = (Status.DRAFT, Status.PACKED)
    OVER = (Status.DELIVERED, Status.RETURNED, Status.CANCELLED)
    ON_THE_WAY = (Status.HANDED_OVER, Status.IN_TRANSIT, Status.FAILED)
    LEFT = (*ON_THE_WAY, Status.DELIVERED, Status.RETURNED)

    number = models.CharField(max_length=40, editable=False)
    number_key = SearchKeyField("number")
    order = TenantForeignKey(SalesOrder, related_name="shipments")
    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    status = models.CharField(max_length=11, choices=Status, default=Status.DRAFT, editable=False)
    carrier = models.CharField(max_length=80, blank=True)
    tracking_number = models.CharField(max_length=80, blank=True)
    tracking_key = SearchKeyField("tracking_number")
    tracking_url = models.CharField(
        max_length=500, blank=True, validators=[URLValidator(["http", "https"])], help_text="Where the customer follows it.",
    )
    packed_at = models.DateTimeField(null=True, blank=True, editable=False)
    handed_over_at = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="shipment_number"),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="shipment_search"),
            models.Index(fields=["organization", "tracking_key"], name="shipment_search_tracking"),
            models.Index(fields=["organization", "order", "id"], name="shipment_by_order"),
            models.Index(fields=["organization", "warehouse", "id"], name="shipment_by_warehouse"),
            models.Index(fields=["organization", "status", "id"], name="shipment_by_status"),
        ]

    def __str__(self) -> str:
        return self.number


class ShipmentItem(TenantModel):
    """Goods of one reservation. `move` issued them, once for all."""

    stands_in = ("shipment.warehouse",)

    shipment = TenantForeignKey(Shipment, related_name="lines")
    line = models.PositiveIntegerField()
    order_item = TenantForeignKey(SalesOrderItem, related_name="+")
    variant = TenantForeignKey(ProductVariant, related_name="+")
    lot = TenantForeignKey(Lot, null=True, related_name="+")
    stock_item = TenantForeignKey(StockItem, related_name="+", help_text="From where it is taken.")
    reservation = TenantForeignKey(Reservation, related_name="+")
    quantity = QuantityField()
    move = TenantForeignKey(StockMove, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "shipment", "line"], name="shipment_item_once"),
            models.UniqueConstraint(fields=["organization", "shipment", "reservation"], name="shipment_item_reservation_once"),
            models.UniqueConstraint(fields=["organization", "move"], name="shipment_item_move_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_item_quantity_positive"),
        ]
        indexes = [
            models.Index(fields=["organization", "order_item"], name="shipment_item_by_order"),
            models.Index(fields=["organization", "variant", "shipment"], name="shipment_item_by_variant"),
            models.Index(fields=["organization", "lot"], name="shipment_item_by_lot"),
            models.Index(fields=["organization", "stock_item"], name="shipment_item_by_stock_item"),
            models.Index(fields=["organization", "reservation"], name="shipment_item_by_reservation"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.variant}"


class ShipmentParcel(TenantModel):
    """A logistic unit that goes with a shipment: its SSCC is on the label."""

    stands_in = ("shipment.warehouse",)

    shipment = TenantForeignKey(Shipment, related_name="parcels")
    unit = TenantForeignKey(LogisticUnit, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "unit"], name="shipment_parcel_once",
                violation_error_message="This parcel goes with another shipment.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "shipment"], name="shipment_parcel_by_shipment")]

    def __str__(self) -> str:
        return str(self.unit)

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import F, Q

from core.fields import QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Location, Warehouse
from inventory.models.lots import Lot


class TransferOrder(TenantModel):
    """Goods go from one warehouse to another. Between shipping and receipt they lie in a place of kind transit.

    Its number, its status and the times are written by the services alone.
    """

    annotated = True
    stands_in = ("source", "destination")

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        CONFIRMED = "confirmed", "Confirmed"
        PARTLY_SHIPPED = "partly_shipped", "Partly shipped"
        SHIPPED = "shipped", "Shipped"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Canceled"

    UNDER_WAY = (Status.CONFIRMED, Status.PARTLY_SHIPPED, Status.SHIPPED)
    OVER = (Status.COMPLETED, Status.CANCELLED)

    overfull: Sequence[Any] = ()  # of who has just received it: the places that took more than fits

    number = models.CharField(max_length=40, editable=False)
    number_key = SearchKeyField("number")
    source = TenantForeignKey(Warehouse, related_name="+")
    destination = TenantForeignKey(Warehouse, related_name="+")
    to_location = TenantForeignKey(
        Location, null=True, blank=True, related_name="+",
        help_text="Where the goods go, unless who receives them says otherwise.",
    )
    transit_location = TenantForeignKey(Location, null=True, blank=True, related_name="+", editable=False)
    status = models.CharField(max_length=14, choices=Status, default=Status.DRAFT, editable=False)
    expected_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=0, editable=False, help_text="How often its lines were replaced.")
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    shipped_at = models.DateTimeField("last shipped at", null=True, blank=True, editable=False)
    received_at = models.DateTimeField("last received at", null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        permissions = [
            ("confirm_transferorder", "Can confirm transfer orders, which reserves the goods"),
            ("ship_transferorder", "Can ship transfer orders"), ("receive_transferorder", "Can receive transfer orders"),
            ("close_transferorder", "Can write off what did not arrive of transfer orders"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="transfer_order_number"),
            models.CheckConstraint(
                condition=~Q(source=F("destination")), name="transfer_order_goes_somewhere",
                violation_error_message="The goods are there already: choose two warehouses, or move them within one.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="transfer_order_search"),
            models.Index(fields=["organization", "status", "id"], name="transfer_order_by_status"),
            models.Index(fields=["organization", "source", "id"], name="transfer_order_by_source"),
            models.Index(fields=["organization", "destination", "id"], name="transfer_order_by_destination"),
            models.Index(fields=["organization", "to_location"], name="transfer_order_by_location"),
            models.Index(fields=["organization", "transit_location"], name="transfer_order_by_transit"),
        ]

    def __str__(self) -> str:
        return self.number


class TransferOrderLine(TenantModel):
    """What is ordered, without what was canceled, is shipped; what is shipped is received, or lost."""

    stands_in = ("order.source", "order.destination")

    order = TenantForeignKey(TransferOrder, related_name="lines")
    line = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    lot = TenantForeignKey(Lot, null=True, blank=True, related_name="+")
    from_location = TenantForeignKey(Location, null=True, blank=True, related_name="+")
    quantity = QuantityField()
    shipped_quantity = QuantityField("shipped", default=0)
    received_quantity = QuantityField("received", default=0)
    lost_quantity = QuantityField("lost", default=0)
    cancelled_quantity = QuantityField("canceled", default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "order", "line"], name="transfer_order_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="transfer_line_quantity_positive"),
            models.CheckConstraint(
                condition=Q(shipped_quantity__gte=0, received_quantity__gte=0, lost_quantity__gte=0, cancelled_quantity__gte=0),
                name="transfer_line_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("shipped_quantity") + F("cancelled_quantity")),
                name="transfer_line_ships_what_is_ordered", violation_error_message="No more is shipped than was ordered.",
            ),
            models.CheckConstraint(
                condition=Q(shipped_quantity__gte=F("received_quantity") + F("lost_quantity")),
                name="transfer_line_receives_what_is_shipped", violation_error_message="No more is received than was shipped.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "order"], name="transfer_line_by_variant"),
            models.Index(fields=["organization", "lot"], name="transfer_line_by_lot"),
            models.Index(fields=["organization", "from_location"], name="transfer_line_by_location"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.variant}"

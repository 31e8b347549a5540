from django.db import models
from django.db.models import F, Q

from accounts.models import Membership
from core.fields import QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import Lot, ProductVariant, Reservation, StockItem, Warehouse
from orders.models.sales import SalesOrderItem


class PickList(TenantModel):
    """What one person takes from the shelves in one round, for one order or many.

    Its number, status and times are written by the services alone.
    """

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PICKING = "picking", "Being picked"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Canceled"

    ACTIVE = (Status.OPEN, Status.PICKING)
    OVER = (Status.DONE, Status.CANCELLED)

    number = models.CharField(max_length=40, editable=False)
    number_key = SearchKeyField("number")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    assignee = TenantForeignKey(Membership, null=True, blank=True, related_name="+", help_text="Who goes round with it.")
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        permissions = [("pick_picklist", "Can pick goods by pick lists")]
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="pick_list_number")]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="pick_list_search"),
            models.Index(fields=["organization", "warehouse", "id"], name="pick_list_by_warehouse"),
            models.Index(fields=["organization", "status", "id"], name="pick_list_by_status"),
            models.Index(fields=["organization", "assignee", "id"], name="pick_list_by_assignee"),
        ]

    def __str__(self) -> str:
        return self.number


class PickListItem(TenantModel):
    """Goods of one reservation. It is open while its list is, unless the order needs them no longer."""

    stands_in = ("pick_list.warehouse",)

    pick_list = TenantForeignKey(PickList, related_name="lines")
    line = models.PositiveIntegerField()
    order_item = TenantForeignKey(SalesOrderItem, related_name="+")
    reservation = TenantForeignKey(Reservation, related_name="+")
    variant = TenantForeignKey(ProductVariant, related_name="+")
    lot = TenantForeignKey(Lot, null=True, related_name="+")
    stock_item = TenantForeignKey(StockItem, related_name="+", help_text="From where it is taken.")
    quantity = QuantityField()
    picked_quantity = QuantityField("picked", default=0)
    short_quantity = QuantityField("short", default=0)
    short_reason = models.CharField(max_length=200, blank=True)
    is_open = models.BooleanField("open", default=True)
    last_step = models.CharField(
        max_length=40, blank=True, db_default="", editable=False, help_text="Of a page: what is sent twice counts once.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "pick_list", "line"], name="pick_list_item_once"),
            models.UniqueConstraint(
                fields=["organization", "reservation"], condition=Q(is_open=True), name="pick_list_item_reservation_once",
                violation_error_message="These goods are on another pick list.",
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0, picked_quantity__gte=0, short_quantity__gte=0,
                    quantity__gte=F("picked_quantity") + F("short_quantity"),
                ),
                name="pick_list_item_quantities",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "order_item"], name="pick_list_item_by_order"),
            models.Index(fields=["organization", "reservation"], name="pick_list_item_by_reserved"),
            models.Index(fields=["organization", "variant"], name="pick_list_item_by_variant"),
            models.Index(fields=["organization", "lot"], name="pick_list_item_by_lot"),
            models.Index(fields=["organization", "stock_item"], name="pick_list_item_by_stock"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.variant}"

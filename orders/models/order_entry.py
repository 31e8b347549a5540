from django.db import models

from core.fields import QuantityField
from core.models import RuntimeModel, TenantForeignKey
from inventory.models import ProductVariant
from orders.models.channels import Channel, Customer
from orders.models.sales import SalesOrder


class OrderEntry(RuntimeModel):
    """What a person is selling: kept here until it is placed, so that another device may go on with it."""

    actor_id = models.UUIDField()
    channel = TenantForeignKey(Channel, null=True, related_name="+")
    customer = TenantForeignKey(Customer, null=True, related_name="+")
    placed = TenantForeignKey(SalesOrder, null=True, related_name="+", help_text="The order that was placed last.")
    placed_step = models.CharField(max_length=40, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization", "actor_id"], name="order_entry_of_person")]
        indexes = [
            models.Index(fields=["organization", "channel"], name="order_entry_by_channel"),
            models.Index(fields=["organization", "customer"], name="order_entry_by_customer"),
            models.Index(fields=["organization", "placed"], name="order_entry_by_placed"),
        ]

    def __str__(self) -> str:
        return f"Order of {self.customer}" if self.customer_id else "Order"


class OrderEntryStep(RuntimeModel):
    """What one step changed: a line is the sum of its steps, and the last one can be taken back.

    Without a variant it is a code that nobody knows yet.
    """

    entry = TenantForeignKey(OrderEntry, related_name="steps")
    step = models.CharField(max_length=40)
    number = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, null=True, related_name="+")
    code = models.CharField(max_length=100, blank=True)
    quantity = QuantityField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["organization", "entry", "step", "number"], name="order_entry_step_once"),
        ]
        indexes = [
            models.Index(fields=["organization", "entry", "id"], name="order_entry_steps"),
            models.Index(fields=["organization", "variant"], name="order_entry_by_variant"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant or self.code}"

from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, F, Q

from core.fields import QuantityField, SequenceField
from core.models import LedgerModel, RuntimeModel, TenantForeignKey
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Warehouse
from inventory.models.stock import StockMove


class ValueField(models.DecimalField):
    """In the organization's base currency; holds the largest quantity at the largest cost, many times over."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 38, "decimal_places": 6})


class TotalField(models.DecimalField):
    """Of a variant in a warehouse since its first value entry; null where the release before this one wrote the row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 38, "decimal_places": 6, "null": True})


class CostLayer(RuntimeModel):
    """What goods of a variant in a warehouse are worth; its entries account for it.

    A receipt's layer is used up, the oldest first (FIFO). The pool, one for each variant and warehouse, holds all goods
    (average, standard), or those that are short (FIFO: below zero). Postings of such goods wait for each other at it.
    """

    class Kind(models.TextChoices):
        RECEIPT = "receipt", "Receipt"
        POOL = "pool", "Pool"

    stands_in = ("warehouse",)

    kind = models.CharField(max_length=7, choices=Kind)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    source_move = TenantForeignKey(StockMove, null=True, related_name="+")
    quantity = QuantityField(null=True, help_text="What came in; of a pool nothing.")
    remaining = QuantityField(default=0)
    value = ValueField(default=0, help_text="Of what remains.")
    unit_cost = ValueField(null=True, help_text="Of a receipt as it came; of a pool the one that was used last.")
    landed_cost = ValueField(default=0, help_text="What was added later, such as freight; part of the value.")
    received_at = models.DateTimeField(help_text="When the goods came into the first of our warehouses.")
    is_open = models.GeneratedField(
        expression=ExpressionWrapper(Q(remaining__lt=0) | Q(remaining__gt=0), models.BooleanField()),
        output_field=models.BooleanField(), db_persist=True,
    )

    class Meta:
        permissions = [("add_landed_cost", "Can add landed cost to receipts")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "warehouse"], condition=Q(kind="pool"), name="cost_layer_one_pool",
            ),
            models.CheckConstraint(
                condition=Q(remaining__lt=0) | Q(remaining__gt=0) | Q(value=0), name="cost_layer_nothing_is_worth_nothing",
            ),
            models.CheckConstraint(condition=Q(kind="pool") | Q(remaining__gte=0), name="cost_layer_receipt_not_below_zero"),
        ]
        indexes = [
            models.Index(fields=["organization", "is_open", "variant", "warehouse", "received_at", "id"], name="cost_layer_open"),
            models.Index(fields=["organization", "variant", "warehouse"], name="cost_layer_by_variant"),
            models.Index(fields=["organization", "warehouse", "id"], name="cost_layer_by_warehouse"),
            models.Index(fields=["organization", "source_move"], name="cost_layer_by_move"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.variant}"


class ValueEntry(LedgerModel):
    """The ledger of values: what a move, or a decision about costs, added to a layer. The sum of all is the inventory's value.

    Written when its move was (`created_at`). `is_late` tells one that happened a minute or more before.
    """

    class Kind(models.TextChoices):
        COST = "cost", "Cost"
        LANDED = "landed", "Landed cost"
        REVALUATION = "revaluation", "Revaluation"

    stands_in = ("warehouse",)

    seq = SequenceField()
    kind = models.CharField(max_length=11, choices=Kind)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    layer = TenantForeignKey(CostLayer, related_name="entries")
    move = TenantForeignKey(StockMove, null=True, related_name="value_entries")
    from_layer = TenantForeignKey(CostLayer, null=True, related_name="+")
    quantity = QuantityField(default=0, help_text="Signed: below zero for what left the layer.")
    value = ValueField(help_text="Signed.")
    note = models.CharField(max_length=200, blank=True)
    document_type = models.CharField(max_length=40, blank=True)
    document_id = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    is_late = models.GeneratedField(
        expression=ExpressionWrapper(Q(occurred_at__lt=F("created_at")), models.BooleanField()),
        output_field=models.BooleanField(), db_persist=True,
    )
    actor_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField("API key", null=True)

    class Meta:
        verbose_name_plural = "value entries"
        indexes = [
            models.Index(fields=["organization", "variant", "warehouse", "seq"], name="value_entry_by_variant"),
            models.Index(fields=["organization", "warehouse", "id"], name="value_entry_by_warehouse"),
            models.Index(fields=["organization", "layer", "seq"], name="value_entry_by_layer"),
            models.Index(fields=["organization", "move"], name="value_entry_by_move"),
            models.Index(fields=["organization", "document_id"], name="value_entry_by_document"),
            models.Index(fields=["organization", "created_at"], name="value_entry_by_time"),
            models.Index(fields=["organization", "created_at"], condition=Q(is_late=True), name="value_entry_late"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


class StockSnapshot(RuntimeModel):
    """What there was of a variant in a warehouse, and its value, when a day ended: the entries written before `until`.

    The totals since the first entry make reports cheap: what happened between two days is what their snapshots differ by. So
    goods that are gone keep their row.
    """

    stands_in = ("warehouse",)

    variant = TenantForeignKey(ProductVariant, related_name="+")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    day = models.DateField()
    until = models.DateTimeField(help_text="The end of the day in the organization's time zone.")
    quantity = QuantityField()
    value = ValueField()
    last_seq = models.BigIntegerField(help_text="The last value entry that is in it.")
    received = TotalField(help_text="By receipts, in the product's base unit.")
    issued = TotalField(help_text="By issues, in the product's base unit.")
    issued_value = TotalField(help_text="What issues took off the value of the stock.")
    value_seconds = TotalField(help_text="The value times the seconds for which it lasted, so that averages are those over time.")
    out_seconds = TotalField(help_text="For how many seconds nothing was on hand.")
    began_at = models.DateTimeField(null=True, help_text="When the first value entry was written.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "variant", "warehouse", "day"], name="stock_snapshot_once"),
        ]
        indexes = [
            models.Index(fields=["organization", "until", "variant", "warehouse"], name="stock_snapshot_by_time"),
            models.Index(fields=["organization", "warehouse", "id"], name="stock_snapshot_by_warehouse"),
            models.Index(fields=["organization", "day", "id"], name="stock_snapshot_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} on {self.day}"

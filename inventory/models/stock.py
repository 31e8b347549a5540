from django.db import models
from django.db.models import Case, F, Q, Value, When

from core.fields import MoneyField, QuantityField, SequenceField
from core.models import LedgerModel, TenantForeignKey, TenantModel
from inventory.models.catalog import ProductVariant
from inventory.models.locations import Location, Warehouse
from inventory.models.lots import Lot


class ReasonCode(TenantModel):
    """Why stock changed."""

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", "Adjustment"
        ISSUE = "issue", "Issue"
        MOVE = "move", "Move"
        RECEIPT = "receipt", "Receipt"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ADJUSTMENT)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    requires_note = models.BooleanField(default=False)
    takes_held = models.BooleanField(
        default=False, db_default=False, help_text="Goods of lots that are held or expired may leave by it: scrapped, sent back.",
    )
    approval_over_quantity = QuantityField(
        null=True, blank=True, help_text="An adjustment of a line by more than this waits for somebody's approval.",
    )
    approval_over_value = MoneyField(
        null=True, blank=True, help_text="An adjustment of more than this, at standard cost, waits for somebody's approval.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "code"], name="reason_code_once"),
            models.CheckConstraint(
                condition=Q(approval_over_quantity__isnull=True, approval_over_value__isnull=True)
                | Q(kind="adjustment") & (Q(approval_over_quantity__isnull=True) | Q(approval_over_quantity__gte=0))
                & (Q(approval_over_value__isnull=True) | Q(approval_over_value__gte=0)),
                name="reason_code_limits",
                violation_error_message="A limit is not negative, and only adjustments have one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class StockItem(TenantModel):
    """The balance of a variant, or of one of its lots, at a location. The posting service alone changes it.

    Moves account for its quantity, reservations for what is reserved, logistic units for what is packed, which may be
    reserved as well. What is held, or lies apart, is on hand and not available.
    """

    audit_ignored = ("available", "may_be_short", "is_apart")
    stands_in = ("warehouse",)

    variant = TenantForeignKey(ProductVariant, related_name="stock_items")
    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    location = TenantForeignKey(Location, related_name="stock_items")
    lot = TenantForeignKey(Lot, null=True, blank=True, related_name="stock_items", editable=False)
    quantity = QuantityField(default=0, editable=False)
    reserved = QuantityField(default=0, editable=False)
    packed = QuantityField(default=0, db_default=0, editable=False)
    is_held = models.BooleanField("held", default=False, db_default=False, editable=False)  # as the status of its lot says
    is_serial = models.BooleanField("serial number", default=False, db_default=False, editable=False)
    # As the kind of its location says: in quarantine, scrap or transit. The database keeps it, see database_places.py.
    is_apart = models.BooleanField("apart", default=False, db_default=False, editable=False)
    available = models.GeneratedField(
        expression=Case(When(Q(is_held=True) | Q(is_apart=True), then=Value(0)), default=F("quantity") - F("reserved")),
        output_field=QuantityField(), db_persist=True,
    )
    # The organization's allow_negative_stock when the balance was last posted: a check cannot look there.
    may_be_short = models.BooleanField(default=False, editable=False)

    class Meta:
        permissions = [
            ("receive_stock", "Can receive stock"), ("issue_stock", "Can issue stock"),
            ("move_stock", "Can move stock"), ("adjust_stock", "Can adjust stock"),
            ("assemble_stock", "Can assemble kits and take them apart"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "variant", "location", "lot"], nulls_distinct=False, name="stock_item_of_lot_once",
            ),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_not_negative"),
            models.CheckConstraint(
                condition=Q(may_be_short=True) | Q(quantity__gte=F("reserved")), name="stock_covers_reservations",
                violation_error_message="There is not enough stock.",
            ),
            models.CheckConstraint(
                condition=Q(packed__gte=0) & (Q(may_be_short=True) | Q(quantity__gte=F("packed"))), name="stock_holds_packed",
                violation_error_message="These goods are packed: unpack them first.",
            ),
            models.CheckConstraint(
                condition=Q(is_serial=False) | Q(quantity__in=[0, 1]), name="stock_serial_is_one_piece",
                violation_error_message="A serial number is one piece.",
            ),
            models.UniqueConstraint(
                fields=["organization", "lot"], condition=Q(is_serial=True, quantity__gt=0), name="stock_serial_in_one_place",
                violation_error_message="This serial number is in stock already.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "location"], name="stock_item_by_location"),
            models.Index(fields=["organization", "warehouse", "variant"], name="stock_item_by_warehouse"),
            models.Index(fields=["organization", "lot"], name="stock_item_by_lot"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} at {self.location}"


class StockMove(LedgerModel):
    """The ledger: `quantity` left one place and came to another; an empty side is the world outside.

    `unit_cost` is in the organization's base currency. A correction is a move that `reverses` another.
    """

    class Kind(models.TextChoices):
        RECEIPT = "receipt", "Receipt"
        ISSUE = "issue", "Issue"
        ADJUSTMENT = "adjustment", "Adjustment"
        MOVE = "move", "Move"
        ASSEMBLY = "assembly", "Assembly"

    stands_in = ("from_location.warehouse", "to_location.warehouse")

    seq = SequenceField()
    kind = models.CharField(max_length=10, choices=Kind)
    variant = TenantForeignKey(ProductVariant, related_name="moves")
    lot = TenantForeignKey(Lot, null=True, related_name="moves")
    quantity = QuantityField()
    from_location = TenantForeignKey(Location, null=True, related_name="+")
    to_location = TenantForeignKey(Location, null=True, related_name="+")
    reason = TenantForeignKey(ReasonCode, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    document_type = models.CharField(max_length=40, blank=True)
    document_id = models.UUIDField(null=True)
    document_line_id = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    unit_cost = MoneyField(null=True)
    reverses = TenantForeignKey("self", null=True, related_name="+")
    idempotency_key = models.CharField(max_length=100, blank=True)
    line = models.PositiveIntegerField(default=0)
    actor_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField("API key", null=True)

    class Meta:
        permissions = [("reverse_stockmove", "Can reverse stock moves")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key", "line"], condition=~Q(idempotency_key=""), name="stock_move_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "reverses"], name="stock_move_reversed_once",
                violation_error_message="This move is reversed already.",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="stock_move_quantity_positive"),
            models.CheckConstraint(
                condition=Q(from_location__isnull=False) | Q(to_location__isnull=False), name="stock_move_has_a_side",
            ),
            models.CheckConstraint(
                condition=Q(from_location__isnull=True) | Q(to_location__isnull=True) | ~Q(from_location=F("to_location")),
                name="stock_move_goes_somewhere", violation_error_message="The goods are there already.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "seq"], name="stock_move_by_variant"),
            models.Index(fields=["organization", "lot", "seq"], name="stock_move_by_lot"),
            models.Index(fields=["organization", "from_location", "seq"], name="stock_move_by_from"),
            models.Index(fields=["organization", "to_location", "seq"], name="stock_move_by_to"),
            models.Index(fields=["organization", "occurred_at", "id"], name="stock_move_by_time"),
            models.Index(fields=["organization", "actor_id", "occurred_at"], name="stock_move_by_actor"),
            models.Index(fields=["organization", "document_id"], name="stock_move_by_document"),
            models.Index(fields=["organization", "reason"], name="stock_move_by_reason"),
            models.Index(fields=["organization", "seq"], name="stock_move_by_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity}"


class CountedPosting(LedgerModel):
    """What was counted with an idempotency key. The moves of such a posting are its differences, of which there may be none."""

    idempotency_key = models.CharField(max_length=100)
    asked = models.CharField(max_length=64, help_text="The hash of its lines.")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization", "idempotency_key"], name="counted_posting_once")]

    def __str__(self) -> str:
        return self.idempotency_key

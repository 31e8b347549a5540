"""The bodies and the answers of purchase orders."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.services.posting import LotCode
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_goods import Part
from orders.services.purchase_states import BY_MAIL, BY_OTHER
from orders.services.purchasing import MOST_LINES

LABEL = ("lot_code", "expires_on", "best_before", "supplier_lot")


def quantity_field(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=6, **options)


def percent_field(help_text: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=7, decimal_places=4, min_value=0, max_value=100, required=False, help_text=help_text,
    )


class PurchaseOrderSerializer(TenantSerializer):
    supplier_code = serializers.CharField(source="supplier.code", read_only=True)
    supplier_min_order_value = quantity_field(
        source="supplier.min_order_value", read_only=True, help_text="In the supplier's currency: less is not delivered.",
    )
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)
    sent_by = serializers.CharField(read_only=True, help_text="mail or other: how the supplier got it last. Empty: never.")

    class Meta:
        model = PurchaseOrder
        fields = [
            "id", "number", "supplier", "supplier_code", "supplier_min_order_value", "warehouse", "warehouse_code", "status",
            "currency", "expected_on", "supplier_reference", "note", "net_total", "tax_total", "total", "revision",
            "requested_by", "decided_by", "decided_at", "decision_note", "submitted_at", "sent_at", "sent_by", "received_at",
            "closed_at",            "external_ref", "custom_fields", "created_at", "updated_at", "version",
        ]
        extra_kwargs = {"note": {"help_text": "It stands on the paper that the supplier gets."}}


class NewPurchaseLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = quantity_field()
    unit_price = quantity_field(
        required=False, min_value=0,
        help_text="Of one base unit, without tax. Else as price lists say, or the supplier asked last.",
    )
    discount_percent = percent_field("Off the price.")
    over_receipt_percent = percent_field("How much more than ordered is taken in.")
    reorder_task = ReferenceField(source="reorder_task_id", required=False, help_text="The task that this line answers.")


class WrittenPurchaseOrderSerializer(PurchaseOrderSerializer):
    lines: Any = serializers.ListSerializer(
        child=NewPurchaseLineSerializer(), required=False, write_only=True, max_length=MOST_LINES,
        help_text="All of them: they take the place of those before.",
    )

    class Meta(PurchaseOrderSerializer.Meta):
        fields = [*PurchaseOrderSerializer.Meta.fields, "lines"]


class PurchaseOrderItemSerializer(TenantSerializer):
    supplier_sku = serializers.CharField(source="supplier_product.supplier_sku", read_only=True, default=None)

    class Meta:
        model = PurchaseOrderItem
        fields = [
            "id", "line", "variant", "sku", "name", "supplier_product", "supplier_sku", "reorder_task", "quantity", "unit_price",
            "discount_percent", "tax_rate", "net_amount", "tax_amount", "price_reason", "over_receipt_percent",
            "received_quantity", "returned_quantity", "rejected_quantity", "billed_quantity",
        ]


class PurchaseReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class PurchaseRejectionSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class PurchaseApprovalSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class SendPurchaseSerializer(StrictSerializer):
    by = serializers.ChoiceField(
        [(BY_MAIL, "The supplier's contact gets it by mail, as a PDF"), (BY_OTHER, "Somebody else tells them")], required=False,
        help_text="`mail` unless given.",
    )


class WithdrawPurchaseSerializer(PurchaseReasonSerializer):
    by = serializers.ChoiceField(
        [(BY_MAIL, "The supplier's contact gets a mail"), (BY_OTHER, "Somebody else tells them")], required=False,
        help_text="How a supplier who has the order is told. As it was sent, unless given.",
    )


class FromTasksSerializer(StrictSerializer):
    tasks = serializers.ListField(
        child=ReferenceField(), required=False, max_length=MOST_LINES,
        help_text="These alone, open or snoozed; else all open ones that name a supplier.",
    )


class ProposedPurchaseOrderSerializer(PurchaseOrderSerializer):
    missing_to_minimum = quantity_field(
        read_only=True, allow_null=True, help_text="To what the supplier takes an order for, in the order's currency.",
    )

    class Meta(PurchaseOrderSerializer.Meta):
        fields = [*PurchaseOrderSerializer.Meta.fields, "missing_to_minimum"]


class FromTasksAnswerSerializer(serializers.Serializer):
    orders = ProposedPurchaseOrderSerializer(many=True)


class PurchasePartSerializer(StrictSerializer):
    """Of tracked goods one says the lot, by its id or by the code on its label."""

    line = ReferenceField(source="line_id")
    location = ReferenceField(source="location_id", required=False)
    lot = ReferenceField(source="lot_id", required=False)
    lot_code = serializers.CharField(max_length=80, required=False)


class ReceivedPurchasePartSerializer(PurchasePartSerializer):
    expires_on = serializers.DateField(required=False, help_text="With lot_code: of a lot that is new here.")
    best_before = serializers.DateField(required=False)
    supplier_lot = serializers.CharField(max_length=80, required=False)
    quantity = quantity_field(required=False, min_value=0, help_text="What is taken in.")
    rejected_quantity = quantity_field(required=False, min_value=0, help_text="What came, and is not taken in.")
    rejected_because = serializers.CharField(max_length=200, required=False)


class SentBackPartSerializer(PurchasePartSerializer):
    quantity = quantity_field()
    location = ReferenceField(source="location_id", help_text="Where the goods are taken from.")


class PurchaseDeliverySerializer(StrictSerializer):
    delivery_note = serializers.CharField(max_length=80, required=False, help_text="The number on the supplier's paper.")
    note = serializers.CharField(max_length=500, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    idempotency_key = serializers.CharField(max_length=100, required=False)


class ReceivePurchaseSerializer(PurchaseDeliverySerializer):
    location = ReferenceField(source="location_id", required=False, help_text="Of the lines that name none.")
    lines: Any = serializers.ListSerializer(
        child=ReceivedPurchasePartSerializer(), max_length=MOST_LINES, required=False,
        help_text="All that is left, unless given.",
    )


class SendBackSerializer(PurchaseDeliverySerializer):
    reason = ReferenceField(source="reason_id", required=False, help_text="A reason code for issues.")
    lines: Any = serializers.ListSerializer(child=SentBackPartSerializer(), max_length=MOST_LINES)


class OverfullPlaceSerializer(serializers.Serializer):
    code = serializers.ChoiceField(["location_overfull"])
    location = serializers.UUIDField()
    detail = serializers.CharField()


class PurchaseGoodsSerializer(PurchaseOrderSerializer):
    receipt = serializers.UUIDField(read_only=True)
    warnings = OverfullPlaceSerializer(many=True, read_only=True)

    class Meta(PurchaseOrderSerializer.Meta):
        fields = [*PurchaseOrderSerializer.Meta.fields, "receipt", "warnings"]


def part_of(line: Mapping[str, Any]) -> Part:
    """The fields of a lot's label as one."""
    rest = {name: value for name, value in line.items() if name not in LABEL}
    if "lot_code" not in line:
        return Part(**rest)
    label = LotCode(line["lot_code"], line.get("expires_on"), line.get("best_before"), line.get("supplier_lot", ""))
    return Part(**rest, lot=label)

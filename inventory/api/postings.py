"""The bodies and the answers of postings."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers, status
from rest_framework.response import Response

from core.serializers import ReferenceField, StrictSerializer
from inventory.services.capacity import Overfull
from inventory.services.posting import LotCode, Posted


def quantity_field(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=6, **options)


def wanted_field(**options: Any) -> serializers.DecimalField:
    """A quantity that moves, or is asked for."""
    return quantity_field(validators=[_above_zero], **options)


def _above_zero(quantity: Decimal) -> None:
    if quantity <= 0:
        raise serializers.ValidationError("A quantity must be above zero.", code="invalid")


class PostingSerializer(StrictSerializer):
    reason = ReferenceField(source="reason_id", required=False)
    note = serializers.CharField(max_length=500, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    idempotency_key = serializers.CharField(max_length=100, required=False)


class LotLineSerializer(StrictSerializer):
    """Of tracked goods one says the lot, by its id or by the code on its label."""

    lot = ReferenceField(source="lot_id", required=False)
    lot_code = serializers.CharField(max_length=80, required=False)


class NewLotLineSerializer(LotLineSerializer):
    expires_on = serializers.DateField(required=False, help_text="With lot_code: of a lot that is new here.")
    best_before = serializers.DateField(required=False)
    supplier_lot = serializers.CharField(max_length=80, required=False)


class ReceiptLineSerializer(NewLotLineSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = wanted_field()
    to_location = ReferenceField(source="to_location_id")
    unit_cost = quantity_field(required=False)


class IssueLineSerializer(LotLineSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = wanted_field()
    from_location = ReferenceField(source="from_location_id")


class MoveLineSerializer(IssueLineSerializer):
    to_location = ReferenceField(source="to_location_id")


class AdjustmentLineSerializer(NewLotLineSerializer):
    variant = ReferenceField(source="variant_id")
    location = ReferenceField(source="location_id")
    change = quantity_field(required=False, help_text="Signed.")
    counted = quantity_field(required=False, help_text="What is really there.")
    expected = quantity_field(required=False, help_text="The balance that was seen: refused if it has changed.")


class ReceiptSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=ReceiptLineSerializer(), max_length=1000)


class IssueSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=IssueLineSerializer(), max_length=1000)


class MoveSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=MoveLineSerializer(), max_length=1000)


class AdjustmentSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=AdjustmentLineSerializer(), max_length=1000)


class AssemblySerializer(PostingSerializer):
    components: Any = serializers.ListSerializer(child=IssueLineSerializer(), max_length=1000)
    kits: Any = serializers.ListSerializer(child=ReceiptLineSerializer(), max_length=1000)


class DisassemblySerializer(PostingSerializer):
    kits: Any = serializers.ListSerializer(child=IssueLineSerializer(), max_length=1000)
    components: Any = serializers.ListSerializer(child=ReceiptLineSerializer(), max_length=1000)


class ReversalSerializer(PostingSerializer):
    """Either the moves or their document."""

    moves = serializers.ListField(child=ReferenceField(), max_length=1000, required=False)
    document_type = serializers.CharField(max_length=40, required=False)
    document_id = serializers.UUIDField(required=False)


class BalanceSerializer(serializers.Serializer):
    stock_item = serializers.UUIDField()
    variant = serializers.UUIDField()
    location = serializers.UUIDField()
    lot = serializers.UUIDField(allow_null=True)
    quantity = quantity_field()
    reserved = quantity_field()
    available = quantity_field()


class OverfullSerializer(serializers.Serializer):
    code = serializers.ChoiceField(["location_overfull"])
    location = serializers.UUIDField()
    detail = serializers.CharField()


class PostedSerializer(serializers.Serializer):
    moves = serializers.ListField(child=serializers.UUIDField())
    balances = BalanceSerializer(many=True)
    replayed = serializers.BooleanField()
    warnings = OverfullSerializer(many=True, help_text="Places that took more than fits, as their capacity_policy says.")


class PendingSerializer(serializers.Serializer):
    adjustment = serializers.UUIDField(help_text="The stock adjustment that waits for approval.")
    status = serializers.CharField()


LOT_FIELDS = ("lot_code", "expires_on", "best_before", "supplier_lot")


def with_lot(line: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a lot's label as one."""
    rest = {name: value for name, value in line.items() if name not in LOT_FIELDS}
    if "lot_code" not in line:
        return rest
    label = LotCode(line["lot_code"], line.get("expires_on"), line.get("best_before"), line.get("supplier_lot", ""))
    return {**rest, "lot": label}


def warnings(overfull: Sequence[Overfull]) -> list[dict[str, Any]]:
    return [{"code": "location_overfull", "location": one.location_id, "detail": one.detail} for one in overfull]


def answer(posted: Posted) -> Response:
    body = {
        "moves": posted.moves, "balances": posted.balances, "replayed": posted.replayed, "warnings": warnings(posted.overfull),
    }
    return Response(body, status=status.HTTP_200_OK if posted.replayed else status.HTTP_201_CREATED)

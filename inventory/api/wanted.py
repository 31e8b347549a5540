"""Lines that want goods of a warehouse, and what is proposed for them."""

from typing import Any

from rest_framework import serializers

from core.serializers import ReferenceField, StrictSerializer
from inventory.api.postings import quantity_field, wanted_field


class WantedSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    warehouse = ReferenceField(source="warehouse_id")
    quantity = wanted_field()
    lot = ReferenceField(source="lot_id", required=False, help_text="Of this lot alone.")
    location = ReferenceField(source="location_id", required=False, help_text="At this place alone.")


class ProposeSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(child=WantedSerializer(), max_length=1000)


class ProposalSerializer(serializers.Serializer):
    line = serializers.IntegerField(help_text="The number of the line, from 0.")
    stock_item = serializers.UUIDField()
    location = serializers.UUIDField()
    location_code = serializers.CharField()
    lot = serializers.UUIDField(allow_null=True)
    lot_code = serializers.CharField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)
    quantity = quantity_field()

from accounts.models import NumberSequence
from core.api import TenantViewSet
from core.serializers import TenantSerializer


class NumberSequenceSerializer(TenantSerializer):
    class Meta:
        model = NumberSequence
        fields = ["id", "document_type", "pattern", "next_value", "reset", "gapless", "created_at", "updated_at", "version"]


class NumberSequenceViewSet(TenantViewSet):
    serializer_class = NumberSequenceSerializer
    filters = ["document_type"]


routes = {"number-sequences": NumberSequenceViewSet}

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import ProductRelation
from inventory.queries.relations import chain_of


class ProductRelationSerializer(TenantSerializer):
    from_sku = serializers.CharField(source="from_variant.sku", read_only=True)
    to_sku = serializers.CharField(source="to_variant.sku", read_only=True)

    class Meta:
        model = ProductRelation
        fields = [
            "id", "from_variant", "from_sku", "kind", "to_variant", "to_sku", "valid_from", "note",
            "created_at", "updated_at", "version",
        ]


class ProductRelationViewSet(TenantViewSet):
    serializer_class = ProductRelationSerializer
    filters = ["from_variant", "to_variant"]


class PartSerializer(serializers.Serializer):
    variant = serializers.UUIDField(source="id")
    sku = serializers.CharField()
    name = serializers.CharField()


class CurrentSerializer(PartSerializer):
    chain = PartSerializer(many=True, help_text="From the part that was asked for to the current one.")


class HasRelations(ReadViewSet):
    """For variants: which part is to be used today."""

    @extend_schema(responses=CurrentSerializer)
    @action(detail=True, methods=["get"])
    def current(self, request: Request, pk: str) -> Response:
        """The part that is to be used in its place today: itself, where nothing supersedes it."""
        self._query([])
        if not self.get_queryset().filter(pk=self.key(pk)).exists():
            raise Http404
        chain = chain_of(self.key(pk))
        return Response(CurrentSerializer({**chain[-1]._asdict(), "chain": chain}).data)


routes = {"product-relations": ProductRelationViewSet}

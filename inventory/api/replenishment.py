from collections.abc import Sequence
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.choosing import Conditions
from core.reading import BASE
from core.serializers import TenantSerializer
from core.within import holder
from inventory.models import ReorderRule, ReorderTask
from inventory.queries.levels import FITS, IS_BOUGHT
from inventory.services.replenishment import reorder_check, reorder_check_later, reorder_rules_settle, task_dismiss
from notifications.accepting import AcceptedSerializer, accepted, prefers_job

POLL = "notifications.view_job"  # without it nobody could read what became of the job
PREFER = OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: as a job, answered with 202.")


class ReorderRuleSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = ReorderRule
        fields = [
            "id", "variant", "sku", "warehouse", "warehouse_code", "vehicle_model", "basis", "min_quantity", "max_quantity",
            "order_quantity", "preferred_supplier", "is_active", "level", "is_low", "created_at", "updated_at", "version",
        ]
        read_only_fields = ["is_low"]


class ReorderRuleViewSet(TenantViewSet):
    serializer_class = ReorderRuleSerializer
    filters = ["variant", "warehouse", "vehicle_model", "preferred_supplier"]

    def written(self, ids: Sequence[UUID]) -> None:
        reorder_rules_settle(rules=ids)


class LowStockViewSet(ReadViewSet):
    """The active rules whose level is at or under their minimum, of variants that are bought again."""

    serializer_class = ReorderRuleSerializer
    filters = ["variant", "warehouse", "vehicle_model", "preferred_supplier"]

    def row_conditions(self) -> Conditions:
        low = f"{BASE}.is_low AND {BASE}.is_active AND {IS_BOUGHT.format(BASE)} AND {FITS.format(BASE)}"
        return [*super().row_conditions(), (low, [])]


class ReorderTaskSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    variant_name = serializers.CharField(source="variant.name", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)
    vehicle_model = serializers.UUIDField(source="rule.vehicle_model_id", read_only=True, allow_null=True)

    class Meta:
        model = ReorderTask
        fields = [
            "id", "rule", "variant", "sku", "variant_name", "warehouse", "warehouse_code", "vehicle_model", "supplier",
            "triggered_quantity", "threshold", "suggested_quantity", "status", "due_on", "closed_at", "explanation",
            "created_at", "updated_at", "version",
        ]


class CheckedSerializer(serializers.Serializer):
    created = serializers.IntegerField(help_text="Tasks that this check made.")


class ReorderTaskViewSet(ReadViewSet):
    """What to buy. The hourly check makes the tasks, and a receipt closes them."""

    serializer_class = ReorderTaskSerializer
    filters = ["status", "rule", "variant", "warehouse", "supplier"]

    @extend_schema(
        request=None, responses={200: CheckedSerializer, 202: AcceptedSerializer},
        parameters=[PREFER],
    )
    @action(detail=False, methods=["post"], permission="inventory.run_reorder_check")
    def check(self, request: Request) -> Response:
        if prefers_job(request) and POLL in holder(request).permissions:
            return accepted(request, reorder_check_later(warehouses=self.may_change_in()))
        return Response({"created": reorder_check(warehouses=self.may_change_in())})

    @extend_schema(request=None, responses=ReorderTaskSerializer)
    @action(detail=True, methods=["post"], permission="inventory.change_reordertask")
    def dismiss(self, request: Request, pk: str) -> Response:
        task_dismiss(task_id=self.get_object().pk)
        return Response(self.read_row(pk))


routes = {"reorder-rules": ReorderRuleViewSet, "low-stock": LowStockViewSet, "reorder-tasks": ReorderTaskViewSet}

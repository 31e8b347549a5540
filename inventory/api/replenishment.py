from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.choosing import Conditions
from core.reading import BASE
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from core.within import holder
from inventory.api.postings import quantity_field
from inventory.models import ReorderRule, ReorderTask
from inventory.queries.levels import FITS, IS_BOUGHT
from inventory.queries.reorder_numbers import reorder_numbers
from inventory.services.reorder_tasks import TaskOrder, tasks_assign, tasks_dismiss, tasks_order, tasks_reopen, tasks_snooze
from inventory.services.replenishment import reorder_check, reorder_check_later, reorder_rules_settle
from notifications.accepting import AcceptedSerializer, accepted, prefers_job

POLL = "notifications.view_job"  # without it nobody could read what became of the job
PREFER = OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: as a job, answered with 202.")
CHANGE, ORDER = "inventory.change_reordertask", "inventory.order_reordertask"


class ReorderRuleSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = ReorderRule
        fields = [
            "id", "variant", "sku", "warehouse", "warehouse_code", "vehicle_model", "basis", "method", "min_quantity",
            "max_quantity", "cover_days", "safety_stock", "service_level", "lead_time_days", "order_quantity",
            "preferred_supplier", "source_warehouse", "is_active", "level", "is_low", "explanation", "created_at", "updated_at",
            "version",
        ]
        read_only_fields = ["is_low"]


class ReorderNumbersSerializer(serializers.Serializer):
    """As they are now; quantities in the base unit."""

    sku = serializers.CharField()
    name = serializers.CharField()
    warehouse_code = serializers.CharField()
    basis = serializers.ChoiceField(ReorderRule.Basis.choices)
    method = serializers.ChoiceField(ReorderRule.Method.choices)
    level = quantity_field()
    is_low = serializers.BooleanField()
    min_quantity = quantity_field()
    max_quantity = quantity_field(allow_null=True)
    order_quantity = quantity_field(allow_null=True)
    minimum = serializers.JSONField(allow_null=True, help_text="By forecast: what the minimum was computed from.")
    supplier = serializers.UUIDField(allow_null=True, help_text="From whom to order.")
    order_multiple = quantity_field(allow_null=True)
    pack_size = quantity_field(allow_null=True)
    min_order_quantity = quantity_field(allow_null=True)
    lead_time_days = serializers.IntegerField(allow_null=True)
    on_hand = quantity_field()
    reserved = quantity_field()
    available = quantity_field(help_text="Not reserved, held, in quarantine or scrap.")
    incoming = quantity_field(help_text="Ordered and not received.")
    suggested_quantity = quantity_field(help_text="What the check would suggest; 0 while the rule is not low.")
    source_warehouse = serializers.UUIDField(allow_null=True, help_text="From where to fetch it, in the place of buying.")
    spare = quantity_field(allow_null=True, help_text="What the warehouse of the rule's route has above its own minimum.")
    forecast_week = serializers.DateField(allow_null=True)
    forecast_method = serializers.CharField(allow_null=True)
    forecast_quantity = quantity_field(allow_null=True)
    forecast_error = quantity_field(allow_null=True)


class ReorderRuleViewSet(TenantViewSet):
    serializer_class = ReorderRuleSerializer
    filters = ["variant", "warehouse", "vehicle_model", "preferred_supplier", "source_warehouse"]

    def written(self, ids: Sequence[UUID]) -> None:
        reorder_rules_settle(rules=ids)

    @extend_schema(responses=ReorderNumbersSerializer)
    @action(detail=True, methods=["get"], permission="inventory.view_reorderrule")
    def numbers(self, request: Request, pk: str) -> Response:
        """Why the rule is low, and why so much is suggested."""
        key = self.get_object().pk
        return Response(reorder_numbers([key])[key])


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
            "source_warehouse", "transfer_order", "triggered_quantity", "threshold", "suggested_quantity", "status", "assignee",
            "due_on", "snoozed_until", "dismissed_because", "ordered_quantity", "received_quantity", "ordered_at", "closed_at",
            "explanation", "created_at", "updated_at", "version",
        ]


class CheckedSerializer(serializers.Serializer):
    created = serializers.IntegerField(help_text="Tasks that this check made.")


class AssignSerializer(StrictSerializer):
    assignee = ReferenceField(allow_null=True, help_text="A membership; null: nobody in particular.")


class SnoozeSerializer(StrictSerializer):
    until = serializers.DateField(help_text="The day on which the task is open again.")


class DismissSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class TaskOrderSerializer(StrictSerializer):
    task = ReferenceField(source="task_id")
    quantity = quantity_field(required=False, help_text="Else as the task suggests.")
    supplier = ReferenceField(source="supplier_id", required=False, help_text="Else the one that the task names.")
    due_on = serializers.DateField(required=False, help_text="Else when the lead time is over.")


class OrderSerializer(StrictSerializer):
    tasks: Any = serializers.ListSerializer(child=TaskOrderSerializer(), max_length=1000)


class OrderedSerializer(serializers.Serializer):
    ordered = serializers.IntegerField(help_text="How many tasks.")


class ReorderTaskViewSet(ReadViewSet):
    """What to buy. The hourly check makes the tasks; a receipt closes them."""

    serializer_class = ReorderTaskSerializer
    filters = ["status", "rule", "variant", "warehouse", "supplier", "source_warehouse", "transfer_order", "assignee"]

    @extend_schema(
        request=None, responses={200: CheckedSerializer, 202: AcceptedSerializer},
        parameters=[PREFER],
    )
    @action(detail=False, methods=["post"], permission="inventory.run_reorder_check")
    def check(self, request: Request) -> Response:
        if prefers_job(request) and POLL in holder(request).permissions:
            return accepted(request, reorder_check_later(warehouses=self.may_change_in()))
        return Response({"created": reorder_check(warehouses=self.may_change_in())})

    @extend_schema(request=OrderSerializer, responses=OrderedSerializer)
    @action(detail=False, methods=["post"], permission=ORDER, body_class=OrderSerializer)
    def order(self, request: Request) -> Response:
        """All of them or none. What is bought is on its way until it is received. What another warehouse is to send is put on
        drafts of transfer orders, unless a supplier is given.
        """
        orders = [TaskOrder(**line) for line in self.body(request)["tasks"]]
        self.refuse_outside(*(one.task_id for one in orders))
        tasks_order(orders=orders)
        return Response({"ordered": len(orders)})

    @extend_schema(request=AssignSerializer, responses=ReorderTaskSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE, body_class=AssignSerializer)
    def assign(self, request: Request, pk: str) -> Response:
        tasks_assign(tasks=[self.get_object().pk], assignee_id=self.body(request)["assignee"])
        return Response(self.read_row(pk))

    @extend_schema(request=SnoozeSerializer, responses=ReorderTaskSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE, body_class=SnoozeSerializer)
    def snooze(self, request: Request, pk: str) -> Response:
        tasks_snooze(tasks=[self.get_object().pk], until=self.body(request)["until"])
        return Response(self.read_row(pk))

    @extend_schema(request=DismissSerializer, responses=ReorderTaskSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE, body_class=DismissSerializer)
    def dismiss(self, request: Request, pk: str) -> Response:
        """Until the stock falls further, or is low again after it was not."""
        tasks_dismiss(tasks=[self.get_object().pk], reason=self.body(request).get("reason", ""))
        return Response(self.read_row(pk))

    @extend_schema(request=None, responses=ReorderTaskSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE)
    def reopen(self, request: Request, pk: str) -> Response:
        """Take back that it was ordered, snoozed or dismissed."""
        tasks_reopen(tasks=[self.get_object().pk])
        return Response(self.read_row(pk))


routes = {"reorder-rules": ReorderRuleViewSet, "low-stock": LowStockViewSet, "reorder-tasks": ReorderTaskViewSet}

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import ReadViewSet, TenantViewSet
from core.permitting import SignedIn, demand
from core.serializers import StrictSerializer, TenantSerializer
from core.within import holder
from notifications.measuring import Wanted, measure, metrics
from notifications.models import Alert, AlertRule
from notifications.services.alert_rules import alert_rules_add_presets
from notifications.services.alerting import alert_acknowledge, alert_silence
from notifications.services.inbox import membership_of

ANSWER = "notifications.acknowledge_alert"


class AlertMetricSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    looks_back = serializers.BooleanField(help_text="Whether it is of the rule's window; otherwise it is of now.")


class AlertMetricsSerializer(serializers.Serializer):
    results = AlertMetricSerializer(many=True)


class AlertMetricsView(APIView):
    """What rules can watch."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="alert_metrics_list", responses=AlertMetricsSerializer)
    def get(self, request: Request) -> Response:
        demand(request, "notifications.view_alertrule")
        shown = ("key", "name", "unit", "looks_back")
        return Response({"results": [{name: getattr(one, name) for name in shown} for one in metrics().values()]})


class AlertRuleSerializer(TenantSerializer):
    class Meta:
        model = AlertRule
        fields = [
            "id", "name", "metric", "comparator", "threshold", "window_minutes", "for_minutes", "severity", "topic",
            "renotify_minutes", "is_active", "created_at", "updated_at", "version",
        ]
        extra_kwargs = {"metric": {"help_text": "One of alert-metrics."}}


class MadeRulesSerializer(serializers.Serializer):
    results = AlertRuleSerializer(many=True)


class MeasuredSerializer(serializers.Serializer):
    value = serializers.DecimalField(
        max_digits=25, decimal_places=6, allow_null=True, help_text="Null: there is nothing to count.",
    )


class AlertRuleViewSet(TenantViewSet):
    """When somebody is told of a number. Rules are looked at each minute; a rule that is switched off resolves its alert."""

    serializer_class = AlertRuleSerializer
    filters = ["topic"]

    @extend_schema(responses=MeasuredSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def value(self, request: Request, pk: str) -> Response:
        """What the rule's metric is at this moment."""
        self._query([])
        rule = self.get_object()
        wanted = Wanted(rule.metric, rule.window_minutes)
        return Response(MeasuredSerializer({"value": measure({wanted}).get(wanted)}).data)

    @extend_schema(request=None, responses=MadeRulesSerializer)
    @action(detail=False, methods=["post"], url_path="add-presets", permission="notifications.add_alertrule")
    def add_presets(self, request: Request) -> Response:
        """The rules that most organizations want; those whose name is taken are left as they are. Answers with what was made."""
        return Response({"results": [self.read_row(rule.pk) for rule in alert_rules_add_presets()]})


class AlertSerializer(TenantSerializer):
    class Meta:
        model = Alert
        fields = [
            "id", "rule", "title", "severity", "status", "value", "opened_at", "told_at", "times_told", "acknowledged_at",
            "acknowledged_by", "silenced_until", "note", "resolved_at", "created_at",
        ]


class AcknowledgeSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500, required=False)


class SilenceSerializer(AcknowledgeSerializer):
    until = serializers.DateTimeField(help_text="Within 30 days.")


class AlertViewSet(ReadViewSet):
    """Each is of one rule, which has one at a time. It resolves itself when the condition ends."""

    serializer_class = AlertSerializer
    filters = ["rule", "status"]
    ordering = ["-id"]

    @extend_schema(request=AcknowledgeSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"], permission=ANSWER, body_class=AcknowledgeSerializer)
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Somebody is at it: it is not told again."""
        principal: Any = holder(request)
        member = None if principal.api_key_id else membership_of(principal.user.pk)
        alert_acknowledge(alert=self.get_object(), membership_id=member, **self.body(request))
        return Response(self.read_row(pk))

    @extend_schema(request=SilenceSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"], permission=ANSWER, body_class=SilenceSerializer)
    def silence(self, request: Request, pk: str) -> Response:
        """Nothing is told of it until then, not even that it is over."""
        alert_silence(alert=self.get_object(), **self.body(request))
        return Response(self.read_row(pk))


routes = {"alert-rules": AlertRuleViewSet, "alerts": AlertViewSet}

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AuditEntry, AuditSeal, DataSubjectRequest, FeatureFlag, RetentionPolicy
from accounts.services import privacy
from accounts.services.retention import refuse_impossible
from core.api import ReadViewSet, TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer

FULFIL = "accounts.fulfil_datasubjectrequest"


class AuditEntrySerializer(TenantSerializer):
    class Meta:
        model = AuditEntry
        fields = [
            "id", "table_name", "row_id", "action", "changes", "actor_id", "impersonator_id", "api_key_id",
            "request_id", "reason", "ip", "created_at",
        ]


class AuditEntryViewSet(ReadViewSet):
    serializer_class = AuditEntrySerializer
    filters = ["table_name", "row_id", "actor_id", "request_id", "created_at"]
    ordering = ["-id"]


class AuditSealSerializer(TenantSerializer):
    class Meta:
        model = AuditSeal
        fields = ["id", "number", "first_id", "last_id", "entries", "previous_hash", "hash", "storage_key", "created_at"]


class AuditSealViewSet(ReadViewSet):
    serializer_class = AuditSealSerializer
    filters = ["number"]
    sort_fields = ["number"]
    ordering = ["-number"]


class RetentionPolicySerializer(TenantSerializer):
    class Meta:
        model = RetentionPolicy
        fields = [
            "id", "data_class", "keep_days", "action", "legal_hold_until", "purged_at", "purged_rows", "created_at", "updated_at",
            "version",
        ]
        read_only_fields = ["data_class", "purged_at", "purged_rows"]


class RetentionPolicyViewSet(TenantViewSet):
    """One for each class of data; there are no others."""

    serializer_class = RetentionPolicySerializer
    http_method_names = ["get", "put", "patch", "head", "options"]
    bulk_operations = ()
    no_bulk = "Each class of data has its one policy, and its own possible actions: change them one by one."
    filters = ["data_class"]
    sort_fields = ["data_class"]

    def save(self, serializer: serializers.BaseSerializer) -> Any:
        policy: Any = serializer.instance
        refuse_impossible(data_class=policy.data_class, action=serializer.validated_data.get("action", policy.action))
        return super().save(serializer)


class DataSubjectRequestSerializer(TenantSerializer):
    class Meta:
        model = DataSubjectRequest
        fields = [
            "id", "kind", "subject_email", "status", "due_on", "completed_at", "report", "result_expires_at", "created_at",
            "updated_at", "version",
        ]
        read_only_fields = ["status", "due_on", "completed_at", "report", "result_expires_at"]


class ReportLineSerializer(StrictSerializer):
    table = serializers.CharField()
    label: Any = serializers.CharField()
    outcome = serializers.CharField()
    rows = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)


class DataSubjectRequestViewSet(TenantViewSet):
    """What a person asks for; answered by `fulfil`, within a month."""

    serializer_class = DataSubjectRequestSerializer
    http_method_names = ["get", "post", "head", "options"]
    bulk_operations = ()
    no_bulk = "A request is one person's: make them one by one."
    filters = ["status"]

    @extend_schema(responses=ReportLineSerializer(many=True))
    @action(detail=True, permission=FULFIL, body_class=None)
    def preview(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What an erasure would delete, pseudonymise and keep; changes nothing."""
        lines = privacy.erasure_preview(email=self.get_object().subject_email)
        return Response(ReportLineSerializer(lines, many=True).data)

    @extend_schema(request=None, responses=DataSubjectRequestSerializer)
    @action(detail=True, methods=["post"], permission=FULFIL, body_class=None)
    def fulfil(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make the archive, or erase: that cannot be taken back."""
        row = self.get_object()
        if row.kind == DataSubjectRequest.Kind.ERASE:
            privacy.data_subject_erase(request=row)
        else:
            privacy.data_subject_export(request=row)
        return Response(self.read_row(row.pk))

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(detail=True, permission=FULFIL, body_class=None)
    def result(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The archive of an export, for a week."""
        content = privacy.result_open(request=self.get_object()).read()
        return HttpResponse(content, "application/zip", headers=privacy.DOWNLOAD)


class FeatureFlagSerializer(TenantSerializer):
    class Meta:
        model = FeatureFlag
        fields = [
            "id", "key", "description", "enabled", "rollout_percent", "user_ids", "expires_at", "created_at", "updated_at",
            "version",
        ]


class FeatureFlagViewSet(TenantViewSet):
    serializer_class = FeatureFlagSerializer
    filters = ["key"]
    sort_fields = ["key"]


routes = {
    "audit-entries": AuditEntryViewSet, "audit-seals": AuditSealViewSet, "retention-policies": RetentionPolicyViewSet,
    "data-subject-requests": DataSubjectRequestViewSet, "feature-flags": FeatureFlagViewSet,
}

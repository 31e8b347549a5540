from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer
from notifications.accepting import AcceptedSerializer, accepted
from notifications.models import ExternalCacheEntry, ExternalSource, ExternalSubject, Watch, WatchHit
from notifications.queries.external import health_of
from notifications.services.external import Known
from notifications.services.external_search import external_search
from notifications.services.external_sources import (
    LONGEST_CREDENTIAL,
    external_source_create,
    external_source_set_credential,
    external_source_update,
    external_subjects_check,
)
from notifications.services.watching import own_membership, watch_check

CHANGE, SEARCH = "notifications.change_externalsource", "notifications.search_externalcacheentry"
CREDENTIAL = "The value of the header, such as Bearer abc123. It is never shown again."


class ExternalSourceSerializer(TenantSerializer):
    class Meta:
        model = ExternalSource
        fields = [
            "id", "name", "adapter", "base_url", "kinds", "credential_header", "timeout", "max_per_minute", "default_ttl",
            "stale_seconds", "is_active", "created_at", "updated_at", "version",
        ]


class NewExternalSourceSerializer(ExternalSourceSerializer):
    credential = serializers.CharField(
        required=False, write_only=True, max_length=LONGEST_CREDENTIAL, trim_whitespace=False, help_text=CREDENTIAL,
    )

    class Meta(ExternalSourceSerializer.Meta):
        fields = [*ExternalSourceSerializer.Meta.fields, "credential"]


class CredentialSerializer(StrictSerializer):
    credential = serializers.CharField(
        max_length=LONGEST_CREDENTIAL, allow_blank=True, trim_whitespace=False, help_text=f"{CREDENTIAL} Empty: none is sent.",
    )


class QuestionSerializer(StrictSerializer):
    kind = serializers.CharField(max_length=40, help_text="One of the kinds of the source.")
    query = serializers.CharField(
        max_length=200, allow_blank=True, default="", help_text="What stands for {id} in the path of the kind.",
    )
    again = serializers.BooleanField(default=False, help_text="Ask the source even where a fresh answer is kept.")


class ExternalAnswerSerializer(serializers.Serializer):
    found = serializers.BooleanField(help_text="Whether the source knows of it.")
    payload = serializers.JSONField(allow_null=True)
    fetched_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_stale = serializers.BooleanField(help_text="It stands in while the source fails.")
    error = serializers.CharField(allow_blank=True, help_text="Why it is stale.")


class ExternalSourceHealthSerializer(serializers.Serializer):
    circuit_state = serializers.ChoiceField(choices=["closed", "open", "half_open"])
    failure_count = serializers.IntegerField(help_text="In a row.")
    failing_since = serializers.DateTimeField(allow_null=True)
    closed_until = serializers.DateTimeField(allow_null=True, help_text="Nothing is asked before then.")
    last_error = serializers.CharField(allow_blank=True)


class ExternalSourceViewSet(TenantViewSet):
    """Other systems that are asked for data. A credential is sealed and never shown."""

    serializer_class = ExternalSourceSerializer
    filters = ["name"]
    search_keys = ["name_key"]
    bulk_operations = ()
    no_bulk = "Whoever may ask in the company's name is decided one by one: write sources one by one."

    @extend_schema(request=NewExternalSourceSerializer, responses={201: ExternalSourceSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = NewExternalSourceSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        row = external_source_create(**serializer.validated_data)
        headers = {"Location": self.address_of(row.pk)}
        return Response(self.read_row(row.pk), status=status.HTTP_201_CREATED, headers=headers)

    def save(self, serializer: Any) -> models.Model:
        return external_source_update(source=serializer.instance, values=serializer.validated_data)

    @extend_schema(request=CredentialSerializer, responses=ExternalSourceSerializer)
    @action(detail=True, methods=["post"], url_path="set-credential", permission=CHANGE, body_class=CredentialSerializer)
    def set_credential(self, request: Request, pk: str) -> Response:
        """In the place of the present one. What was answered by that is forgotten."""
        external_source_set_credential(source=self.get_object(), **self.body(request))
        return Response(self.read_row(pk))

    @extend_schema(request=QuestionSerializer, responses={200: ExternalAnswerSerializer, 202: AcceptedSerializer})
    @action(detail=True, methods=["post"], permission=SEARCH, body_class=QuestionSerializer)
    def search(self, request: Request, pk: str) -> Response:
        """A fresh answer that is kept, at once (200); otherwise a job asks the source (202), and has the answer as its result."""
        known = external_search(source_id=self.get_object().pk, **self.body(request))
        return Response(known.as_json()) if isinstance(known, Known) else accepted(request, known)

    @extend_schema(responses=ExternalSourceHealthSerializer)
    @action(detail=True, methods=["get"])
    def health(self, request: Request, pk: str) -> Response:
        found = health_of(self.seen(pk))
        return Response({"circuit_state": found.circuit_state, **asdict(found)})


class ExternalSubjectSerializer(TenantSerializer):
    class Meta:
        model = ExternalSubject
        fields = [
            "id", "source", "kind", "external_id", "label", "attributes", "created_at", "updated_at", "version",
        ]

    def validate_attributes(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise serializers.ValidationError("Give an object.")
        return value


class ExternalSubjectViewSet(TenantViewSet):
    """What is watched: a price, a driver, a leaderboard, a recall."""

    serializer_class = ExternalSubjectSerializer
    filters = ["source"]
    search_keys = ["label_key"]

    def written(self, ids: Sequence[Any]) -> None:
        external_subjects_check(ids=ids)


class ExternalCacheEntrySerializer(TenantSerializer):
    class Meta:
        model = ExternalCacheEntry
        fields = [
            "id", "source", "cache_key", "found", "payload", "etag", "last_modified", "fetched_at", "expires_at",
            "stale_if_error_until", "failed_at", "last_error", "created_at",
        ]


class ExternalCacheEntryViewSet(ReadViewSet):
    """What sources answered last."""

    serializer_class = ExternalCacheEntrySerializer
    filters = ["source"]
    ordering = ["-id"]


class WatchSerializer(TenantSerializer):
    class Meta:
        model = Watch
        fields = [
            "id", "membership", "subject", "name", "condition", "threshold", "direction", "is_active", "last_found",
            "last_value", "last_checked_at", "last_error", "created_at", "updated_at", "version",
        ]
        extra_kwargs = {"membership": {"required": False, "help_text": "Who is told; yourself, if you leave it out."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and not attrs.get("membership_id"):
            attrs["membership_id"] = own_membership().pk
        return attrs


class WatchViewSet(TenantViewSet):
    """Who is told when something of another system changes. Checked at 06:00 of the organization's time zone, each day."""

    serializer_class = WatchSerializer
    filters = ["membership", "subject"]

    @extend_schema(request=None, responses={202: AcceptedSerializer})
    @action(detail=True, methods=["post"], permission="notifications.change_watch")
    def check(self, request: Request, pk: str) -> Response:
        """Now: asks the source, compares, and mails what has happened."""
        return accepted(request, watch_check(watch=self.get_object()))


class WatchHitSerializer(TenantSerializer):
    class Meta:
        model = WatchHit
        fields = ["id", "watch", "before", "after", "found_at", "notification", "digested_at", "created_at"]


class WatchHitViewSet(ReadViewSet):
    """What watches have found."""

    serializer_class = WatchHitSerializer
    filters = ["watch"]
    ordering = ["-id"]


routes = {
    "external-sources": ExternalSourceViewSet,
    "external-subjects": ExternalSubjectViewSet,
    "external-cache-entries": ExternalCacheEntryViewSet,
    "watches": WatchViewSet,
    "watch-hits": WatchHitViewSet,
}

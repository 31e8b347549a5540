from datetime import timedelta
from typing import Any

from django.db import models
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer
from notifications.models import DeliveryAttempt, WebhookEndpoint
from notifications.queries.webhooks import line_to
from notifications.services.replaying import FINISHED
from notifications.services.webhooks import (
    LONGEST_OVERLAP,
    OVERLAP,
    NewSecret,
    webhook_endpoint_create,
    webhook_endpoint_delete,
    webhook_endpoint_disable,
    webhook_endpoint_enable,
    webhook_endpoint_replay,
    webhook_endpoint_rotate,
    webhook_health_forget,
)
from notifications.webhooks import webhook_try

HOUR = timedelta(hours=1)
CHANGE, REPLAY = "notifications.change_webhookendpoint", "notifications.replay_eventdelivery"
STATES = ("healthy", "failing", "circuit_open", "probing", "disabled")


class WebhookEndpointSerializer(TenantSerializer):
    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "name", "url", "max_attempts", "max_per_second", "purpose", "previous_secret_until", "disabled_at",
            "disabled_reason", "created_at", "updated_at", "version",
        ]


class NewWebhookEndpointSerializer(WebhookEndpointSerializer):
    secret = serializers.CharField(help_text="What its messages are signed with. Shown this once.")

    class Meta(WebhookEndpointSerializer.Meta):
        fields = [*WebhookEndpointSerializer.Meta.fields, "secret"]


class SecretRotationSerializer(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=LONGEST_OVERLAP // HOUR, default=OVERLAP // HOUR,
        help_text="How long the former secret signs as well.",
    )


class DisablingSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200, default="Somebody disabled it.")


class EndpointReplaySerializer(StrictSerializer):
    status = serializers.ListField(
        child=serializers.ChoiceField(list(FINISHED)), default=lambda: ["dead"], min_length=1, help_text="Those that are dead.",
    )
    since = serializers.DateTimeField(required=False, help_text="Events from then on.")
    type = serializers.CharField(required=False, max_length=100, help_text="Of the event.")


class ReplayedOfSerializer(serializers.Serializer):
    subscription = serializers.UUIDField()
    replayed = serializers.IntegerField()
    more = serializers.BooleanField(help_text="The rest: event-deliveries/replay-many/ with this subscription and `after_seq`.")
    last_seq = serializers.IntegerField()


class EndpointReplayedSerializer(serializers.Serializer):
    replayed = serializers.IntegerField()
    subscriptions = ReplayedOfSerializer(many=True)


class WebhookTestSerializer(serializers.Serializer):
    message_id = serializers.CharField(help_text="The header webhook-id.")
    is_taken = serializers.BooleanField(help_text="Whether it answered 2xx.")
    status_code = serializers.IntegerField(allow_null=True, help_text="Null: there was no answer.")
    error = serializers.CharField(allow_blank=True)
    response_excerpt = serializers.CharField(allow_blank=True)
    duration_ms = serializers.IntegerField()


class WebhookHealthSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=STATES)
    failures = serializers.IntegerField(help_text="In a row.")
    failing_since = serializers.DateTimeField(allow_null=True)
    closed_until = serializers.DateTimeField(allow_null=True, help_text="Nothing is tried before then.")
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField(allow_blank=True)


class WebhookEndpointViewSet(TenantViewSet):
    """Where events are sent. Creating one answers with its secret, once."""

    serializer_class = WebhookEndpointSerializer
    filters = ["name"]
    bulk_operations = ()
    no_bulk = "A secret is shown once, when it is made: make endpoints one by one."

    @extend_schema(responses={201: NewWebhookEndpointSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = webhook_endpoint_create(**serializer.validated_data)
        location = request.build_absolute_uri(f"{request.path}{made.row.pk}/")
        return self._shown_once(made, status.HTTP_201_CREATED, {"Location": location})

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        before: Any = serializer.instance
        noted = (before.url, before.max_per_second)
        row: Any = super().save(serializer)
        if (row.url, row.max_per_second) != noted:
            webhook_health_forget(endpoint_ids=[row.pk])
        return row  # type: ignore[no-any-return]

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With its subscriptions and their deliveries."""
        webhook_endpoint_delete(endpoint=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=SecretRotationSerializer, responses=NewWebhookEndpointSerializer)
    @action(
        detail=True, methods=["post"], url_path="rotate-secret", permission=CHANGE, body_class=SecretRotationSerializer,
    )  # fmt: skip
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Answers with the new secret, once; the former one signs too for the overlap."""
        overlap = self.body(request)["overlap_hours"] * HOUR
        return self._shown_once(webhook_endpoint_rotate(endpoint=self.get_object(), overlap=overlap), status.HTTP_200_OK, {})

    @extend_schema(request=None, responses=WebhookTestSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE)
    def test(self, request: Request, pk: str) -> Response:
        """Sends an event webhook.test at once, whatever the endpoint's state, and says what it answered."""
        message_id, tried = webhook_try(self.get_object().pk)
        return Response({
            "message_id": message_id, "is_taken": tried.is_taken, "status_code": tried.status_code, "error": tried.error,
            "response_excerpt": tried.excerpt, "duration_ms": tried.duration_ms,
        })

    @extend_schema(request=None, responses=WebhookEndpointSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE)
    def enable(self, request: Request, pk: str) -> Response:
        """Events are sent again. Those that became dead letters meanwhile wait for a replay."""
        webhook_endpoint_enable(endpoint=self.get_object())
        return Response(self.read_row(pk))

    @extend_schema(request=DisablingSerializer, responses=WebhookEndpointSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE, body_class=DisablingSerializer)
    def disable(self, request: Request, pk: str) -> Response:
        """Events for it become dead letters from now on, which can be replayed."""
        webhook_endpoint_disable(endpoint_id=self.get_object().pk, reason=self.body(request)["reason"])
        return Response(self.read_row(pk))

    @extend_schema(request=EndpointReplaySerializer, responses=EndpointReplayedSerializer)
    @action(detail=True, methods=["post"], permission=REPLAY, body_class=EndpointReplaySerializer)
    def replay(self, request: Request, pk: str) -> Response:
        """Sends again what died, or what was delivered: of each subscription up to 1,000 events, in their order."""
        asked = self.body(request)
        found = webhook_endpoint_replay(
            endpoint=self.get_object(), statuses=asked["status"], since=asked.get("since"), event_type=asked.get("type", ""),
        )
        return Response({
            "replayed": sum(one.replayed for _, one in found),
            "subscriptions": [{"subscription": pk, **one._asdict()} for pk, one in found],
        })

    @extend_schema(responses=WebhookHealthSerializer)
    @action(detail=True, methods=["get"])
    def health(self, request: Request, pk: str) -> Response:
        if (line := line_to(self.get_object().pk)) is None:
            raise Http404
        names = ("state", "failures", "failing_since", "closed_until", "disabled_at", "disabled_reason")
        return Response({name: getattr(line, name) for name in names})

    def _shown_once(self, made: NewSecret, code: int, headers: dict[str, str]) -> Response:
        body = {**self.read_row(made.row.pk), "secret": made.secret}
        return Response(body, status=code, headers={"Cache-Control": "no-store", **headers})


class DeliveryAttemptSerializer(TenantSerializer):
    class Meta:
        model = DeliveryAttempt
        fields = ["id", "delivery", "number", "status_code", "response_excerpt", "error", "duration_ms", "created_at"]


class DeliveryAttemptViewSet(ReadViewSet):
    """What an endpoint answered to each try; secrets are taken out."""

    serializer_class = DeliveryAttemptSerializer
    filters = ["delivery"]
    ordering = ["-id"]


routes = {"webhook-endpoints": WebhookEndpointViewSet, "delivery-attempts": DeliveryAttemptViewSet}

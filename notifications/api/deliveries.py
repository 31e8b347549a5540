from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.errors import Invalid
from core.permitting import demand
from core.serializers import StrictSerializer, TenantSerializer
from notifications.models import EventDelivery, EventSubscription
from notifications.services.replaying import (
    FINISHED,
    MOST,
    deliveries_replay,
    delivery_discard,
    delivery_replay,
    subscription_delete,
)
from notifications.subscriptions import NOTHING, chosen_target, refuse_too_many, task_problem

REPLAY, DISCARD = "notifications.replay_eventdelivery", "notifications.discard_eventdelivery"
SPEAK = "notifications.change_eventsubscription"  # for a payload of one's own, which goes out in the company's name


class EventSubscriptionSerializer(TenantSerializer):
    """The target is whichever of endpoint, topic and task is given."""

    class Meta:
        model = EventSubscription
        fields = [
            "id", "name", "bus", "pattern", "target_kind", "endpoint", "topic", "task", "enabled", "problem",
            "created_at", "updated_at", "version",
        ]
        read_only_fields = ["target_kind", "problem"]

    def validate_task(self, value: str) -> str:
        if value and (problem := task_problem(value)):
            raise ValidationError(problem, code="unknown_task")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "pattern" in attrs:
            attrs["problem"] = ""  # it is one that is understood
        given = {name: attrs[name] for name in NOTHING if name in attrs}
        if given or not self.partial:
            try:
                attrs |= chosen_target({name.removesuffix("_id"): value for name, value in given.items()})
            except Invalid as error:
                raise ValidationError({name: [error.detail] for name in error.fields}) from error
        return attrs


class EventSubscriptionViewSet(TenantViewSet):
    serializer_class = EventSubscriptionSerializer
    filters = ["name", "endpoint"]
    bulk_operations = ("create", "update", "upsert")
    no_bulk = "A subscription goes with all its deliveries: delete them one by one."

    def written(self, ids: Sequence[Any]) -> None:
        refuse_too_many()

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        subscription_delete(subscription_id=self.get_object().pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class EventDeliverySerializer(TenantSerializer):
    type = serializers.CharField(source="event.type", read_only=True)

    class Meta:
        model = EventDelivery
        fields = [
            "id", "event", "type", "subscription", "replay_no", "payload", "status", "is_blocked", "aggregate_id", "attempts",
            "next_attempt_at", "finished_at", "last_error", "discard_reason", "created_at",
        ]


class ReplaySerializer(StrictSerializer):
    payload = serializers.JSONField(required=False, help_text="In the place of the event's own.")

    def validate_payload(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("Give an object.")
        return value


class ReplayManySerializer(StrictSerializer):
    status = serializers.ListField(
        child=serializers.ChoiceField(list(FINISHED)), default=lambda: ["dead"], min_length=1, help_text="Those that are dead.",
    )
    subscription = serializers.UUIDField(required=False)
    type = serializers.CharField(required=False, max_length=100)
    since = serializers.DateTimeField(required=False, help_text="Events from then on.")
    after_seq = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="`last_seq` of the call before.",
    )
    limit = serializers.IntegerField(default=MOST, min_value=1, max_value=MOST)


class ReplayedSerializer(serializers.Serializer):
    replayed = serializers.IntegerField()
    more = serializers.BooleanField(help_text="Call again with `after_seq`.")
    last_seq = serializers.IntegerField()


class DiscardSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class EventDeliveryViewSet(ReadViewSet):
    """Events on their way to subscriptions; the dead ones are the dead letters."""

    serializer_class = EventDeliverySerializer
    filters = ["status", "subscription", "event"]
    ordering = ["-id"]

    @extend_schema(responses={201: EventDeliverySerializer})
    @action(detail=True, methods=["post"], permission=REPLAY, body_class=ReplaySerializer)
    def replay(self, request: Request, pk: str) -> Response:
        body = self.body(request)
        if "payload" in body:
            demand(request, SPEAK)
        made = delivery_replay(delivery_id=self.get_object().pk, payload=body.get("payload"))
        return Response(self.read_row(made), status=status.HTTP_201_CREATED)

    @extend_schema(responses=EventDeliverySerializer)
    @action(detail=True, methods=["post"], permission=DISCARD, body_class=DiscardSerializer)
    def discard(self, request: Request, pk: str) -> Response:
        delivery_discard(delivery_id=self.get_object().pk, reason=self.body(request)["reason"])
        return Response(self.read_row(pk))

    @extend_schema(responses=ReplayedSerializer)
    @action(detail=False, methods=["post"], url_path="replay-many", permission=REPLAY, body_class=ReplayManySerializer)
    def replay_many(self, request: Request) -> Response:
        asked = self.body(request)
        names = {"status": "statuses", "subscription": "subscription_id", "type": "event_type"}
        return Response(deliveries_replay(**{names.get(name, name): value for name, value in asked.items()})._asdict())


routes = {
    "event-subscriptions": EventSubscriptionViewSet,
    "event-deliveries": EventDeliveryViewSet,
}

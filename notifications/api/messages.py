from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.permitting import demand
from core.serializers import StrictSerializer, TenantSerializer
from notifications.models import NotificationDelivery, Topic, TopicSubscription
from notifications.services.messages import topic_send
from notifications.services.topic_subscriptions import (
    topic_subscription_confirm,
    topic_subscription_create,
    topic_subscription_resend,
    topic_subscription_update,
    vouches,
)

CHANGE, VOUCH = "notifications.change_topicsubscription", "notifications.confirm_topicsubscription"


class TopicSerializer(TenantSerializer):
    class Meta:
        model = Topic
        fields = ["id", "key", "name", "category", "is_mandatory", "created_at", "updated_at", "version"]


class MessageSerializer(StrictSerializer):
    subject = serializers.CharField(max_length=200)
    body = serializers.CharField(max_length=20_000)
    dedupe_key = serializers.CharField(
        max_length=100, required=False, help_text="Who was sent a message of this topic with the same key is not sent this one.",
    )


class ToldSerializer(serializers.Serializer):
    told = serializers.IntegerField(help_text="How many subscribers it goes to.")


class TopicViewSet(TenantViewSet):
    serializer_class = TopicSerializer
    filters = ["key"]
    search_keys = ["name_key"]

    @extend_schema(request=MessageSerializer, responses=ToldSerializer)
    @action(detail=True, methods=["post"], permission="notifications.send_topic", body_class=MessageSerializer)
    def send(self, request: Request, pk: str) -> Response:
        """A message to all who have confirmed, by e-mail or SMS. What became of it: notification-deliveries."""
        return Response({"told": topic_send(topic=self.get_object(), **self.body(request))})


class TopicSubscriptionSerializer(TenantSerializer):
    class Meta:
        model = TopicSubscription
        fields = [
            "id", "topic", "channel", "address", "membership", "status", "asked_at", "confirmed_at",
            "created_at", "updated_at", "version",
        ]
        extra_kwargs = {"status": {"help_text": f"Saying confirmed for others needs the permission {VOUCH}."}}


class CodeSerializer(StrictSerializer):
    code = serializers.RegexField(r"\A[0-9]{6}\Z", help_text="The six digits that the number was sent.")


class TopicSubscriptionViewSet(TenantViewSet):
    """A new address is asked whether it wants the topic: by a mailed link, or by a code that is sent to a number."""

    serializer_class = TopicSubscriptionSerializer
    filters = ["topic", "membership"]
    bulk_operations = ("delete",)
    no_bulk = "Each address is asked to confirm: write subscriptions one by one."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        row: Any = serializer.instance
        values = serializer.validated_data
        if vouches(row, values):
            demand(self.request, VOUCH)
        if row is None:
            return topic_subscription_create(**values)
        return topic_subscription_update(subscription=row, values=values)

    @extend_schema(request=None, responses=TopicSubscriptionSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE)
    def resend(self, request: Request, pk: str) -> Response:
        """Another link or code for an address that has not confirmed; once a minute."""
        topic_subscription_resend(subscription=self.get_object())
        return Response(self.read_row(pk))

    @extend_schema(request=CodeSerializer, responses=TopicSubscriptionSerializer)
    @action(detail=True, methods=["post"], permission=CHANGE, body_class=CodeSerializer)
    def confirm(self, request: Request, pk: str) -> Response:
        """By the code that was sent to the number: 15 minutes, five wrong codes."""
        topic_subscription_confirm(subscription=self.get_object(), code=self.body(request)["code"])
        return Response(self.read_row(pk))


class NotificationDeliverySerializer(TenantSerializer):
    class Meta:
        model = NotificationDelivery
        fields = [
            "id", "subscription", "dedupe_key", "kind", "channel", "address", "subject", "body", "status", "attempts", "sent_at",
            "error", "not_before", "digest", "window_start", "window_end", "created_at",
        ]


class NotificationDeliveryViewSet(ReadViewSet):
    serializer_class = NotificationDeliverySerializer
    filters = ["subscription", "status"]
    ordering = ["-id"]


routes = {
    "topics": TopicViewSet,
    "topic-subscriptions": TopicSubscriptionViewSet,
    "notification-deliveries": NotificationDeliveryViewSet,
}

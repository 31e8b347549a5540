"""A person's own inbox and preferences. Nothing that they may besides shows them those of others."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.choosing import Conditions
from core.conditions import conditional, tag_of
from core.errors import Forbidden
from core.json import dumps
from core.problems import BadParameter
from core.reading import BASE
from core.serializers import StrictSerializer, TenantSerializer
from core.tenancy import active_organization_id
from core.within import holder
from notifications.models import Notification, NotificationPreference
from notifications.queries.inbox import MEMBER, unread_count
from notifications.services.inbox import (
    notification_archive,
    notification_read,
    notification_snooze,
    notifications_read,
    preference_write,
)

OWN_INBOX = "notifications.view_notification"
HERE = f"{BASE}.archived_at IS NULL AND ({BASE}.snoozed_until IS NULL OR {BASE}.snoozed_until <= now())"
# What `is` chooses; by itself a list shows what waits, as the page does.
CHOICES = {
    "waiting": HERE,
    "unread": f"{BASE}.read_at IS NULL AND {HERE}",
    "snoozed": f"{BASE}.archived_at IS NULL AND {BASE}.snoozed_until > now()",
    "archived": f"{BASE}.archived_at IS NOT NULL",
}


class NotificationSerializer(TenantSerializer):
    class Meta:
        model = Notification
        fields = [
            "id", "category", "severity", "title", "body", "link", "dedupe_key", "told_at", "read_at", "archived_at",
            "snoozed_until", "created_at",
        ]
        read_only_fields = fields


class NotificationSnoozeSerializer(StrictSerializer):
    until = serializers.DateTimeField(help_text="Unread, it comes back then.")


class ReadSerializer(StrictSerializer):
    is_read = serializers.BooleanField(default=True, help_text="false: it is unread again.")


class UnreadSerializer(serializers.Serializer):
    unread = serializers.IntegerField(help_text="Up to 100.")


class ReadAllSerializer(serializers.Serializer):
    read = serializers.IntegerField(help_text="How many were unread.")


class Own:
    """Of a viewset whose rows are those of one member; `own` names the column."""

    own = ""
    permission = OWN_INBOX

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the viewset
        if self.principal().api_key_id:
            raise Forbidden("A key has no inbox of its own: sign in as a person.")

    def principal(self) -> Any:
        return holder(self.request)  # type: ignore[attr-defined]  # as above

    def who(self) -> UUID:
        key: UUID = self.principal().user.pk
        return key

    def row_conditions(self) -> Conditions:
        mine = (f"{BASE}.{self.own}_id = {MEMBER}", [active_organization_id(), self.who()])
        return [*super().row_conditions(), mine]  # type: ignore[misc]  # as above

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()  # type: ignore[misc]  # as above
        return rows if getattr(self, "swagger_fake_view", False) else rows.filter(**{f"{self.own}__user_id": self.who()})


class MyNotificationViewSet(Own, ReadViewSet):
    """One's own messages, the latest first, and nobody else's: those that wait, unless `is` says which."""

    serializer_class = NotificationSerializer
    own = "recipient"
    filters = ["category", "severity"]
    ordering = ["-told_at", "-id"]
    own_parameters = {  # as in the base
        "is": ({"type": "string", "enum": list(CHOICES)}, "Neither archived nor snoozed, unless it is said."),
    }

    def own_conditions(self, query: Mapping[str, str]) -> Conditions:
        chosen = query.get("is", "waiting")
        if chosen not in CHOICES:
            raise BadParameter("is", f"is: one of {', '.join(CHOICES)}.")
        return [(CHOICES[chosen], [])]

    @extend_schema(responses=UnreadSerializer, filters=False)
    @action(detail=False, methods=["get"], url_path="unread-count", pagination_class=None)
    def unread_count(self, request: Request) -> HttpResponse:
        """With an ETag: asked again with If-None-Match, it answers 304 until it is another number."""
        self._query([])
        content = dumps({"unread": unread_count(self.who())})
        return conditional(request, content, tag_of(content))

    @extend_schema(request=None, responses=ReadAllSerializer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """What is snoozed stays unread."""
        return Response({"read": notifications_read(user_id=self.who())})

    @extend_schema(request=ReadSerializer, responses=NotificationSerializer)
    @action(detail=True, methods=["post"], body_class=ReadSerializer)
    def read(self, request: Request, pk: str) -> Response:
        """Or unread again, by `is_read`."""
        return self._answered(pk, notification_read, is_read=self.body(request)["is_read"])

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Off the list; another message about the same thing comes anew."""
        return self._answered(pk, notification_archive)

    @extend_schema(request=NotificationSnoozeSerializer, responses=NotificationSerializer)
    @action(detail=True, methods=["post"], body_class=NotificationSnoozeSerializer)
    def snooze(self, request: Request, pk: str) -> Response:
        """Off the list until then."""
        return self._answered(pk, notification_snooze, until=self.body(request)["until"])

    def _answered(self, pk: str, verb: Callable[..., None], **values: Any) -> Response:
        verb(user_id=self.who(), notification_id=self.key(pk), **values)
        return Response(self.read_row(pk))


class NotificationPreferenceSerializer(TenantSerializer):
    class Meta:
        model = NotificationPreference
        fields = [
            "id", "category", "channel", "mode", "send_at", "send_on", "quiet_from", "quiet_to", "created_at", "updated_at",
            "version",
        ]


class MyPreferenceViewSet(Own, TenantViewSet):
    """How one's own messages come, by category and channel. Mandatory topics, and what is critical, come at once all the same."""

    serializer_class = NotificationPreferenceSerializer
    own = "membership"
    filters = ["category", "channel"]
    bulk_operations = ()
    no_bulk = "There are few of them: write one by one."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        preference: Any = serializer.instance or NotificationPreference()
        return preference_write(preference=preference, user_id=self.who(), **serializer.validated_data)


routes = {"my/notifications": MyNotificationViewSet, "my/notification-preferences": MyPreferenceViewSet}

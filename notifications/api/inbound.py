from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import ReadViewSet, TenantViewSet
from core.errors import NotFound, TooLarge
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from core.serving import AnyAccept
from notifications.bodies import FORM, is_readable, media_type
from notifications.models import InboundSource, InboundWebhook
from notifications.queries.inbound import find_inbound_source
from notifications.services.inbound import (
    MOST_AT_ONCE,
    inbound_webhook_ignore,
    inbound_webhook_reprocess,
    inbound_webhooks_reprocess,
)
from notifications.services.inbound_sources import (
    LONGEST,
    LONGEST_OVERLAP,
    OVERLAP,
    NewSecret,
    inbound_source_create,
    inbound_source_rotate,
    refuse_other_scheme,
)
from notifications.services.receipt import inbound_webhook_receive
from notifications.verifying import Message

LARGEST_BODY = 256 * 1024
HOUR = timedelta(hours=1)
Status = InboundWebhook.Status


class KeptSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="Of the inbound webhook.")
    duplicate = serializers.BooleanField(help_text="It came before: that one counts.")


class InboundView(APIView):
    """Where a source calls. Its signature is the credential; the answer comes when the webhook is kept, not processed."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    content_negotiation_class = AnyAccept

    @extend_schema(
        request={"application/json": OpenApiTypes.OBJECT, FORM: OpenApiTypes.OBJECT},
        responses={202: KeptSerializer, 200: KeptSerializer},
    )
    def post(self, request: Any, id: UUID) -> Response:
        source = find_inbound_source(id)
        if source is None:
            raise NotFound("There is no such source, or it is switched off.")
        message = _message(request._request)
        kept = inbound_webhook_receive(source=source, message=message, origin=request._request.origin)
        body = {"id": kept.id, "duplicate": not kept.is_new}
        return Response(body, status=status.HTTP_202_ACCEPTED if kept.is_new else status.HTTP_200_OK)


def _message(request: Any) -> Message:
    """Raises TooLarge, before all of it is read, and UnsupportedMediaType."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    body = b"" if length.isdecimal() and int(length) > LARGEST_BODY else request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY or (length.isdecimal() and int(length) > LARGEST_BODY):
        raise TooLarge(f"A webhook may have {LARGEST_BODY:,} bytes.")
    if not is_readable(kind := media_type(request.headers)):
        raise exceptions.UnsupportedMediaType(kind)
    return Message(request.method, request.path, request.headers, body)


class InboundSourceSerializer(TenantSerializer):
    class Meta:
        model = InboundSource
        fields = [
            "id", "key", "name", "scheme", "tolerance_seconds", "signature_header", "signature_encoding", "signature_prefix",
            "timestamp_header", "signed_template", "external_id_from", "type_from", "is_active", "rotation_ends_at",
            "created_at", "updated_at", "version",
        ]
        read_only_fields = ["rotation_ends_at"]


class NewSourceSerializer(InboundSourceSerializer):
    secret = serializers.CharField(
        required=False, max_length=LONGEST, trim_whitespace=False,
        help_text="The sender's, where it makes one. Otherwise we make one, and the answer shows it this once.",
    )

    class Meta(InboundSourceSerializer.Meta):
        fields = [*InboundSourceSerializer.Meta.fields, "secret"]


class SourceRotationSerializer(StrictSerializer):
    secret = serializers.CharField(
        required=False, max_length=LONGEST, trim_whitespace=False, help_text="The sender's new one; otherwise we make it.",
    )
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=LONGEST_OVERLAP // HOUR, default=OVERLAP // HOUR, help_text="How long the old one counts as well.",
    )


class InboundSourceViewSet(TenantViewSet):
    """Who may send us webhooks, at /api/v1/inbound/<id>/. A secret that we make is shown once."""

    serializer_class = InboundSourceSerializer
    filters = ["key"]
    bulk_operations = ()
    no_bulk = "A secret is shown once, when it is made: make sources one by one."

    @extend_schema(request=NewSourceSerializer, responses={201: NewSourceSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = NewSourceSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        made = inbound_source_create(**serializer.validated_data)
        location = request.build_absolute_uri(f"{request.path}{made.row.pk}/")
        return self._shown_once(made, status.HTTP_201_CREATED, {"Location": location})

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        source: Any = serializer.instance
        refuse_other_scheme(source=source, scheme=serializer.validated_data.get("scheme", source.scheme))
        return super().save(serializer)

    @extend_schema(request=SourceRotationSerializer, responses=NewSourceSerializer)
    @action(
        detail=True, methods=["post"], url_path="rotate-secret", permission="notifications.change_inboundsource",
        body_class=SourceRotationSerializer,
    )
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """The old secret counts as well for the overlap."""
        source, body = self.get_object(), self.body(request)
        made = inbound_source_rotate(
            source=source, secret=body.get("secret", ""), overlap=body["overlap_hours"] * HOUR,
        )
        return self._shown_once(made, status.HTTP_200_OK, {})

    def _shown_once(self, made: NewSecret, code: int, headers: dict[str, str]) -> Response:
        shown = {"secret": made.secret} if made.secret else {}
        return Response(
            {**self.read_row(made.row.pk), **shown}, status=code, headers={"Cache-Control": "no-store", **headers},
        )


class InboundWebhookSerializer(TenantSerializer):
    class Meta:
        model = InboundWebhook
        fields = [
            "id", "source", "external_id", "type", "status", "signature_ok", "headers", "payload", "attempts",
            "processed_at", "error", "ignored_reason", "repeats", "differing_repeats", "created_at",
        ]


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class ChoiceSerializer(StrictSerializer):
    source = ReferenceField(required=False)  # type: ignore[assignment]  # DRF takes it out of the class
    type = serializers.CharField(required=False, max_length=200)
    status = serializers.ChoiceField(
        choices=[Status.FAILED, Status.IGNORED], default=Status.FAILED, help_text="failed, unless it is said otherwise.",
    )
    since = serializers.DateTimeField(required=False, help_text="When they came, at the earliest.")


class ReprocessedSerializer(serializers.Serializer):
    reprocessed = serializers.IntegerField(help_text=f"At most {MOST_AT_ONCE}.")
    more = serializers.BooleanField(help_text="There are more of them: ask again.")


class InboundWebhookViewSet(ReadViewSet):
    """What sources sent, and what became of it."""

    serializer_class = InboundWebhookSerializer
    filters = ["source", "status", "type", "external_id"]
    ordering = ["-id"]

    @extend_schema(request=None, responses={202: InboundWebhookSerializer})
    @action(detail=True, methods=["post"], permission="notifications.change_inboundwebhook")
    def reprocess(self, request: Request, pk: str) -> Response:
        inbound_webhook_reprocess(webhook_id=self.get_object().pk)
        return Response(self.read_row(pk), status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=ReasonSerializer, responses=InboundWebhookSerializer)
    @action(detail=True, methods=["post"], permission="notifications.change_inboundwebhook", body_class=ReasonSerializer)
    def ignore(self, request: Request, pk: str) -> Response:
        """It is not processed, and waits no longer."""
        webhook = self.get_object()
        inbound_webhook_ignore(webhook_id=webhook.pk, **self.body(request))
        return Response(self.read_row(pk))

    @extend_schema(
        operation_id="inbound_webhooks_reprocess_many", request=ChoiceSerializer, responses={202: ReprocessedSerializer},
    )
    @action(
        detail=False, methods=["post"], url_path="reprocess", permission="notifications.change_inboundwebhook",
        body_class=ChoiceSerializer,
    )
    def reprocess_many(self, request: Request) -> Response:
        body = self.body(request)
        names = {"source": "source_id", "type": "type", "status": "status", "since": "created_at__gte"}
        chosen = {names[name]: value for name, value in body.items()}
        found = inbound_webhooks_reprocess(webhooks=self.get_queryset().filter(**chosen))
        return Response({"reprocessed": found.done, "more": found.more}, status=status.HTTP_202_ACCEPTED)


routes = {"inbound-sources": InboundSourceViewSet, "inbound-webhooks": InboundWebhookViewSet}

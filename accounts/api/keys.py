from datetime import timedelta
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.roles import own_permissions
from accounts.models import ApiKey
from accounts.services.keys import LONGEST_OVERLAP, OVERLAP, NewKey, api_key_create, api_key_revoke, api_key_rotate
from accounts.services.roles import refuse_beyond
from core.api import TenantViewSet
from core.errors import Invalid
from core.problems import MissingPermission
from core.serializers import StrictSerializer, TenantSerializer

HOUR = timedelta(hours=1)


class ApiKeySerializer(TenantSerializer):
    class Meta:
        model = ApiKey
        fields = [
            "id", "name", "prefix", "scopes", "allowed_networks", "rate_per_minute", "require_signature", "rotated_from",
            "expires_at", "revoked_at", "last_used_at", "created_at", "updated_at", "version",
        ]


class NewKeySerializer(ApiKeySerializer):
    key = serializers.CharField(help_text="Shown this once.")
    signing_secret = serializers.CharField(required=False, help_text="Shown this once; where the key requires signatures.")

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key", "signing_secret"]


class RotationSerializer(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=LONGEST_OVERLAP // HOUR, default=OVERLAP // HOUR, help_text="How long the old key still works.",
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Of the new key; else it lives as long as the old one was meant to.",
    )


class ApiKeyViewSet(TenantViewSet):
    """Creating one answers with the key itself, once."""

    serializer_class = ApiKeySerializer
    filters = ["name"]
    bulk_operations = ()
    no_bulk = "A key is shown once, when it is made: make keys one by one."

    @extend_schema(responses={201: NewKeySerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = api_key_create(**serializer.validated_data, granter=own_permissions(request))
        return self._shown_once(made, request.path)

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        refuse_beyond(serializer.validated_data.get("scopes", ()), own_permissions(self.request))
        key = serializer.instance
        if key and serializer.validated_data.get("require_signature", key.require_signature) != key.require_signature:
            detail = "Whether a key signs is chosen when it is made: make another."
            raise Invalid(detail, fields={"require_signature": detail})
        return super().save(serializer)

    @extend_schema(request=None, responses=ApiKeySerializer)
    @action(detail=True, methods=["post"], permission="accounts.change_apikey")
    def revoke(self, request: Request, pk: str) -> Response:
        api_key_revoke(api_key=self.get_object())
        return Response(self.read_row(pk))

    @extend_schema(request=RotationSerializer, responses={201: NewKeySerializer})
    @action(detail=True, methods=["post"], permission="accounts.add_apikey", body_class=RotationSerializer)
    def rotate(self, request: Request, pk: str) -> Response:
        """Answers with the successor; the old key works on for the overlap."""
        if "accounts.change_apikey" not in (own := own_permissions(request)):
            raise MissingPermission("accounts.change_apikey")
        body = self.body(request)
        made = api_key_rotate(
            api_key=self.get_object(), granter=own, overlap=body["overlap_hours"] * HOUR, expires_at=body.get("expires_at"),
        )
        return self._shown_once(made, request.path.removesuffix(f"{pk}/rotate/"))

    def _shown_once(self, made: NewKey, collection: str) -> Response:
        location = self.request.build_absolute_uri(f"{collection}{made.row.pk}/")
        secrets = {"key": made.key, **({"signing_secret": made.signing_secret} if made.signing_secret else {})}
        return Response(
            {**self.read_row(made.row.pk), **secrets}, status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store", "Location": location},
        )


routes = {"api-keys": ApiKeyViewSet}

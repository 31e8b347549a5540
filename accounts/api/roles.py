from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey, Role, UserRole
from accounts.services.roles import (
    api_key_create,
    api_key_revoke,
    everywhere,
    refuse_beyond,
    refuse_built_in,
    refuse_used,
    refuse_wider_role,
)  # fmt: skip
from core.api import TenantViewSet
from core.serializers import TenantSerializer
from core.within import holder


def own_permissions(request: Any) -> frozenset[str]:
    return everywhere(holder(request))


class RoleSerializer(TenantSerializer):
    class Meta:
        model = Role
        fields = ["id", "code", "name", "is_built_in", "permissions", "created_at", "updated_at", "version"]
        read_only_fields = ["is_built_in"]


class RoleViewSet(TenantViewSet):
    serializer_class = RoleSerializer
    filters = ["code"]
    sort_fields = ["code"]

    def get_object(self) -> Role:
        return refuse_built_in(super().get_object())

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        refuse_beyond(serializer.validated_data.get("permissions", ()), own_permissions(self.request))
        return super().save(serializer)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        refuse_used(self.get_object())
        return super().destroy(request, *args, **kwargs)


class UserRoleSerializer(TenantSerializer):
    role_code = serializers.CharField(source="role.code", read_only=True)
    email = serializers.EmailField(source="membership.user.email", read_only=True)

    class Meta:
        model = UserRole
        fields = [
            "id", "membership", "email", "role", "role_code", "expires_at", "warehouse_ids",
            "created_at", "updated_at", "version",
        ]


class UserRoleViewSet(TenantViewSet):
    serializer_class = UserRoleSerializer
    filters = ["membership", "role"]

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        given, before = serializer.validated_data, serializer.instance
        role = given.get("role_id") or before.role_id  # type: ignore[union-attr]  # an update
        warehouses = given.get("warehouse_ids", getattr(before, "warehouse_ids", []))
        refuse_wider_role(role, warehouses, holder(self.request))
        return super().save(serializer)


class ApiKeySerializer(TenantSerializer):
    class Meta:
        model = ApiKey
        fields = [
            "id", "name", "prefix", "scopes", "allowed_networks", "expires_at", "revoked_at", "last_used_at",
            "created_at", "updated_at", "version",
        ]


class ApiKeyViewSet(TenantViewSet):
    """Creating one answers with the key itself, once."""

    serializer_class = ApiKeySerializer
    filters = ["name"]

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row, key = api_key_create(**serializer.validated_data, granter=own_permissions(request))
        headers = {"Cache-Control": "no-store", "Location": request.build_absolute_uri(f"{request.path}{row.pk}/")}
        return Response({**self.read_row(row.pk), "key": key}, status=status.HTTP_201_CREATED, headers=headers)

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        refuse_beyond(serializer.validated_data.get("scopes", ()), own_permissions(self.request))
        return super().save(serializer)

    @extend_schema(request=None, responses=ApiKeySerializer)
    @action(detail=True, methods=["post"], permission="accounts.change_apikey")
    def revoke(self, request: Request, pk: str) -> Response:
        api_key_revoke(api_key=self.get_object())
        return Response(self.read_row(pk))


routes = {"roles": RoleViewSet, "user-roles": UserRoleViewSet, "api-keys": ApiKeyViewSet}

from typing import Any

from django.db import models
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, UserRole
from accounts.services.roles import everywhere, refuse_beyond, refuse_built_in, refuse_used, refuse_wider_role
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
    bulk_operations = ()
    no_bulk = "What a role may do is weighed against what the giver may do, one role at a time."

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
    bulk_operations = ()
    no_bulk = "Each role that is given is weighed against what the giver may do: give them one by one."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        given, before = serializer.validated_data, serializer.instance
        role = given.get("role_id") or before.role_id  # type: ignore[union-attr]  # an update
        warehouses = given.get("warehouse_ids", getattr(before, "warehouse_ids", []))
        refuse_wider_role(role, warehouses, holder(self.request))
        return super().save(serializer)


routes = {"roles": RoleViewSet, "user-roles": UserRoleViewSet}

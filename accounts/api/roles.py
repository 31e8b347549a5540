from typing import Any

from django.db import models
from rest_framework import serializers

from accounts.models import Role, UserRole
from accounts.services.roles import refuse_beyond, refuse_built_in, refuse_higher_role
from core.api import TenantViewSet
from core.serializers import TenantSerializer


def own_permissions(request: Any) -> frozenset[str]:
    permissions: frozenset[str] = request._request.principal.permissions
    return permissions


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


class UserRoleSerializer(TenantSerializer):
    role_code = serializers.CharField(source="role.code", read_only=True)
    email = serializers.EmailField(source="membership.user.email", read_only=True)

    class Meta:
        model = UserRole
        fields = ["id", "membership", "email", "role", "role_code", "expires_at", "created_at", "updated_at", "version"]


class UserRoleViewSet(TenantViewSet):
    serializer_class = UserRoleSerializer
    filters = ["membership", "role"]
    bulk_operations = ()
    no_bulk = "Each role that is given is weighed against what the giver may do: give them one by one."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        given = serializer.validated_data.get("role_id") or serializer.instance.role_id  # type: ignore[union-attr]  # an update
        refuse_higher_role(given, own_permissions(self.request))
        return super().save(serializer)


routes = {"roles": RoleViewSet, "user-roles": UserRoleViewSet}

from typing import Any

from django.db import models
from rest_framework import serializers

from accounts.models import Membership, Organization
from accounts.services.tenancy import refuse_unprotected
from core.api import TenantViewSet
from core.choosing import Conditions
from core.reading import BASE
from core.serializers import TenantSerializer
from core.tenancy import active_organization_id


class OrganizationSerializer(TenantSerializer):
    class Meta:
        model = Organization
        fields = [
            "id", "slug", "name", "legal_name", "tax_number", "gs1_company_prefix", "base_currency", "timezone",
            "allow_negative_stock", "costing_method", "require_mfa", "access_token_seconds", "refresh_token_seconds",
            "purchase_approval_over", "rate_per_minute", "status", "created_at", "updated_at", "version",
        ]
        read_only_fields = ["slug", "costing_method", "rate_per_minute", "status"]


class OrganizationViewSet(TenantViewSet):
    """The organization one works for; a list of one."""

    serializer_class = OrganizationSerializer
    http_method_names = ["get", "put", "patch", "head", "options"]
    bulk_operations = ()
    no_bulk = "There is one organization."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        django_request: Any = self.request._request
        refuse_unprotected(required=serializer.validated_data.get("require_mfa", False), principal=django_request.principal)
        return super().save(serializer)

    def row_conditions(self) -> Conditions:
        return [(f"{BASE}.id = %s", [active_organization_id()])]


class MembershipSerializer(TenantSerializer):
    email = serializers.EmailField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "user", "email", "name", "status", "is_default", "joined_at", "created_at", "updated_at", "version"]
        read_only_fields = ["user", "is_default", "joined_at"]


class MembershipViewSet(TenantViewSet):
    """Members join by invitation; here their status changes."""

    serializer_class = MembershipSerializer
    http_method_names = ["get", "put", "patch", "head", "options"]
    bulk_operations = ()
    no_bulk = "Members join by invitation, and leave one by one."
    filters = ["user", "status"]


routes = {"organizations": OrganizationViewSet, "memberships": MembershipViewSet}

from django.db import models
from rest_framework import serializers

from accounts.api.roles import own_permissions
from accounts.models import ExternalIdentity, IdentityProvider
from accounts.services.providers import refuse_group_roles
from core.api import TenantViewSet
from core.serializers import TenantSerializer


class IdentityProviderSerializer(TenantSerializer):
    class Meta:
        model = IdentityProvider
        fields = [
            "id", "name", "issuer", "audience", "jwks_url", "group_claim", "group_roles", "creates_members",
            "checks_second_factor", "is_active", "approved_for", "created_at", "updated_at", "version",
        ]


class IdentityProviderViewSet(TenantViewSet):
    """Counts once an operator has approved its issuer, audience and key address (`manage.py approve_identity_provider`)."""

    serializer_class = IdentityProviderSerializer
    filters = ["issuer"]
    bulk_operations = ()
    no_bulk = "A provider's roles are checked against your own: send providers one by one."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        refuse_group_roles(serializer.validated_data.get("group_roles", {}), own_permissions(self.request))
        return super().save(serializer)


class ExternalIdentitySerializer(TenantSerializer):
    email = serializers.EmailField(source="membership.user.email", read_only=True)

    class Meta:
        model = ExternalIdentity
        fields = [
            "id", "provider", "subject", "membership", "email", "groups", "groups_at", "created_at", "updated_at", "version",
        ]


class ExternalIdentityViewSet(TenantViewSet):
    """Made by the first sign-in. Deleting one forgets who the subject is; the member stays."""

    serializer_class = ExternalIdentitySerializer
    http_method_names = ["get", "delete", "head", "options"]
    filters = ["provider", "subject", "membership"]
    bulk_operations = ()
    no_bulk = "The first sign-in makes one; delete them one by one."


routes = {"identity-providers": IdentityProviderViewSet, "external-identities": ExternalIdentityViewSet}

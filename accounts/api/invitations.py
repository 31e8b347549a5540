from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.roles import own_permissions
from accounts.models import Invitation
from accounts.services.invitations import invitation_create, invitation_resend, invitation_revoke
from core.api import TenantViewSet
from core.serializers import TenantSerializer


class InvitationSerializer(TenantSerializer):
    class Meta:
        model = Invitation
        fields = [
            "id", "email", "roles", "expires_at", "accepted_at", "revoked_at", "created_at", "updated_at", "version",
        ]


class InvitationViewSet(TenantViewSet):
    """Creating one mails the link, which works once."""

    serializer_class = InvitationSerializer
    http_method_names = ["get", "post", "head", "options"]
    filters = ["email"]
    bulk_operations = ()
    no_bulk = "Each invitation is mailed: send them one by one."

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        return invitation_create(
            **serializer.validated_data, granter=own_permissions(self.request), inviter=_name(self.request),
        )

    @extend_schema(request=None, responses=InvitationSerializer)
    @action(detail=True, methods=["post"], permission="accounts.change_invitation")
    def resend(self, request: Request, pk: str) -> Response:
        """Mail a new link; the old one is void."""
        invitation_resend(invitation=self.get_object(), granter=own_permissions(request), inviter=_name(request))
        return Response(self.read_row(pk))

    @extend_schema(request=None, responses=InvitationSerializer)
    @action(detail=True, methods=["post"], permission="accounts.change_invitation")
    def revoke(self, request: Request, pk: str) -> Response:
        """Withdraw it: its link is void."""
        invitation_revoke(invitation=self.get_object())
        return Response(self.read_row(pk))


def _name(request: Any) -> str:
    return getattr(request._request.principal.user, "name", "")


routes = {"invitations": InvitationViewSet}

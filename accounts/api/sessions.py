"""Sign-ins: one's own, and those that work in the organization."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import SignedIn
from accounts.api.ways_in import person
from accounts.models import UserSession
from accounts.queries.sessions import sessions_of
from accounts.services.activity import session_end_own, session_revoke, sessions_end
from core.api import ReadViewSet
from core.serializers import TenantSerializer


def is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19  # of a bigint


class OwnSessionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    user_agent = serializers.CharField()
    ip = serializers.CharField()
    organization = serializers.CharField(help_text="The slug that a token names; empty for the admin's pages.")
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(help_text="To ten minutes.")
    current = serializers.BooleanField(help_text="Whether this request belongs to it.")


class OwnSessionsSerializer(serializers.Serializer):
    results = OwnSessionSerializer(many=True)


class OwnSessionsView(APIView):
    """One's own sign-ins, in all organizations."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OwnSessionsSerializer)
    def get(self, request: Request) -> Response:
        claim = person(request)
        return Response({"results": OwnSessionSerializer(sessions_of(claim.user_id, claim.session_id), many=True).data})

    @extend_schema(
        operation_id="auth_sessions_destroy_others", request=None, responses={204: None},
        description="End all sign-ins but this one.",
    )
    def delete(self, request: Request) -> Response:
        claim = person(request)
        sessions_end(user_id=claim.user_id, reason=UserSession.Reason.REVOKED, keep=claim.session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class OwnSessionView(APIView):
    permission_classes = (SignedIn,)

    @extend_schema(
        request=None, responses={204: None}, description="End this sign-in: its tokens are void at once.",
        parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH)],
    )
    def delete(self, request: Request, id: str) -> Response:
        session_end_own(user_id=person(request).user_id, session_id=int(id) if is_number(id) else 0)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UserSessionSerializer(TenantSerializer):
    email = serializers.EmailField(source="user.email", read_only=True)

    class Meta:
        model = UserSession
        fields = [
            "id", "user", "email", "ip", "user_agent", "last_seen_at", "expires_at", "ended_at", "ended_reason", "created_at",
        ]


class UserSessionViewSet(ReadViewSet):
    """The sign-ins that work in this organization, and those that have ended."""

    serializer_class = UserSessionSerializer
    filters = ["user", "ended_at"]
    ordering = ["-id"]

    @extend_schema(request=None, responses=UserSessionSerializer)
    @action(detail=True, methods=["post"], permission="accounts.change_usersession")
    def revoke(self, request: Request, pk: str) -> Response:
        """End it; its tokens are void at once."""
        session_revoke(session=self.get_object())
        return Response(self.read_row(pk))

    def get_object(self) -> Any:
        self.read_row(self.kwargs["pk"])  # raises Http404
        return UserSession.objects.get(pk=self.kwargs["pk"])


routes = {"user-sessions": UserSessionViewSet}

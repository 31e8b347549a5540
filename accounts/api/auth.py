"""Sign-in, refresh, sign-out, and who one is."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.principal import Claim
from accounts.queries.identity import organizations_of
from accounts.services import sessions
from core.errors import NotAuthenticated
from core.permitting import SignedIn as SignedIn
from core.serializers import StrictSerializer
from core.tenancy import active_scope


class Anyone(AllowAny):
    """For the addresses that config.api lists as anonymous, and no other."""


class SignInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, style={"input_type": "password"})
    organization = serializers.CharField(
        max_length=50, required=False, default="", allow_blank=True, help_text="A slug, for members of several.",
    )


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=4000)


class TokenSerializer(serializers.Serializer):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")
    organization = serializers.CharField(required=False)
    roles = serializers.ListField(child=serializers.CharField(), required=False)


class OwnOrganizationSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True, help_text="Null for an API key.")
    email = serializers.CharField()
    name = serializers.CharField()
    organization = OwnOrganizationSerializer()
    roles = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())
    organizations = OwnOrganizationSerializer(many=True)


def answer(tokens: sessions.Tokens) -> Response:
    body: dict[str, Any] = {
        "access_token": tokens.access_token, "refresh_token": tokens.refresh_token, "token_type": "Bearer",
        "expires_in": tokens.expires_in,
    }
    if tokens.organization:
        body |= {"organization": tokens.organization, "roles": list(tokens.roles)}
    return Response(body, headers={"Cache-Control": "no-store"})


def host_of(request: Request) -> str:
    """Security keys belong to a host name."""
    return request.get_host().partition(":")[0]


class TokenView(APIView):
    """Sign in by e-mail and password.

    Who has a second factor is answered 401 with the code `second_factor_required` and a `challenge`, which
    `/api/v1/auth/token/second-factor/` takes.
    """

    permission_classes = (Anyone,)

    @extend_schema(request=SignInSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        serializer = SignInSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        django_request: Any = request._request
        return answer(sessions.session_open(
            **serializer.validated_data, origin=django_request.origin, user_agent=request.headers.get("User-Agent", ""),
            host=host_of(request),
        ))


class RefreshView(APIView):
    """Exchange a refresh token for new tokens; each works once."""

    permission_classes = (Anyone,)

    @extend_schema(request=RefreshSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        serializer = RefreshSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        django_request: Any = request._request
        return answer(sessions.session_refresh(
            **serializer.validated_data, origin=django_request.origin, user_agent=request.headers.get("User-Agent", ""),
        ))


class SignOutView(APIView):
    """End the sign-in that the access token belongs to: its tokens are void at once."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        django_request: Any = request._request
        claim = getattr(django_request, "claim", None)
        if not isinstance(claim, Claim) or claim.session_id is None or claim.by_cookie:
            raise NotAuthenticated("Only a sign-in by token can be signed out here.", code="no_token")
        sessions.session_close(user_id=claim.user_id, session_id=claim.session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    """Who one is, in which organization, and what one may do there."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        principal = request._request.principal  # type: ignore[attr-defined]  # set by the middleware
        own = organizations_of(principal.user.pk) if principal.user.pk else []
        if principal.by_provider:  # which learns nothing of the others
            own = [one for one in own if one.id == principal.organization_id]
        return Response({
            "id": principal.user.pk, "email": getattr(principal.user, "email", ""), "name": getattr(principal.user, "name", ""),
            "organization": {"id": active_scope().organization_id, "slug": principal.slug, "name": principal.organization_name},
            "roles": list(principal.roles), "permissions": sorted(principal.permissions),
            "organizations": [{"id": o.id, "slug": o.slug, "name": o.name} for o in own],
        })

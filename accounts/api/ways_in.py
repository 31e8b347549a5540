"""Sign-up, verification, forgotten and changed passwords, a new address, accepting an invitation."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import Anyone, SignedIn
from accounts.principal import Claim
from accounts.queries.sessions import session_is_live
from accounts.services import addresses, invitations, passwords, registration
from core.errors import Forbidden, NotAuthenticated
from core.serializers import StrictSerializer

SENT = "If the address is known here, a mail is on its way to it."


def password_field(**options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=1000, trim_whitespace=False, style={"input_type": "password"}, **options)


class SignUpSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = password_field()
    name = serializers.CharField(max_length=150)
    organization_name = serializers.CharField(
        max_length=200, required=False, default="", allow_blank=True, help_text="Without one, the person's name.",
    )


class EmailSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)


class KeySerializer(StrictSerializer):
    key = serializers.CharField(max_length=500, help_text="From the mailed link.")


class NewPasswordSerializer(StrictSerializer):
    key = serializers.CharField(max_length=500, help_text="From the mailed link.")
    password = password_field()


class PasswordChangeSerializer(StrictSerializer):
    old_password = password_field()
    new_password = password_field()


class EmailChangeSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = password_field(help_text="The present one.")


class AcceptSerializer(StrictSerializer):
    token = serializers.CharField(max_length=200, help_text="From the mailed link.")
    name = serializers.CharField(max_length=150, required=False, default="", allow_blank=True, help_text="Of a new person.")
    password = password_field(
        required=False, default="", allow_blank=True,
        help_text="A new person's, or the account's. Not asked of who is signed in by token.",
    )


class DetailSerializer(serializers.Serializer):
    detail = serializers.CharField()


class VerifiedSerializer(serializers.Serializer):
    email = serializers.CharField()


class JoinedSerializer(serializers.Serializer):
    email = serializers.CharField()
    organization = serializers.CharField(help_text="Its name.")


def checked(serializer_class: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def origin_of(request: Any) -> Any:
    return request._request.origin


def person(request: Any) -> Claim:
    """Raises Forbidden for an API key, which has no password, address or sign-in."""
    claim = getattr(request._request, "claim", None)
    if not isinstance(claim, Claim):
        raise Forbidden("This is for people, not for keys: sign in.")
    return claim


class SignUpView(APIView):
    """Make an account and an organization of one's own. The answer is the same for an address that is in use."""

    permission_classes = (Anyone,)

    @extend_schema(request=SignUpSerializer, responses={202: DetailSerializer})
    def post(self, request: Request) -> Response:
        registration.refuse_closed_sign_up()
        registration.account_register(**checked(SignUpSerializer, request), origin=origin_of(request))
        detail = "A mail is on its way: follow its link, then sign in."
        return Response({"detail": detail}, status=status.HTTP_202_ACCEPTED)


class VerifyEmailView(APIView):
    """Prove an address by the key of the mailed link; for a new address, this is when it takes effect."""

    permission_classes = (Anyone,)

    @extend_schema(request=KeySerializer, responses=VerifiedSerializer)
    def post(self, request: Request) -> Response:
        user = addresses.email_verify(**checked(KeySerializer, request))
        return Response({"email": user.email})


class ResendView(APIView):
    """Mail the link again. Never says whether the address is known."""

    permission_classes = (Anyone,)

    @extend_schema(request=EmailSerializer, responses={202: DetailSerializer})
    def post(self, request: Request) -> Response:
        addresses.verification_resend(**checked(EmailSerializer, request))
        return Response({"detail": SENT}, status=status.HTTP_202_ACCEPTED)


class PasswordResetView(APIView):
    """Mail a link to choose a new password. Never says whether the address is known."""

    permission_classes = (Anyone,)

    @extend_schema(request=EmailSerializer, responses={202: DetailSerializer})
    def post(self, request: Request) -> Response:
        passwords.password_reset_request(**checked(EmailSerializer, request))
        return Response({"detail": SENT}, status=status.HTTP_202_ACCEPTED)


class PasswordResetConfirmView(APIView):
    """Choose a new password by the key of the mailed link. Ends all sign-ins."""

    permission_classes = (Anyone,)

    @extend_schema(request=NewPasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        passwords.password_reset(**checked(NewPasswordSerializer, request), origin=origin_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordChangeView(APIView):
    """Change one's password. Ends all other sign-ins."""

    permission_classes = (SignedIn,)

    @extend_schema(request=PasswordChangeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        claim, values = person(request), checked(PasswordChangeSerializer, request)
        passwords.password_change(
            user_id=claim.user_id, old=values["old_password"], new=values["new_password"], origin=origin_of(request),
            keep=claim.session_id,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class EmailChangeView(APIView):
    """Ask for another address. It takes effect when its mailed link is followed; the old address is told."""

    permission_classes = (SignedIn,)

    @extend_schema(request=EmailChangeSerializer, responses={202: DetailSerializer})
    def post(self, request: Request) -> Response:
        addresses.email_change_request(
            user_id=person(request).user_id, **checked(EmailChangeSerializer, request), origin=origin_of(request),
        )
        detail = "A mail is on its way to the new address: follow its link."
        return Response({"detail": detail}, status=status.HTTP_202_ACCEPTED)


class AcceptView(APIView):
    """Join the organization that the mailed link invites to."""

    permission_classes = (Anyone,)

    @extend_schema(request=AcceptSerializer, responses=JoinedSerializer)
    def post(self, request: Request) -> Response:
        found, user = invitations.invitation_accept(
            **checked(AcceptSerializer, request), user_id=_bearer(request), origin=origin_of(request),
        )
        return Response({"email": user.email, "organization": found.organization})


def _bearer(request: Any) -> UUID | None:
    """Who is signed in by token: here no scope was opened, which would have looked whether the sign-in is still there.

    A cookie counts for nobody: only pages ask for the CSRF token.
    """
    claim = getattr(request._request, "claim", None)
    if not isinstance(claim, Claim) or claim.by_cookie:
        return None
    if not session_is_live(claim.user_id, claim.session_id):
        raise NotAuthenticated("This sign-in has ended: sign in again.")
    return claim.user_id

"""One's own second factors: which there are, more of them, fewer of them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import Anyone, SignedIn, TokenSerializer, answer, host_of
from accounts.models import User
from accounts.principal import Claim
from accounts.services import second_factors
from accounts.services.challenges import Answer
from accounts.services.sessions import session_complete, session_proved
from core.errors import Forbidden, Invalid
from core.serializers import StrictSerializer

NO_STORE = {"Cache-Control": "no-store"}


class SecondFactorSignInSerializer(StrictSerializer):
    challenge = serializers.CharField(max_length=1000)
    code = serializers.CharField(max_length=20, required=False, help_text="Of an authenticator app, or a recovery code.")
    credential = serializers.JSONField(required=False, help_text="A security key's answer to `webauthn`, as JSON.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("code" in attrs) == ("credential" in attrs):
            raise serializers.ValidationError("Give a code or a credential, one of both.")
        if not isinstance(attrs.get("credential", {}), dict):
            raise serializers.ValidationError({"credential": "An object, as the browser gives it."})
        return attrs


class ProofSerializer(StrictSerializer):
    """Who changes second factors proves again who they are."""

    password = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True, trim_whitespace=False)
    proof_code = serializers.CharField(
        max_length=20, required=False, default="", allow_blank=True, help_text="A code of a second factor that you have already.",
    )


class ActivateSerializer(ProofSerializer):
    token = serializers.CharField(max_length=2000)
    code = serializers.CharField(max_length=20, help_text="The first code that the app shows.")


class RegisterSerializer(ProofSerializer):
    token = serializers.CharField(max_length=4000)
    name = serializers.CharField(max_length=60, help_text="Such as: blue key.")
    credential = serializers.JSONField(help_text="What the browser's `navigator.credentials.create` answered, as JSON.")

    def validate_credential(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("An object, as the browser gives it.")
        return value


class AuthenticatorSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class SecondFactorsSerializer(serializers.Serializer):
    results = AuthenticatorSerializer(many=True)
    recovery_codes_left = serializers.IntegerField()
    proved = serializers.BooleanField(help_text="Whether this sign-in showed a second factor.")


class SetupSerializer(serializers.Serializer):
    secret = serializers.CharField()
    url = serializers.CharField(help_text="otpauth://, for the app.")
    svg = serializers.CharField(help_text="The same as a picture to scan.")
    token = serializers.CharField()


class WebAuthnSetupSerializer(serializers.Serializer):
    options = serializers.JSONField()
    token = serializers.CharField()


class RecoveryCodesSerializer(serializers.Serializer):
    codes = serializers.ListField(child=serializers.CharField())


class SecondFactorSignInView(APIView):
    """The second step of signing in."""

    permission_classes = (Anyone,)

    @extend_schema(request=SecondFactorSignInSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        given = checked(SecondFactorSignInSerializer, request)
        django_request: Any = request._request
        return answer(session_complete(
            challenge=given["challenge"], answer=Answer(given.get("code", ""), given.get("credential")),
            origin=django_request.origin, user_agent=request.headers.get("User-Agent", ""), host=host_of(request),
        ))


class OwnView(APIView):
    permission_classes = (SignedIn,)

    def person(self) -> User:
        """Raises Forbidden for an API key, which is nobody."""
        django_request: Any = self.request._request
        if django_request.principal.api_key_id:
            raise Forbidden("An API key has no second factors: sign in as a person.", code="not_a_person")
        return User.objects.get(pk=django_request.principal.user.pk)

    def prove(self, user: User, given: dict[str, Any]) -> None:
        django_request: Any = self.request._request
        second_factors.prove_again(
            user=user, origin=django_request.origin, proved=django_request.principal.second_factor_proved,
            password=given.pop("password"), code=given.pop("proof_code"),
        )

    def proved(self) -> None:
        """This session has now shown a second factor."""
        django_request: Any = self.request._request
        claim = django_request.claim
        if claim.by_cookie:
            django_request.session["second_factor"] = True
        elif isinstance(claim, Claim) and claim.session_id is not None:
            session_proved(user_id=claim.user_id, session_id=claim.session_id)


class SecondFactorsView(OwnView):
    """One's second factors."""

    @extend_schema(responses=SecondFactorsSerializer)
    def get(self, request: Request) -> Response:
        user = self.person()
        rows = [
            {
                "id": row.pk, "type": row.type, "name": row.data.get("name") or str(row.get_type_display()),
                "created_at": row.created_at, "last_used_at": row.last_used_at,
            }
            for row in second_factors.authenticators_of(user.pk)
        ]
        django_request: Any = request._request
        return Response({
            "results": rows, "recovery_codes_left": second_factors.recovery_codes_left(user_id=user.pk),
            "proved": django_request.principal.second_factor_proved,
        })


class SecondFactorView(OwnView):
    """Remove one. Recovery codes go with the last other one."""

    @extend_schema(request=ProofSerializer, responses={204: None}, operation_id="second_factor_remove")
    def post(self, request: Request, pk: str) -> Response:
        user, given = self.person(), checked(ProofSerializer, request)
        self.prove(user, given)
        second_factors.authenticator_remove(user=user, authenticator_id=int(pk) if pk.isascii() and pk.isdecimal() else 0)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TotpBeginView(OwnView):
    """A new secret for an authenticator app; it counts when its first code is sent."""

    @extend_schema(request=None, responses=SetupSerializer)
    def post(self, request: Request) -> Response:
        setup = second_factors.totp_begin(user=self.person())
        return Response({"secret": setup.secret, "url": setup.url, "svg": setup.svg, "token": setup.token}, headers=NO_STORE)


class TotpActivateView(OwnView):
    @extend_schema(request=ActivateSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        user, given = self.person(), checked(ActivateSerializer, request)
        self.prove(user, given)
        second_factors.totp_activate(user=user, **given)
        self.proved()
        return Response(status=status.HTTP_204_NO_CONTENT)


class RecoveryCodesView(OwnView):
    """New recovery codes, shown this once; the old ones are void."""

    @extend_schema(request=ProofSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        user, given = self.person(), checked(ProofSerializer, request)
        self.prove(user, given)
        return Response({"codes": second_factors.recovery_codes_generate(user=user)}, headers=NO_STORE)


class WebAuthnBeginView(OwnView):
    """What the browser needs to register a security key or a passkey."""

    @extend_schema(request=None, responses=WebAuthnSetupSerializer)
    def post(self, request: Request) -> Response:
        from accounts.services import webauthn  # noqa: PLC0415

        options, token = webauthn.register_begin(user=self.person(), host=host_of(request))
        return Response({"options": options, "token": token}, headers=NO_STORE)


class WebAuthnCompleteView(OwnView):
    @extend_schema(request=RegisterSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        from accounts.services import webauthn  # noqa: PLC0415

        user, given = self.person(), checked(RegisterSerializer, request)
        self.prove(user, given)
        webauthn.register_complete(user=user, host=host_of(request), **given)
        self.proved()
        return Response(status=status.HTTP_204_NO_CONTENT)


def checked(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("Send an object.")
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    given: dict[str, Any] = serializer.validated_data
    return given

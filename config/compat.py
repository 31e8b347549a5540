"""The paths of older clients, `/signup`, `/signin` and `/users`, in the shapes that they expect, over the same services.

docs/guide/old-paths.md tells what to use instead. Kept apart, so that they can go one day.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from django.http import HttpResponse, QueryDict
from django.urls import re_path
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import Anyone, SignedIn
from accounts.api.people import UserViewSet, own_record, own_record_to_change
from accounts.models import User
from accounts.services import people, registration, sessions
from core.errors import Invalid
from core.json import dumps
from core.problems import BadParameter, to_response
from core.rendering import JSONRenderer
from core.serializers import StrictSerializer
from core.within import holder

NAMES = {
    "id": "userId", "name": "name", "email": "email", "age": "age", "created_at": "createdAt", "updated_at": "updatedAt",
}  # fmt: skip
PAGING = {"limit": "limit", "nextToken": "cursor", "next_token": "cursor"}
OF_SHAPE = ("fields", "expand")  # which the shapes here do not know


def in_old_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {old: row[new] for new, old in NAMES.items()}


def old_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """{"error", "message", "code", "requestId"}: the sentence under both names, because clients look for either."""
    response = to_response(error, context)
    if response is None:
        return None
    problem = response.data
    response.data = {
        "error": problem["detail"], "message": problem["detail"], "code": problem["code"], "requestId": problem["request_id"],
    }
    response.content_type = "application/json"
    return response


def json(body: Any) -> HttpResponse:
    return HttpResponse(dumps(body), content_type=JSONRenderer.media_type)


class OldPath(APIView):
    schema = None  # not in the OpenAPI description: nobody should start with these

    def get_renderers(self) -> list[Any]:
        return [JSONRenderer()]

    def get_exception_handler(self) -> Any:
        return old_error

    def checked(self, serializer_class: type[serializers.Serializer], **options: Any) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data, **options)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values


class OldSignUpSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    name = serializers.CharField(max_length=150, required=False, default="")


class OldSignInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class OldUserSerializer(StrictSerializer):
    name = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    age = serializers.IntegerField(min_value=0, max_value=150, required=False, allow_null=True)


class SignUp(OldPath):
    permission_classes = (Anyone,)

    def post(self, request: Any) -> Response:
        registration.refuse_closed_sign_up()
        given = self.checked(OldSignUpSerializer)
        name = given.pop("name") or given["email"].partition("@")[0]
        user = registration.account_register(**given, name=name, origin=request._request.origin)
        message = "Registered: follow the link in the mail, then sign in."
        body = {"message": message, "userId": user.pk, "email": user.email, "name": user.name}
        return Response(body, status=status.HTTP_201_CREATED)


class SignIn(OldPath):
    permission_classes = (Anyone,)

    def post(self, request: Any) -> Response:
        tokens = sessions.session_open(
            **self.checked(OldSignInSerializer), origin=request._request.origin,
            user_agent=request.headers.get("User-Agent", ""),
        )
        body = {
            "token": tokens.access_token, "accessToken": tokens.access_token, "refreshToken": tokens.refresh_token,
            "tokenType": "Bearer", "expiresIn": tokens.expires_in,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def old_list(
    request: Request, name: str, listed: Callable[[], Any], shaped: Callable[[list[Any]], list[Any]], **given: str,
) -> HttpResponse:
    """{name: rows, "count", "nextToken"}: `count` is of this page; `nextToken` is null on the last.

    `listed` answers as the list of the resource; `given` are parameters of it that the old client does not name.
    """
    asked = QueryDict(mutable=True)
    for key, value in {**given, **request.query_params.dict()}.items():
        if key in OF_SHAPE:
            raise BadParameter(key, f"{key}: this path answers with all of its fields, and no others.")
        asked[PAGING.get(key, key)] = value
    request._request.GET = asked  # type: ignore[assignment]  # as the list reads it
    request.META.pop("HTTP_IF_NONE_MATCH", None)  # old clients know no conditions, nor what they would be about here
    page = orjson.loads(listed().content)
    rows = shaped(page["results"])
    following = parse_qs(urlsplit(page["next"] or "").query).get("cursor", [None])[0]
    return json({name: rows, "count": len(rows), "nextToken": following})


class OldUsers(OldPath, UserViewSet):
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        page = super().list
        return old_list(request, "users", lambda: page(request), lambda rows: [in_old_shape(row) for row in rows])

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return json(in_old_shape(self.read_row(kwargs["pk"])))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        user = people.person_add(**self.checked(OldUserSerializer), granter=holder(request))
        return Response(in_old_shape(self.read_row(user.pk)), status=status.HTTP_201_CREATED)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An address may be corrected here, for somebody who belongs to this organization alone."""
        user, given = self.get_object(), changes(self)
        if email := given.pop("email", ""):
            people.address_correct(user=user, email=email, granter=holder(request))
        people.person_change(user=user, **given)
        return Response(in_old_shape(self.read_row(user.pk)))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        user: User = self.get_object()
        people.person_leave(user=user)
        return Response({"message": "User deleted successfully", "userId": user.pk})


class OldMe(OldPath):
    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        user = own_record(request)
        return Response(in_old_shape({name: getattr(user, name) for name in NAMES}))

    def put(self, request: Request) -> Response:
        user, given = own_record_to_change(request), changes(self)
        if given.pop("email", user.email).lower() != user.email:
            detail = "Change your address at /api/v1/auth/email/change/, which proves that it is yours."
            raise Invalid(detail, code="address_unproved", fields={"email": detail})
        people.profile_change(user=user, **given)
        return self.get(request)


def changes(view: OldPath) -> dict[str, Any]:
    """Raises Invalid for a body without any field."""
    if not (given := view.checked(OldUserSerializer, partial=True)):
        raise Invalid("Give at least one field to update: name, email or age.", code="empty")
    return given


urlpatterns = [
    re_path(r"^signup/?$", SignUp.as_view(), name="old-sign-up"),
    re_path(r"^signin/?$", SignIn.as_view(), name="old-sign-in"),
    re_path(r"^users/?$", OldUsers.as_view({"get": "list", "post": "create"}), name="old-users"),
    re_path(r"^users/me/?$", OldMe.as_view(), name="old-me"),
    re_path(
        r"^users/(?P<pk>[^/]+)/?$", OldUsers.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}), name="old-user",
    ),
]

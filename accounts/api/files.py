"""Files by a signed address, and people's avatars."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import Anyone, SignedIn
from accounts.models import Membership
from accounts.services.downloads import read_download_token
from accounts.services.pictures import avatar_clear, avatar_set
from accounts.services.uploads import upload_receive
from core.errors import Forbidden, NotFound
from core.files import Served
from core.pictures import CONTENT_TYPE
from core.problems import MissingPermission
from core.serializers import StrictSerializer
from core.serving import AnyAccept, file_response, refuse_long_body

CHUNK = 1 << 16


class SignedUploadView(APIView):
    """Send the file of an upload, where no bucket takes it. The address is the credential."""

    permission_classes = (Anyone,)
    authentication_classes = ()
    content_negotiation_class = AnyAccept

    @extend_schema(request={"*/*": OpenApiTypes.BINARY}, responses={204: None})
    def put(self, request: Request, id: str) -> Response:
        refuse_long_body(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        upload_receive(token=id, size=int(length) if length.isdecimal() else 0, chunks=_chunks(request._request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SignedFileView(APIView):
    """A file by the address that an attachment's `link` gave. The address is the credential."""

    permission_classes = (Anyone,)
    authentication_classes = ()
    content_negotiation_class = AnyAccept

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, id: str) -> HttpResponseBase:
        download = read_download_token(id)
        return file_response(download.key, download.served, stored_version=download.stored_version)


class AvatarSerializer(StrictSerializer):
    file = serializers.FileField(max_length=1000)


class OwnAvatarView(APIView):
    """One's own picture, kept as a square of at most 512 pixels."""

    permission_classes = (SignedIn,)
    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_long_body(request)
        super().initial(request, *args, **kwargs)

    @extend_schema(request=AvatarSerializer, responses={204: None})
    def put(self, request: Request) -> Response:
        user_id = _person(request)
        serializer = AvatarSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        file = serializer.validated_data["file"]
        avatar_set(user_id=user_id, file=file, size=file.size)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        avatar_clear(user_id=_person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AvatarView(APIView):
    """The picture of a member of the organization, by the person's id."""

    permission_classes = (SignedIn,)
    content_negotiation_class = AnyAccept

    @extend_schema(responses={(200, CONTENT_TYPE): OpenApiTypes.BINARY, 302: None})
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        principal: Any = request._request.principal  # type: ignore[attr-defined]  # set by the middleware
        if id != principal.user.pk and "accounts.view_membership" not in principal.permissions:
            raise MissingPermission("accounts.view_membership")
        key = Membership.objects.filter(user_id=id).values_list("user__avatar", flat=True).first()
        if not key:
            raise NotFound("No member here has this picture.")
        return file_response(key, Served("avatar.webp", CONTENT_TYPE, inline=True))


def _person(request: Any) -> UUID:
    if not (user_id := request._request.principal.user.pk):
        raise Forbidden("A key has no picture: sign in as a person.")
    return user_id  # type: ignore[no-any-return]


def _chunks(stream: Any) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk

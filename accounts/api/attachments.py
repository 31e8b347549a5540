from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Attachment, AttachmentVersion
from accounts.queries.attachments import attachable, require_object_of, version_of, visible_attachments
from accounts.services.attachments import Upload, attachment_add_version, attachment_create, attachment_make_primary
from accounts.services.downloads import SECONDS, download_of, download_token
from accounts.services.pictures import SIZES, thumbnail_key
from accounts.services.uploads import SEND_SECONDS, upload_complete, upload_start
from core.api import ArchivableViewSet
from core.choosing import Conditions
from core.files import DirectUpload, Served, private_files
from core.limits import refuse_object_outside
from core.pictures import CONTENT_TYPE as THUMBNAIL_TYPE
from core.problems import BadParameter
from core.routing import path_of
from core.serializers import StrictSerializer, TenantSerializer
from core.serving import AnyAccept, file_response, refuse_long_body
from core.within import hanging_condition, holder

VERSION = OpenApiParameter("version", int, description="The number of an older version of the file.")
INLINE = OpenApiParameter("inline", bool, description="To be shown by a browser; pictures and PDF alone.")
SIZE = OpenApiParameter("size", int, enum=SIZES, description="Pixels that the thumbnail is wide or high at most.", default=200)
SHA256 = {"regex": r"\A[0-9A-Fa-f]{64}\Z", "help_text": "In hexadecimal; what arrives must have it.", "required": False}


class AttachmentSerializer(TenantSerializer):
    class Meta:
        model = Attachment
        fields = [
            "id", "object_type", "object_id", "kind", "title", "filename", "content_type", "size", "sha256", "file_version",
            "is_primary", "archived_at", "created_at", "updated_at", "version",
        ]


class VersionSerializer(TenantSerializer):
    class Meta:
        model = AttachmentVersion
        fields = ["number", "filename", "content_type", "size", "sha256", "created_at"]


class FileSerializer(StrictSerializer):
    file = serializers.FileField(max_length=1000)
    sha256 = serializers.RegexField(**SHA256)  # type: ignore[arg-type]  # as the stubs read a mapping


class NewFileSerializer(FileSerializer):
    object_type = serializers.CharField(max_length=60, help_text="Such as inventory.product.")
    object_id = serializers.UUIDField()
    kind = serializers.ChoiceField(Attachment.Kind.choices, required=False)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)


class StartSerializer(StrictSerializer):
    attachment = serializers.UUIDField(required=False, help_text="For a new version of it, in place of an object.")
    object_type = serializers.CharField(max_length=60, required=False)
    object_id = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(Attachment.Kind.choices, required=False)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    filename = serializers.CharField(max_length=500)
    size = serializers.IntegerField(min_value=1, help_text="Bytes.")
    content_type = serializers.CharField(max_length=100)
    sha256 = serializers.RegexField(**SHA256)  # type: ignore[arg-type]  # as above


class StartedSerializer(serializers.Serializer):
    upload = serializers.CharField(help_text="To be given back when it is completed.")
    url = serializers.CharField()
    method = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    fields = serializers.DictField(  # type: ignore[assignment]  # the name that clients of S3 know
        child=serializers.CharField(), help_text="Of a form: they go before its part `file`. Empty: the body is the file.",
    )
    expires_in = serializers.IntegerField(help_text="Seconds in which the file must be sent.")


class CompleteSerializer(StrictSerializer):
    upload = serializers.CharField(max_length=4000)


class LinkSerializer(serializers.Serializer):
    url = serializers.CharField()
    expires_in = serializers.IntegerField()


class NotOffered:
    """In place of an inherited method: the resource does not have it."""

    def __get__(self, instance: object, owner: type) -> Any:
        raise AttributeError


class AttachmentViewSet(ArchivableViewSet):
    """Files on rows, seen by those who see the row and changed by those who may change it.

    They come in as a form at `files/`, or directly to the storage by `uploads/`.
    """

    serializer_class = AttachmentSerializer
    filters = ["object_type", "object_id"]
    create: Any = NotOffered()  # a row without a file is no attachment
    bulk_operations = ()
    no_bulk = "Each row stands for a file: send files one by one."

    @property
    def permissions(self) -> frozenset[str]:
        held: frozenset[str] = self.request._request.principal.permissions
        return held

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_long_body(request)
        super().initial(request, *args, **kwargs)

    def row_conditions(self) -> Conditions:
        return [*super().row_conditions(), *hanging_condition(holder(self.request), attachable())]

    def get_object(self) -> Attachment:
        row: Attachment = super().get_object()
        if not visible_attachments(holder(self.request)).filter(pk=row.pk).exists():
            raise Http404
        verb = "view" if self.request.method in SAFE_METHODS else "change"
        require_object_of(row, verb=verb, permissions=self.permissions)
        self._refuse_object(row.object_type, row.object_id, verb)
        return row

    def _refuse_object(self, kind: str, object_id: Any, verb: str = "change") -> None:
        """Raises OutsideWarehouses; of an unknown type the service says what is wrong."""
        if model := attachable().get(kind):
            refuse_object_outside(holder(self.request), model, object_id, verb)

    # --- Files in -------------------------------------------------------------------------------------------
    @extend_schema(request=NewFileSerializer, responses={201: AttachmentSerializer})
    @action(detail=False, methods=["post"], parser_classes=[MultiPartParser], body_class=NewFileSerializer)
    def files(self, request: Request) -> Response:
        """Attach a file to a row."""
        body = self.body(request)
        self._refuse_object(body["object_type"], body["object_id"])
        row = attachment_create(upload=_upload(body), permissions=self.permissions, **body)
        return self._answer(row, request, status.HTTP_201_CREATED)

    @extend_schema(responses=VersionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], parser_classes=[MultiPartParser], body_class=FileSerializer, pagination_class=None)
    def versions(self, request: Request, pk: str) -> Response:
        """Every file that the attachment has had, the newest first."""
        self._query([])
        return Response(VersionSerializer(self.get_object().versions.order_by("-number"), many=True).data)

    @extend_schema(request=FileSerializer, responses=AttachmentSerializer)
    @versions.mapping.post
    def add_version(self, request: Request, pk: str) -> Response:
        """A newer file; the older ones can still be downloaded."""
        attachment = self.get_object()
        body = self.body(request)
        return self._answer(attachment_add_version(
            attachment=attachment, upload=_upload(body), permissions=self.permissions,
        ), request, status.HTTP_200_OK)

    @extend_schema(request=None, responses=AttachmentSerializer)
    @action(detail=True, methods=["post"], url_path="make-primary", permission="accounts.change_attachment")
    def make_primary(self, request: Request, pk: str) -> Response:
        """Show this picture before the other pictures of its row."""
        attachment = self.get_object()
        attachment_make_primary(attachment=attachment, permissions=self.permissions)
        return Response(self.read_row(attachment.pk))

    @extend_schema(request=StartSerializer, responses={201: StartedSerializer})
    @action(detail=False, methods=["post"], body_class=StartSerializer)
    def uploads(self, request: Request) -> Response:
        """Where and how to send a file directly; nothing is there until the upload is completed."""
        body = self.body(request)
        if wanted := body.pop("attachment", None):
            self.kwargs["pk"] = str(wanted)
            body["attachment"] = self.get_object()
        else:
            self._refuse_object(body.get("object_type", ""), body.get("object_id"))
        started = upload_start(**body, permissions=self.permissions)
        direct = started.direct or DirectUpload(
            request.build_absolute_uri(reverse("attachment-upload", args=[started.token])), "PUT",
            headers={"Content-Type": body["content_type"]},
        )
        return Response({
            "upload": started.token, "url": direct.url, "method": direct.method, "headers": direct.headers,
            "fields": direct.fields, "expires_in": SEND_SECONDS,
        }, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(request=CompleteSerializer, responses={201: AttachmentSerializer})
    @action(detail=False, methods=["post"], url_path="uploads/complete", body_class=CompleteSerializer)
    def complete(self, request: Request) -> Response:
        """Check what was sent; only then is it an attachment."""
        row = upload_complete(token=self.body(request)["upload"], permissions=self.permissions)
        self._refuse_object(row.object_type, row.object_id)
        return self._answer(row, request, status.HTTP_201_CREATED)

    # --- Files out ------------------------------------------------------------------------------------------
    @extend_schema(parameters=[VERSION, INLINE], responses={(200, "*/*"): OpenApiTypes.BINARY, 302: None})
    @action(detail=True, methods=["get"], content_negotiation_class=AnyAccept)
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """The file, or where the storage gives it."""
        download = download_of(self._version("version", "inline"), inline=self._flag("inline"))
        return file_response(download.key, download.served, stored_version=download.stored_version)

    @extend_schema(parameters=[VERSION, INLINE], responses=LinkSerializer)
    @action(detail=True, methods=["get"])
    def link(self, request: Request, pk: str) -> Response:
        """An address of the file that needs no credentials, for a minute."""
        download = download_of(self._version("version", "inline"), inline=self._flag("inline"))
        url = private_files().direct_url(
            download.key, served=download.served, seconds=SECONDS, stored_version=download.stored_version,
        ) or request.build_absolute_uri(reverse("attachment-file", args=[download_token(download)]))
        return Response({"url": url, "expires_in": SECONDS}, headers={"Cache-Control": "no-store"})

    @extend_schema(parameters=[VERSION, SIZE], responses={(200, THUMBNAIL_TYPE): OpenApiTypes.BINARY, 302: None})
    @action(detail=True, methods=["get"], content_negotiation_class=AnyAccept)
    def thumbnail(self, request: Request, pk: str) -> HttpResponseBase:
        """A small copy of a picture, without what the camera wrote into it."""
        version = self._version("version", "size")
        size = request.query_params.get("size", "200")
        if size not in map(str, SIZES):
            raise BadParameter("size", f"size: one of {', '.join(map(str, SIZES))}.")
        key = thumbnail_key(version=version, size=int(size))
        return file_response(key, Served(f"{version.filename}.webp", THUMBNAIL_TYPE, inline=True))

    def _version(self, *known: str) -> AttachmentVersion:
        number = self._query(known).get("version", "")
        if number and not (number.isascii() and number.isdecimal() and 0 < int(number[:10]) < 2**31):
            raise BadParameter("version", "version: the number of a version, from 1 on.")
        return version_of(self.get_object(), int(number) if number else None)

    def _flag(self, name: str) -> bool:
        text = self.request.query_params.get(name, "false")
        if text not in ("true", "false"):
            raise BadParameter(name, f"{name}: true or false.")
        return bool(text == "true")

    def _answer(self, row: Attachment, request: Request, code: int) -> Response:
        location = request.build_absolute_uri(path_of("attachments", row.pk))
        return Response(self.read_row(row.pk), status=code, headers={"Location": location})


def _upload(body: dict[str, Any]) -> Upload:
    """Taken out of a body that was checked."""
    file = body.pop("file")
    return Upload(file, file.size, file.name, file.content_type or "", body.pop("sha256", ""))


routes = {"attachments": AttachmentViewSet}

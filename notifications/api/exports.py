from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Conflict, NotFound
from core.exporting import CONTENT_TYPES, CSV, JSON_LINES, exported
from core.files import Served
from core.permitting import SignedIn
from core.serializers import StrictSerializer
from core.serving import AnyAccept, file_response
from core.within import holder
from notifications.accepting import POLL
from notifications.exports import KEPT, export_begin, export_find
from notifications.models import Job

FORMATS = [(CSV, "CSV"), (JSON_LINES, "JSON Lines")]


class NewExportSerializer(StrictSerializer):
    resource = serializers.CharField(max_length=60, help_text="As in its address, such as products.")
    query = serializers.CharField(
        default="", allow_blank=True, max_length=2000, help_text="Of its list, such as status=active&sort=name.",
    )
    format = serializers.ChoiceField(FORMATS, default=CSV)


class ExportSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    resource = serializers.CharField()
    query = serializers.CharField()
    format = serializers.ChoiceField(FORMATS)
    status = serializers.ChoiceField(Job.Status.choices, help_text="Of the job that writes it.")
    progress = serializers.IntegerField(help_text="Rows so far.")
    rows = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    error = serializers.CharField()
    file = serializers.URLField(allow_null=True, help_text="Where it is, once it has succeeded.")
    expires_at = serializers.DateTimeField(allow_null=True)


class ExportsView(APIView):
    """Any list of the API as a file, with its filters and without an end. A job writes it."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="exports_create", request=NewExportSerializer, responses={202: ExportSerializer})
    def post(self, request: Request) -> Response:
        """It needs the permission to see the list, and gives what the list would."""
        serializer = NewExportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        exported(asked["resource"], asked["query"], holder(request))
        job_id = export_begin(
            resource=asked["resource"], query=asked["query"], form=asked["format"], asker=_asker(request),
        )
        body = _shown(request, export_find(job_id))
        location = request.build_absolute_uri(reverse("export", args=[job_id]))
        return Response(body, status.HTTP_202_ACCEPTED, headers={"Location": location, "Retry-After": str(POLL)})


class ExportView(APIView):
    """How an export of one's own goes."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="exports_retrieve", responses=ExportSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(_shown(request, export_find(id)))


class ExportFileView(APIView):
    """The file of an export of one's own, for a day. It needs the permission to see the list."""

    permission_classes = (SignedIn,)
    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="exports_file", responses={(200, "*/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        job = export_find(id)
        asked = job.arguments["kwargs"]
        exported(asked["resource"], asked["query"], holder(request))
        if job.status != Job.Status.SUCCEEDED:
            raise Conflict(f"The export is {job.status}: its file is there once it has succeeded.", code="not_ready")
        if timezone.now() > _end(job) or "key" not in _result(job):
            raise NotFound("The file was kept for a day and is gone: export the list again.", code="gone")
        name = f"{asked['resource']}.{asked['format']}"
        return file_response(_result(job)["key"], Served(name, CONTENT_TYPES[asked["format"]]))


def _asker(request: Any) -> UUID:
    principal = request._request.principal
    asker: UUID = principal.api_key_id or principal.user.pk
    return asker


def _result(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = job.result or {}
    return found


def _end(job: Job) -> datetime:
    assert job.finished_at  # noqa: S101  # it has succeeded
    return job.finished_at + timedelta(seconds=KEPT)


def _shown(request: Request, job: Job) -> dict[str, Any]:
    done = job.status == Job.Status.SUCCEEDED
    return {
        "id": job.pk, **job.arguments["kwargs"], "status": job.status, "progress": job.progress or 0,
        "rows": _result(job).get("rows"), "size": _result(job).get("size"), "error": job.error,
        "file": request.build_absolute_uri(reverse("export-file", args=[job.pk])) if done else None,
        "expires_at": _end(job) if done else None,
    }

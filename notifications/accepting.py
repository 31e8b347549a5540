"""The answer to a request whose work is a job: 202, and where to ask how it goes."""

from uuid import UUID

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.routing import path_of

POLL = 2  # seconds until it is worth asking again
RESPOND_ASYNC = "respond-async"


class AcceptedSerializer(serializers.Serializer):
    job = serializers.UUIDField(help_text="At jobs/<id>/: status, progress and result; DELETE cancels it.")


def accepted(request: Request, job_id: UUID) -> Response:
    """To a client that has said so, by `Prefer: respond-async` (RFC 7240), that it was heard."""
    headers = {"Location": request.build_absolute_uri(path_of("jobs", job_id)), "Retry-After": str(POLL)}
    if prefers_job(request):
        headers["Preference-Applied"] = RESPOND_ASYNC
    return Response({"job": str(job_id)}, status.HTTP_202_ACCEPTED, headers=headers)


def prefers_job(request: Request) -> bool:
    """Whether the client wants a job rather than to wait."""
    preferences = str(request.headers.get("Prefer", "")).split(",")
    return RESPOND_ASYNC in {preference.partition(";")[0].strip().lower() for preference in preferences}

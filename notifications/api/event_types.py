"""The catalogue of events: the installation's, the same for each organization."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from core.permitting import SignedIn
from notifications.catalogue import catalogue


class EventTypeSerializer(serializers.Serializer):
    name = serializers.CharField()
    bus = serializers.CharField()
    aggregate_type = serializers.CharField(help_text="What aggregate_id is the id of; events of one are told in order.")
    schema_version = serializers.IntegerField()
    description = serializers.CharField()
    schema = serializers.DictField(help_text="JSON Schema of the payload.")
    example = serializers.DictField(help_text="A whole event, as subscribers get it and as patterns see it.")


class EventTypesSerializer(serializers.Serializer):
    results = EventTypeSerializer(many=True)


class EventTypesView(APIView):
    """What is told, by name: all types, not a page of them."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="event_types_list", responses=EventTypesSerializer)
    def get(self, request: Request) -> Response:
        return Response({"results": list(catalogue().values())})


class EventTypeView(APIView):
    """A type of events, such as stock.posted."""

    permission_classes = (SignedIn,)

    @extend_schema(
        operation_id="event_types_retrieve", responses=EventTypeSerializer,
        parameters=[OpenApiParameter("id", str, OpenApiParameter.PATH, description="Its name.")],
    )
    def get(self, request: Request, id: str) -> Response:
        found: dict[str, Any] | None = catalogue().get(id)
        if found is None:
            raise NotFound("There is no event type of this name.")
        return Response(found)

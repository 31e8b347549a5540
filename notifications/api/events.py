from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from core.api import ReadViewSet
from core.choosing import filter_conditions
from core.conditions import conditional, tag_of
from core.following import CONTENT_TYPE, Following
from core.json import dumps
from core.listing import joined, whole_number
from core.paging import DEFAULT_PAGE, LARGEST_PAGE
from core.problems import BadParameter
from core.reading import BASE, fetch
from core.rendering import CSVRenderer, JSONRenderer
from core.serializers import TenantSerializer
from notifications.models import OutboxEvent
from notifications.queries.feed import feed_last

DIGITS = 18  # of a position
WINDOW = 20_000  # positions that a filtered page looks at

type Placed = list[tuple[int, Any]]  # with their positions
type Renderers = list[Any]


class EventSerializer(TenantSerializer):
    """The envelope that patterns and webhooks see, with its place in the feed."""

    organization = serializers.UUIDField(source="organization_id", read_only=True)

    class Meta:
        model = OutboxEvent
        fields = [
            "id", "position", "type", "bus", "schema_version", "aggregate_type", "aggregate_id", "occurred_at",
            "correlation_id", "traceparent", "organization", "payload", "relayed_at",
        ]


class EventStreamRenderer(JSONRenderer):
    """Chosen by `Accept: text/event-stream`; the stream is written by core.following, and this is left with the problems."""

    media_type = CONTENT_TYPE
    format = "stream"


class EventViewSet(ReadViewSet):
    """All events, the newest first; with `after` the feed: what has been relayed, in order of position, without a gap.

    With `Accept: text/event-stream` the feed as it grows, as server-sent events; without `after` from now on.
    """

    serializer_class = EventSerializer
    filters = ["type", "aggregate_id"]
    ordering = ["-id"]
    own_parameters = {"after": (
        {"type": "integer", "minimum": 0, "maximum": 10**DIGITS - 1},
        "The feed, from after this position on; with `next_after` to keep for the next time, and `last`. 0 at first.",
    )}  # fmt: skip

    def get_renderers(self) -> Renderers:
        return [*super().get_renderers(), *([EventStreamRenderer()] if self.action == "list" else [])]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        known = ["after", "limit", "fields", *self.filter_parameters()]
        if request.accepted_renderer.format == EventStreamRenderer.format and request.method == "GET":
            return self._stream(self._query(known))
        if "after" not in request.query_params:
            return super().list(request, *args, **kwargs)
        if request.accepted_renderer.format == CSVRenderer.format:
            raise BadParameter("after", "after: the feed is given as JSON.")
        return self._feed(self._query(known))

    def _feed(self, query: Mapping[str, str]) -> HttpResponseBase:
        results, following, last = self._page(query, _position(query["after"]))
        body = {
            "next": self._following(following) if following < last else None, "previous": None,
            "results": [row for _, row in results], "next_after": following, "last": last,
        }
        content = dumps(body)
        return conditional(self.request, content, f"W/{tag_of(content)}")

    def _page(self, query: Mapping[str, str], after: int) -> tuple[Placed, int, int]:
        """Events, the position up to which this has looked, and the last one of the feed."""
        size = whole_number("limit", query.get("limit", str(DEFAULT_PAGE)), LARGEST_PAGE)
        last = feed_last()  # looked at first: all that it counts can be seen by the next statement
        filters = filter_conditions(self.filter_parameters(), query)
        end = min(last, after + WINDOW) if filters else last
        reach = (f"{BASE}.position > %s AND {BASE}.position <= %s", [after, end])
        where, values = joined([*self.row_conditions(), *filters, reach])
        plan = self._plan(query)
        position = f"{BASE}.position"
        found = fetch(plan.page(where, position, size, [position]), values)
        positions = [row[len(plan.names)] for row in found]
        following = positions[-1] if len(found) == size else max(after, end)
        return list(zip(positions, plan.read(found), strict=True)), following, last

    def _stream(self, query: Mapping[str, str]) -> Following:
        asked = self.request.META.get("HTTP_LAST_EVENT_ID", query.get("after", ""))
        place = _position(asked) if asked else feed_last()
        self._page(query, place)  # what cannot be asked for is refused before the answer begins

        def look() -> bytes:
            nonlocal place
            results, following, _ = self._page(query, place)
            before, place = place, following
            told = b"".join(b"id: %d\ndata: %b\n\n" % (position, dumps(row)) for position, row in results)
            # One who comes again goes on behind what was looked through, though nothing of it was asked for.
            passed = b"id: %d\n\n" % following if following > before and not results else b""
            return told or passed

        return Following(look)

    def _following(self, after: int) -> str:
        query = urlencode({**self.request.query_params.dict(), "after": after})
        address: str = self.request.build_absolute_uri(f"{self.request.path}?{query}")
        return address


def _position(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise BadParameter("after", "after: the position up to which you have read, 0 at first.")
    return int(text)


routes = {"events": EventViewSet}

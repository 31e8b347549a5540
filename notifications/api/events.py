from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from core.api import ReadViewSet
from core.choosing import filter_conditions
from core.conditions import conditional, tag_of
from core.json import dumps
from core.listing import joined, whole_number
from core.paging import DEFAULT_PAGE, LARGEST_PAGE
from core.problems import BadParameter
from core.reading import BASE, fetch
from core.rendering import CSVRenderer
from core.serializers import TenantSerializer
from notifications.models import OutboxEvent
from notifications.queries.feed import feed_last

DIGITS = 18  # of a position
WINDOW = 20_000  # positions that a filtered page looks at


class EventSerializer(TenantSerializer):
    """The envelope that patterns and webhooks see, with its place in the feed."""

    organization = serializers.UUIDField(source="organization_id", read_only=True)

    class Meta:
        model = OutboxEvent
        fields = [
            "id", "position", "type", "bus", "schema_version", "aggregate_type", "aggregate_id", "occurred_at",
            "correlation_id", "traceparent", "organization", "payload", "relayed_at",
        ]


class EventViewSet(ReadViewSet):
    """All events, the newest first; with `after` the feed: what has been relayed, in order of position, without a gap."""

    serializer_class = EventSerializer
    filters = ["type", "aggregate_id"]
    ordering = ["-id"]
    own_parameters = {"after": (
        {"type": "integer", "minimum": 0, "maximum": 10**DIGITS - 1},
        "The feed, from after this position on; with `next_after` to keep for the next time, and `last`. 0 at first.",
    )}  # fmt: skip

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "after" not in request.query_params:
            return super().list(request, *args, **kwargs)
        if request.accepted_renderer.format == CSVRenderer.format:
            raise BadParameter("after", "after: the feed is given as JSON.")
        return self._feed(self._query(["after", "limit", "fields", *self.filter_parameters()]))

    def _feed(self, query: Mapping[str, str]) -> HttpResponseBase:
        after = _position(query["after"])
        size = whole_number("limit", query.get("limit", str(DEFAULT_PAGE)), LARGEST_PAGE)
        last = feed_last()  # looked at first: all that it counts can be seen by the next statement
        filters = filter_conditions(self.filter_parameters(), query)
        end = min(last, after + WINDOW) if filters else last
        reach = (f"{BASE}.position > %s AND {BASE}.position <= %s", [after, end])
        where, values = joined([*self.row_conditions(), *filters, reach])
        plan = self._plan(query)
        position = f"{BASE}.position"
        found = fetch(plan.page(where, position, size, [position]), values)
        following = found[-1][len(plan.names)] if len(found) == size else max(after, end)
        body = {
            "next": self._following(following) if following < last else None, "previous": None, "results": plan.read(found),
            "next_after": following, "last": last,
        }
        content = dumps(body)
        return conditional(self.request, content, f"W/{tag_of(content)}")

    def _following(self, after: int) -> str:
        query = urlencode({**self.request.query_params.dict(), "after": after})
        address: str = self.request.build_absolute_uri(f"{self.request.path}?{query}")
        return address


def _position(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise BadParameter("after", "after: the position up to which you have read, 0 at first.")
    return int(text)


routes = {"events": EventViewSet}

"""The OpenAPI description of what the base classes do, so that no resource repeats it."""

from typing import Any

from django.db import models
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny
from rest_framework.serializers import DecimalField, ModelSerializer, TimeField

from core.expanding import DEEPEST, expandable
from core.paging import DEFAULT_PAGE, LARGEST_PAGE
from core.schema_rules import bulk_operation, complete, header_parameters

TYPES: dict[type[models.Field], dict[str, Any]] = {
    models.UUIDField: {"type": "string", "format": "uuid"},
    models.BooleanField: {"type": "boolean"},
    models.IntegerField: {"type": "integer"},
    models.DecimalField: {"type": "string", "format": "decimal"},
    models.DateTimeField: {"type": "string", "format": "date-time"},
    models.DateField: {"type": "string", "format": "date"},
}
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"


class Pages:
    """What a list answers, in the interface of DRF's paginators."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        count = {"type": "integer", "description": "Only when the request asks for it by `count`."}
        return {
            "type": "object", "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema, "count": count},
        }  # fmt: skip

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []  # known to get_override_parameters


class Schema(AutoSchema):
    view: Any

    @property
    def _columns(self) -> list[str] | None:
        """The readable fields of a resource; None for any other view. By its methods: core.api imports this module."""
        return list(self.view.serializer_class().fields) if hasattr(self.view, "known_parameters") else None

    def get_override_parameters(self) -> list[Any]:
        if self._columns is None:
            return []
        of_a_row = self.view.row_parameters()
        names = {"list": self.view.known_parameters(), "retrieve": of_a_row, "retrieve_by_ref": of_a_row}
        parameters = [self._parameter(name) for name in names.get(self.view.action, ())]
        return [*parameters, *header_parameters(self.method, self.view.action, self.path)]

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None and self._columns is not None:
            complete(operation, self.method, self.view.action, self.path)
        return operation

    def get_request_serializer(self) -> Any:
        if self._is_bulk:
            return self._bulk()[0]
        action = getattr(self.view, getattr(self.view, "action", None) or "", None)
        if hasattr(action, "mapping"):  # an action of the resource's own, which says its body itself
            return self.view.body_class
        return super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        return self._bulk()[1] if self._is_bulk else super().get_response_serializers()

    @property
    def _is_bulk(self) -> bool:
        return getattr(self.view, "action", "") == "bulk"

    def _bulk(self) -> tuple[dict[str, Any], dict[str, Any]]:
        component = self.resolve_serializer(self.view.get_serializer(), "request")
        return bulk_operation(self.view, component.name)

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """A reference is an id or, by ?expand, the row itself. An amount is shown as text, and taken as a number as well."""
        base: Any = super()
        schema = base._map_serializer_field(field, direction, bypass_extensions)
        if direction == "request" and isinstance(field, DecimalField):
            schema = {**schema, "type": _with_number(schema["type"])}
        if isinstance(field, TimeField):  # JSON Schema wants its "time" to be of a zone
            schema = {name: value for name, value in schema.items() if name != "format"} | {"pattern": CLOCK}
        parent = type(field.parent)
        if direction == "request" or not issubclass(parent, ModelSerializer) or field.field_name not in expandable(parent):
            return schema
        row = self.resolve_serializer(expandable(parent)[field.field_name].serializer_class(), direction)
        return {"anyOf": [schema, row.ref]}

    def get_auth(self) -> list[dict[str, Any]]:
        anonymous = any(isinstance(permission, AllowAny) for permission in self.view.get_permissions())
        return [{}] if anonymous else super().get_auth()

    def _get_paginator(self) -> Pages | None:
        return Pages() if self._columns is not None and self.view.action == "list" else None

    def _parameter(self, name: str) -> OpenApiParameter:
        schema, description = self._general(name)
        if name in self.view.filter_parameters():
            schema, description = _filter_schema(*self.view.filter_parameters()[name]), ""
        return OpenApiParameter(name, schema, description=description, style="form", explode=False)

    def _general(self, name: str) -> tuple[dict[str, Any], str]:
        sort_keys = [f"{sign}{key}" for key in [*self.view.sort_fields, "id"] for sign in ("", "-")]
        known: dict[str, tuple[dict[str, Any], str]] = {
            "limit": ({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": DEFAULT_PAGE}, "Rows of a page."),
            "cursor": ({"type": "string"}, "From `next` or `previous` of another page."),
            "sort": (_several({"type": "string", "enum": sort_keys}), "Descending with a minus sign."),
            "search": (
                {"type": "string", "minLength": 1},
                "Words and codes, or their beginnings, all of which a row has; the best first."
                + " A wrong letter is forgiven." * self.view.search_forgives
                if self.view.searcher else "What a name or a code begins with, in any case.",
            ),
            "count": ({"type": "string", "enum": ["exact", "estimate"]}, "Adds `count`; an estimate costs nothing."),
            "fields": (_several({"type": "string", "enum": self._columns}), "Only these fields."),
            "expand": (
                _several({"type": "string"}),
                f"References to show as the row itself: {', '.join(expandable(self.view.serializer_class))};"
                f" further ones after a dot, at most {DEEPEST} deep.",
            ),
            "tag": (_several({"type": "string"}), "Slugs of tags: the rows that have all of them."),
            "saved_filter": ({"type": "string"}, "Id or name of a saved filter; other parameters come before its own."),
            "cf.*": (
                {"type": "string"},
                "A custom field by its key, as in `cf.colour=red`. What it holds decides the lookups, as in `cf.size__gte=10`,"
                " `cf.colour__in=red,blue` and `cf.checked_on__isnull=true`.",
            ),
            "archived": ({"type": "boolean", "default": False}, "The archived rows instead of the others."),
            **self.view.own_parameters,
        }
        return known.get(name, ({"type": "string"}, ""))


def _with_number(kinds: Any) -> list[str]:
    return [*(kinds if isinstance(kinds, list) else [kinds]), "number"]


def _several(items: dict[str, Any]) -> dict[str, Any]:
    """Separated by commas, by explode=False."""
    return {"type": "array", "items": items}


def _filter_schema(field: Any, lookup: str) -> dict[str, Any]:
    if lookup == "isnull":
        return {"type": "boolean"}
    output: Any = field.output_field if isinstance(field, models.GeneratedField) else field
    target = output.target_field if isinstance(output, models.ForeignKey) else output
    value = next((schema for kind, schema in TYPES.items() if isinstance(target, kind)), {"type": "string"})
    if output.choices:
        value = {"type": "string", "enum": [choice for choice, _ in output.flatchoices]}
    return _several(value) if lookup == "in" else value

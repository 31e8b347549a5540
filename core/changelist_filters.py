"""Filters of changelists that no column of the model stands for."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.admin import SimpleListFilter
from django.db import models
from django.http import HttpRequest

from core.custom_values import Definition
from core.objects import object_type

MOST_TAGS = 50


class TagFilter(SimpleListFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tags: Any = apps.get_model("accounts", "Tag")
        return [(tag.slug, tag.name) for tag in tags.objects.order_by("slug")[:MOST_TAGS]]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if not self.value():
            return queryset
        items: Any = apps.get_model("accounts", "TaggedItem")
        tagged = items.objects.filter(tag__slug=self.value(), object_type=object_type(queryset.model))
        return queryset.filter(pk__in=tagged.values("object_id"))


class CustomFieldFilter(SimpleListFilter):
    """Of a choice or of yes and no. Made for each request, because organizations define different fields."""

    def __init__(self, definition: Definition, *args: Any) -> None:
        self.definition = definition
        self.title, self.parameter_name = definition.label.lower(), f"cf.{definition.key}"
        super().__init__(*args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        if self.definition.type == "boolean":
            yield from (("true", "Yes"), ("false", "No"))
        yield from ((choice, choice) for choice in self.definition.choices)

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() is None:
            return queryset
        wanted: Any = self.value() == "true" if self.definition.type == "boolean" else self.value()
        held = [wanted] if self.definition.type == "multi-choice" else wanted
        return queryset.filter(custom_fields__contains={self.definition.key: held})

"""How pages of documents name the kit that goods are a component of."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class OfKit:
    """For an inline whose rows have an `order_item`: `kit` as a field."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # the inline's
        return rows.select_related("order_item__kit")

    @admin.display(description="Part of")
    def kit(self, row: Any) -> str:
        return str(row.order_item.kit or "")

"""Permissions that count in some warehouses alone, in the API."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from rest_framework.viewsets import GenericViewSet

from core.limits import Holder, Warehouses, paths, reach, refuse_outside
from core.permitting import permission_of
from core.reading import BASE


def condition(model: type[models.Model], warehouses: Warehouses) -> list[tuple[str, list[Any]]]:
    """As `within`, for the compiled read path."""
    if warehouses is None or not paths(model):
        return []
    parts = [_condition(model, path) for path in paths(model)]
    return [(f"({' OR '.join(parts)})", [list(warehouses)] * len(parts))]


def _condition(model: type[models.Model], path: str, row: str = BASE, depth: int = 1) -> str:
    first, _, rest = path.partition(".")
    column: Any = model._meta.get_field(first)
    if not rest:
        return f"{row}.{column.column} = ANY (%s)"
    target, place = column.related_model, f"place{depth}"
    return (
        f"EXISTS (SELECT FROM {target._meta.db_table} AS {place} WHERE {place}.organization_id = {row}.organization_id"
        f" AND {place}.id = {row}.{column.column} AND {_condition(target, rest, place, depth + 1)})"
    )


def hanging_condition(holder: Holder, kinds: Mapping[str, type[models.Model]]) -> list[tuple[str, list[Any]]]:
    """As `hanging`, for the compiled read path."""
    everywhere, parts, values = [], [f"{BASE}.object_type = ANY (%s)"], []
    for kind, model in kinds.items():
        if (permission := permission_of(model, "view")) not in holder.permissions:
            continue
        if not (found := condition(model, reach(holder, permission))):
            everywhere.append(kind)
            continue
        [(within, given)] = found
        parts.append(
            f"({BASE}.object_type = %s AND {BASE}.object_id IN (SELECT {BASE}.id FROM {model._meta.db_table} AS {BASE}"
            f" WHERE {BASE}.organization_id = current_setting('app.organization_id')::uuid AND {within}))"
        )
        values += [kind, *given]
    return [(f"({' OR '.join(parts)})", [everywhere, *values])]


class WithinWarehouses(GenericViewSet):
    """For views: which rows a request may see, and which it may change."""

    @classmethod
    def model(cls) -> type[models.Model]:
        raise NotImplementedError

    def needed(self) -> str:
        """The permission that this request needs."""
        raise NotImplementedError

    def may_change_in(self) -> Warehouses:
        return reach(holder(self.request), self.needed())

    def sees_in(self) -> Warehouses:
        if getattr(self, "swagger_fake_view", False):  # the OpenAPI description is made without a request
            return None
        options = self.model()._meta
        return reach(holder(self.request), f"{options.app_label}.view_{options.model_name}", self.needed())

    def refuse_outside(self, *keys: Any) -> None:
        """Raises OutsideWarehouses; also after writing, which the error then undoes."""
        refuse_outside(self.model(), keys, self.may_change_in())


def holder(request: Any) -> Holder:
    found: Holder = request._request.principal
    return found

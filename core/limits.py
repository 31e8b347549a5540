"""Permissions that count in some warehouses alone, and the rows that they reach.

A model whose rows stand in a warehouse says how to get there in `stands_in`; the API's and the admin's base classes do
the rest. core knows a warehouse by its id.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.db import models

from core.errors import Forbidden, Invalid
from core.models import TenantRow

type Warehouses = frozenset[UUID] | None  # None: everywhere


class Holder(Protocol):
    """Who holds permissions; `limits` names the warehouses of those that do not count everywhere."""

    @property
    def permissions(self) -> frozenset[str]: ...
    @property
    def limits(self) -> Mapping[str, frozenset[UUID]]: ...


class OutsideWarehouses(Forbidden):
    code = "outside_warehouses"

    def __init__(self) -> None:
        super().__init__("You may do this in some warehouses only, and this concerns another one.")


def reach(holder: Holder, permission: str, otherwise: str = "") -> Warehouses:
    """Where the permission counts; where `otherwise` does, for those who do not hold it."""
    return holder.limits.get(permission if permission in holder.permissions else otherwise or permission)


def paths(model: type[models.Model]) -> tuple[str, ...]:
    """How to get from a row to its warehouse: several where a row may stand in two, none where it stands in no warehouse."""
    return model.stands_in if issubclass(model, TenantRow) else ()


def within(model: type[models.Model], warehouses: Warehouses) -> models.Q:
    """The rows in one of the warehouses; of a model without any, all."""
    if warehouses is None or not paths(model):
        return models.Q()
    found = models.Q(pk__in=[])
    for path in paths(model):
        found |= models.Q(**{f"{path.replace('.', '__')}__in": list(warehouses)})
    return found


def refuse_outside(model: type[models.Model], keys: Collection[Any], warehouses: Warehouses) -> None:
    """Raises OutsideWarehouses if one of the rows stands elsewhere, or is gone."""
    if warehouses is None or not paths(model):
        return
    if model._default_manager.filter(within(model, warehouses), pk__in=keys).count() != len(set(keys)):
        raise OutsideWarehouses


@cache
def warehouse_model() -> Any:
    """The model that stands in itself."""
    return next(model for model in apps.get_models() if paths(model) == ("id",))


def refuse_unknown_warehouses(keys: Collection[UUID]) -> None:
    """Raises Invalid: an array has no foreign key."""
    known = set(warehouse_model().objects.filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    if unknown := [str(key) for key in keys if key not in known]:
        detail = f"There is no such warehouse in this organization: {', '.join(unknown)}."
        raise Invalid(detail, code="does_not_exist", fields={"warehouse_ids": detail})

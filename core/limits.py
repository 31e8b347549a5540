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
    """Where the permission counts; where `otherwise` does, for those who do not hold it; nowhere for those who hold neither."""
    for one in (permission, otherwise):
        if one in holder.permissions:
            return holder.limits.get(one)
    return frozenset()


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


def refuse_object_outside(holder: Holder, model: type[models.Model], pk: Any, verb: str) -> None:
    """Raises OutsideWarehouses for what hangs on a row, such as a file, where the verb does not reach the row itself."""
    refuse_outside(model, [pk], reach(holder, f"{model._meta.app_label}.{verb}_{model._meta.model_name}"))


def hanging(holder: Holder, kinds: Mapping[str, type[models.Model]]) -> models.Q:
    """What hangs on the rows that the holder may see, of the models that `kinds` names by object_type."""
    everywhere, found = [], models.Q(pk__in=[])
    for kind, model in kinds.items():
        permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
        if permission not in holder.permissions:
            continue
        if (warehouses := reach(holder, permission)) is None or not paths(model):
            everywhere.append(kind)
        else:
            rows = model._default_manager.filter(within(model, warehouses)).order_by()
            found |= models.Q(object_type=kind, object_id__in=rows.values("pk"))
    return found | models.Q(object_type__in=everywhere)


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

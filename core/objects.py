"""References to a row of any kind, as tags, notes and files have them: its type and its id.

A type is written as in permissions: inventory.product. No foreign key can hold such a reference, so whoever writes one
asks here first; rows of another organization are not there.
"""

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from core.errors import Forbidden, Invalid
from core.models import TenantModel

LONGEST_TYPE = 60  # letters


@cache
def object_models() -> dict[str, type[TenantModel]]:
    """What tags, notes and files may hang on."""
    found = [model for model in apps.get_models() if issubclass(model, TenantModel) and model.annotated]
    return {object_type(model): model for model in found}


def object_type(model: type[models.Model] | models.Model) -> str:
    return model._meta.label_lower


def object_permission(model: type[models.Model], verb: str) -> str:
    """Of "view", "add", "change" or "delete"."""
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def object_model(name: str) -> type[TenantModel]:
    """Raises Invalid if nothing may hang on such rows."""
    if (model := object_models().get(name)) is None:
        known = ", ".join(sorted(object_models()))
        raise Invalid(f"{name!r} is no type of object. Known: {known}.", fields={"object_type": f"Known: {known}."})
    return model


def object_of(name: str, object_id: UUID) -> TenantModel:
    """Raises Invalid if there is no such row in the active organization."""
    found: Any = object_model(name).objects.filter(pk=object_id).first()
    if found is None:
        sentence = "There is no such row in this organization."
        raise Invalid(sentence, code="does_not_exist", fields={"object_id": sentence})
    return found  # type: ignore[no-any-return]


def refuse_without(permissions: Collection[str], name: str, verb: str) -> None:
    """Raises Forbidden, or Invalid for an unknown type."""
    if (needed := object_permission(object_model(name), verb)) not in permissions:
        raise Forbidden(f"This needs the permission {needed}, which you do not have here.")


def viewable_types(permissions: Collection[str]) -> list[str]:
    return [name for name, model in object_models().items() if object_permission(model, "view") in permissions]

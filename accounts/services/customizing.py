from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, Value
from django.db.models.expressions import Func

from accounts.models import CustomFieldDefinition, SavedFilter
from core.custom_fields import custom_models, forget_definitions
from core.errors import Conflict, Forbidden, Invalid
from core.tenancy import active_organization_id, active_scope

MOST_DEFINITIONS = 50  # for one model
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('custom fields' || %s, 0))"


def definition_save(*, definition: CustomFieldDefinition) -> CustomFieldDefinition:
    """Adds or changes one. Raises Conflict if values of another shape are there, Invalid if there are too many fields."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [str(active_organization_id())])
    before = CustomFieldDefinition.objects.filter(pk=definition.pk).first()
    if before is None:
        if CustomFieldDefinition.objects.filter(model=definition.model).count() >= MOST_DEFINITIONS:
            raise Invalid(f"A model has at most {MOST_DEFINITIONS} custom fields.")
    else:
        _refuse_other_shape(before, definition)
    definition.save(force_insert=before is None, force_update=before is not None)
    forget_definitions()
    return definition


def _refuse_other_shape(before: CustomFieldDefinition, after: CustomFieldDefinition) -> None:
    if any(getattr(before, name) != getattr(after, name) for name in ("model", "key", "type")) and values_held(before):
        raise Conflict(
            f"{values_held(before)} rows hold a value of {before.key}: clear them before you change its model, key or type.",
            code="in_use",
        )
    for choice in set(before.choices) - set(after.choices):
        if held := _rows_with(before).filter(_holds(before, choice)).count():
            raise Conflict(f"{held} rows hold the choice {choice!r} of {before.key}: change them first.", code="in_use")


def _rows_with(definition: CustomFieldDefinition) -> Any:
    model: Any = custom_models()[definition.model]
    return model.objects.filter(custom_fields__has_key=definition.key)


def _holds(definition: CustomFieldDefinition, choice: str) -> Q:
    value = [choice] if definition.type == "multi-choice" else choice
    return Q(custom_fields__contains={definition.key: value})


def values_held(definition: CustomFieldDefinition) -> int:
    """By archived rows too."""
    return int(_rows_with(definition).count())


def values_clear(*, definition: CustomFieldDefinition) -> int:
    """Takes the value away from every row that has one, in one statement. Answers how many rows that were."""
    removed = Func("custom_fields", Value(definition.key), template="(%(expressions)s)", arg_joiner=" - ")
    return int(_rows_with(definition).order_by().update(custom_fields=removed))


def definition_delete(*, definition: CustomFieldDefinition) -> None:
    """Raises Conflict while rows hold values."""
    if held := values_held(definition):
        raise Conflict(f"{held} rows hold a value of {definition.key}: clear them first.", code="in_use")
    definition.delete()
    forget_definitions()


def filter_owner() -> UUID:
    """Raises Forbidden for a key, which is no person."""
    if (person := active_scope().origin.actor_id) is None:
        raise Forbidden("A saved filter belongs to a person: sign in as one.")
    return person


def refuse_other_owner(row: SavedFilter) -> None:
    """Raises Forbidden unless it is one's own."""
    if row.owner_id != filter_owner():
        raise Forbidden("Only its owner changes a saved filter.")

"""What an organization defined for itself: the fields of its rows, the views of its lists."""

from uuid import UUID

from django.db.models import Q

from accounts.models import CustomFieldDefinition, SavedFilter
from core.custom_values import Definition
from core.errors import Invalid
from core.rows import Columns
from core.tenancy import active_scope

FIELDS = Columns(CustomFieldDefinition, "f")


def definitions(model: str) -> list[Definition]:
    return [row.as_definition() for row in FIELDS.fetch("f.model = %s ORDER BY f.position, f.key", [model])]


def visible_filters(model: str = "") -> Q:
    """Everybody's shared ones, and one's own."""
    mine = Q(visibility=SavedFilter.Visibility.SHARED) | Q(owner_id=active_scope().origin.actor_id)
    return mine & Q(model=model) if model else mine


def saved_filter(model: str, named: str) -> SavedFilter:
    """By its id or its name, of which one's own comes first. Raises Invalid."""
    wanted = Q(pk=named) if _is_id(named) else Q(name=named.replace("\0", ""))
    found = list(SavedFilter.objects.filter(visible_filters(model), wanted).order_by("pk")[:20])
    own = [row for row in found if row.owner_id == active_scope().origin.actor_id]
    match own or found:
        case [row]:
            return row  # type: ignore[no-any-return]
        case []:
            raise Invalid(f"There is no saved filter {named!r} for this list.")
        case _:
            raise Invalid(f"Several people share a saved filter {named!r}: name one by its id.")


def _is_id(named: str) -> bool:
    try:
        return bool(UUID(named))
    except ValueError:
        return False

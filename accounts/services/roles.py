from collections.abc import Collection
from uuid import UUID

from accounts.models import Role
from accounts.permissions import held
from core.errors import Conflict, Forbidden


def refuse_built_in(role: Role) -> Role:
    """Raises Conflict for Admin, Manager and Viewer, which the product defines."""
    if role.is_built_in:
        raise Conflict(f"{role.name} is built in and cannot be changed: make a role of your own.", code="built_in")
    return role


def refuse_beyond(permissions: Collection[str], granter: Collection[str]) -> None:
    """Raises Forbidden: nobody grants what they may not do themselves."""
    if beyond := sorted(set(permissions) - set(granter)):
        raise Forbidden(f"You cannot give what you may not do yourself: {', '.join(beyond)}.")


def refuse_higher_role(role_id: UUID, granter: Collection[str]) -> None:
    """Raises Forbidden if the role holds more than the granter. A role that is not there is left to the foreign key."""
    for role in Role.objects.filter(pk=role_id):
        refuse_beyond(held([role.code], role.permissions), granter)

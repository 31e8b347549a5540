from collections.abc import Collection
from uuid import UUID

from accounts.models import Role, UserRole
from accounts.permissions import held, in_some
from core.errors import Conflict, Forbidden
from core.limits import Holder, refuse_unknown_warehouses


def refuse_built_in(role: Role) -> Role:
    """Raises Conflict for Admin, Manager and Viewer, which the product defines."""
    if role.is_built_in:
        raise Conflict(f"{role.name} is built in and cannot be changed: make a role of your own.", code="built_in")
    return role


def refuse_beyond(permissions: Collection[str], granter: Collection[str]) -> None:
    """Raises Forbidden: nobody grants what they may not do themselves."""
    if beyond := sorted(set(permissions) - set(granter)):
        raise Forbidden(f"You cannot give what you may not do yourself: {', '.join(beyond)}.")


def everywhere(holder: Holder) -> frozenset[str]:
    """The permissions that count in every warehouse: roles and keys are made of these, because they know no warehouse."""
    return holder.permissions - holder.limits.keys()


def refuse_higher_role(role_id: UUID, granter: Collection[str]) -> None:
    """Raises Forbidden if the role holds more than the granter does everywhere. As below, for a role without limits."""
    for role in Role.objects.filter(pk=role_id):
        refuse_beyond(held([role.code], role.permissions), granter)


def refuse_wider_role(role_id: UUID, warehouse_ids: Collection[UUID], granter: Holder) -> None:
    """Raises Forbidden if the role, there, holds more than the granter does, and Invalid for a warehouse that is none.

    A role that is not there is left to the foreign key.
    """
    for role in Role.objects.filter(pk=role_id):
        given = held([role.code], role.permissions)
        given = in_some(given) if warehouse_ids else given
        refuse_beyond(given, granter.permissions)
        limited = given & granter.limits.keys()
        if wider := sorted(code for code in limited if not _is_narrower(warehouse_ids, granter.limits[code])):
            raise Forbidden(f"You cannot give what you may do in some warehouses for others: {', '.join(wider)}.")
    refuse_unknown_warehouses(warehouse_ids)


def _is_narrower(warehouse_ids: Collection[UUID], limit: frozenset[UUID]) -> bool:
    return bool(warehouse_ids) and limit.issuperset(warehouse_ids)


def refuse_used(role: Role) -> None:
    """Raises Conflict, which says how many members would lose it."""
    if members := UserRole.objects.filter(role=role).count():
        who = "1 member has" if members == 1 else f"{members} members have"
        raise Conflict(f"{who} the role {role.name}: take it from them first.", code="in_use")

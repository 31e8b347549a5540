import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import ApiKey, Role
from accounts.permissions import held
from accounts.queries.identity import key_hash
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


def api_key_create(
    *, name: str, granter: Collection[str], scopes: Collection[str] = (),
    allowed_networks: Collection[str] = (), expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is kept nowhere."""
    refuse_beyond(scopes, granter)
    prefix = "qm_" + secrets.token_hex(5)
    key = f"{prefix}.{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        name=name, prefix=prefix, key_hash=key_hash(key), scopes=list(scopes),
        allowed_networks=list(allowed_networks), expires_at=expires_at,
    )
    return row, key


def api_key_used(*, api_key_id: UUID) -> None:
    ApiKey.objects.filter(pk=api_key_id).update(last_used_at=timezone.now())


def api_key_revoke(*, api_key: ApiKey) -> None:
    if api_key.revoked_at is None:
        api_key.revoked_at = timezone.now()
        api_key.save(update_fields=["revoked_at"])

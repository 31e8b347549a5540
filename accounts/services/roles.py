import secrets
from collections.abc import Collection
from datetime import datetime
from ipaddress import ip_network

from django.utils import timezone

from accounts.models import ApiKey, Role
from accounts.queries.identity import key_hash
from core.errors import Conflict, Forbidden, Invalid


def refuse_built_in(role: Role) -> Role:
    """Raises Conflict for Admin, Manager and Viewer, which the product defines."""
    if role.is_built_in:
        raise Conflict(f"{role.name} is built in and cannot be changed: make a role of your own.", code="built_in")
    return role


def api_key_create(
    *, name: str, scopes: Collection[str], granter: Collection[str],
    allowed_networks: Collection[str] = (), expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is kept nowhere. Nobody grants what they may not do themselves."""
    if beyond := sorted(set(scopes) - set(granter)):
        raise Forbidden(f"You cannot give a key what you may not do yourself: {', '.join(beyond)}.")
    for network in allowed_networks:
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            raise Invalid(f"{network!r} is no network; write it like 192.0.2.0/24.", fields={"allowed_networks": "invalid"}) from error
    prefix = "qm_" + secrets.token_hex(5)
    key = f"{prefix}.{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        name=name, prefix=prefix, key_hash=key_hash(key), scopes=list(scopes),
        allowed_networks=list(allowed_networks), expires_at=expires_at,
    )
    return row, key


def api_key_revoke(*, api_key: ApiKey) -> None:
    if api_key.revoked_at is None:
        api_key.revoked_at = timezone.now()
        api_key.save(update_fields=["revoked_at"])

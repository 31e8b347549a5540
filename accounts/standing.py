"""What somebody may do who asked for work that is done later."""

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey
from accounts.principal import Claim, MemberEntry, Principal
from core.errors import Forbidden
from core.tenancy import active_scope


def standing() -> Principal:
    """Of the member or the key in whose name the scope is open, as it is now. Raises Forbidden for who is not there any more."""
    scope = active_scope()
    origin, organization = scope.origin, scope.organization_id
    if origin.api_key_id:
        live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        if key := ApiKey.objects.filter(live, pk=origin.api_key_id).first():
            return Principal(AnonymousUser(), organization, "", "", (), frozenset(key.scopes), api_key_id=key.pk)
    elif origin.actor_id:
        with connection.cursor() as cursor:
            found = MemberEntry(Claim(origin.actor_id, organization))(cursor, str(organization), origin.as_json())
        if found:
            return found
    raise Forbidden("Whoever asked for this is not active here any more.", code="not_active")

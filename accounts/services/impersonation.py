"""Platform staff act for a member: for a reason, for a while, and seen by everybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Impersonation, Membership, User
from core.errors import Forbidden, Invalid
from core.tenancy import Origin, organization_scope

SHORTEST_REASON = 10


@dataclass(frozen=True, slots=True)
class Impersonating:
    id: UUID
    organization_id: UUID
    member_id: UUID
    until: datetime


class Found(NamedTuple):
    organization_id: UUID
    membership_id: UUID
    user_id: UUID
    is_staff: bool
    is_superuser: bool
    require_mfa: bool


def impersonation_start(
    *, impersonator: User, proved: bool, email: str, organization: str, reason: str, origin: Origin,
) -> Impersonating:
    """Opens a scope of its own. `proved`: by a second factor. Raises Forbidden and Invalid."""
    if not (impersonator.is_superuser and impersonator.is_active):
        raise Forbidden("Only platform staff act for members.")
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid("Give a reason.", fields={"reason": f"Give a reason of {SHORTEST_REASON} characters or more."})
    found = _find(organization.strip(), email.strip().lower())
    _refuse(found, proved=proved)
    until = timezone.now() + timedelta(seconds=settings.IMPERSONATION_SECONDS)
    signed = Origin(
        actor_id=found.user_id, impersonator_id=impersonator.pk, reason=reason, request_id=origin.request_id,
        traceparent=origin.traceparent, ip=origin.ip,
    )
    with organization_scope(found.organization_id, origin=signed):
        row = Impersonation.objects.create(
            impersonator_id=impersonator.pk, membership_id=found.membership_id, reason=reason, expires_at=until,
        )
        _tell(row, f"{impersonator} began to act for you, until {until:%Y-%m-%d %H:%M} UTC, because: {reason}")
    return Impersonating(row.pk, found.organization_id, found.user_id, until)


def impersonation_end(*, impersonation_id: UUID) -> None:
    """Once; inside the organization's scope."""
    with transaction.atomic():
        for row in Impersonation.objects.select_for_update().filter(pk=impersonation_id, ended_at=None):
            row.ended_at = min(timezone.now(), row.expires_at)
            row.save(update_fields=["ended_at"])
            _tell(row, "Platform staff act for you no longer.")


def _find(organization: str, email: str) -> Found:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_find_member(%s, %s)", [organization, email])
        row = cursor.fetchone()
    if row is None:
        raise Invalid("There is no such member.", fields={"email": "This is no active member of that organization."})
    return Found(*row)


def _refuse(found: Found, *, proved: bool) -> None:
    if found.is_superuser:
        raise Forbidden("Nobody acts for platform staff.")
    if not found.is_staff:
        raise Invalid("Nothing to see.", fields={"email": "This member does not use the admin."})
    if not proved and (settings.PLATFORM_STAFF_NEEDS_SECOND_FACTOR or found.require_mfa):
        raise Forbidden("Sign in with your second factor first: it is required to act for this member.")


def _tell(row: Impersonation, sentence: str) -> None:
    email = Membership.objects.values_list("user__email", flat=True).get(pk=row.membership_id)
    body = f"{sentence}\n\nWhat is done meanwhile is recorded with both names in the history of each row.\n"
    transaction.on_commit(partial(send_mail, "Platform staff and your account", body, None, [email]), robust=True)

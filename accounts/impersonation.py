"""Which member platform staff act for, as the admin's session says."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.utils import timezone

from accounts.principal import Acting, Claim
from accounts.services.impersonation import Impersonating, impersonation_end
from core.tenancy import Origin, organization_scope

IMPERSONATION = "impersonation"  # in the admin's session


def remember(request: Any, started: Impersonating) -> None:
    request.session[IMPERSONATION] = {
        "id": str(started.id), "organization": str(started.organization_id), "member": str(started.member_id),
        "until": started.until.isoformat(),
    }


def claim_of(request: Any, origin: Origin) -> Claim | None:
    """None if nobody acts for anybody, or no longer: then the member's organization learns that it ended."""
    if (kept := request.session.get(IMPERSONATION)) is None:
        return None
    until = datetime.fromisoformat(kept["until"])
    if timezone.now() >= until or not request.user.is_superuser:
        leave(request, origin)
        messages.info(request, "The time to act for the member is over.")
        return None
    acting = Acting(UUID(kept["id"]), request.user.pk, request.user.name or request.user.email, until)
    return Claim(UUID(kept["member"]), UUID(kept["organization"]), by_cookie=True, proved=True, impersonation=acting)


def leave(request: Any, origin: Origin) -> None:
    """Outside any scope, or in the organization's own."""
    if (kept := request.session.pop(IMPERSONATION, None)) is None:
        return
    signed = Origin(
        actor_id=UUID(kept["member"]), impersonator_id=_staff(request), request_id=origin.request_id,
        traceparent=origin.traceparent, ip=origin.ip,
    )
    with organization_scope(UUID(kept["organization"]), origin=signed):
        impersonation_end(impersonation_id=UUID(kept["id"]))


def _staff(request: Any) -> UUID:
    principal = getattr(request, "principal", None)
    staff: UUID = principal.acting.impersonator_id if principal and principal.acting else request.user.pk
    return staff

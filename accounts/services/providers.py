"""Members whom an identity provider vouches for."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import ExternalIdentity, IdentityProvider, Membership, Role, User, UserRole
from accounts.permissions import held
from accounts.services.roles import refuse_beyond
from core.errors import Invalid, NotAuthenticated, NotFound
from core.tenancy import Origin, organization_scope

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the provider says of a subject; the e-mail address only if it has checked it."""

    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    issued_at: datetime


def refuse_group_roles(group_roles: Mapping[str, str], granter: Collection[str]) -> None:
    """Raises Invalid for a role that is not there, Forbidden for one that holds more than the granter."""
    roles = {role.code: role for role in Role.objects.filter(code__in=set(group_roles.values()))}
    if missing := sorted(set(group_roles.values()) - roles.keys()):
        detail = f"There is no role {', '.join(missing)} in this organization."
        raise Invalid(detail, fields={"group_roles": detail})
    for role in roles.values():
        refuse_beyond(held([role.code], role.permissions), granter)


def identity_provider_approve(*, organization_id: UUID, issuer: str, withdraw: bool = False) -> list[IdentityProvider]:
    """For operators. Raises NotFound; Invalid if another organization has the same issuer and audience."""
    with organization_scope(organization_id, origin=Origin(reason="Approved by an operator")):
        found = list(IdentityProvider.objects.filter(issuer=issuer))
        if not found:
            known = ", ".join(sorted({provider.issuer for provider in IdentityProvider.objects.all()})) or "none"
            raise NotFound(f"This organization has no provider with the issuer {issuer!r}; it has: {known}.")
        try:
            for provider in found:
                provider.approved_for = "" if withdraw else provider.wants_approval_for
                provider.save(update_fields=["approved_for"])
        except IntegrityError as error:
            raise Invalid("Another organization signs its members in by this issuer and audience.") from error
    return found


def external_member_enter(
    *, organization_id: UUID, provider_id: UUID, newcomer: Newcomer, creates_members: bool,
    group_roles: Mapping[str, str], origin: Origin,
) -> UUID:
    """The user whom the subject is from now on. Raises NotAuthenticated if nobody becomes a member that way."""
    with organization_scope(organization_id, origin=origin):
        _wait_for_twin(f"{provider_id} {newcomer.subject}")
        known = ExternalIdentity.objects.filter(provider=provider_id, subject=newcomer.subject).select_related("membership")
        identity = known.first() or _linked(provider_id, newcomer, creates_members)
        _follow(identity, newcomer, group_roles)
        user_id: UUID = identity.membership.user_id
        return user_id


def _wait_for_twin(name: str) -> None:
    """A page that has just signed in asks for several things at once: the first of them makes the member."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _linked(provider_id: UUID, newcomer: Newcomer, creates_members: bool) -> ExternalIdentity:
    membership = _member_by_email(newcomer.email)
    if membership is None:
        if not creates_members:
            raise NotAuthenticated("You are not a member of this organization: ask its Admin to invite you.", code="no_member")
        membership = Membership.objects.create(user=_new_user(newcomer), joined_at=timezone.now())
    values = {"provider_id": provider_id, "subject": newcomer.subject, "membership": membership}
    try:
        with transaction.atomic():
            made: ExternalIdentity = ExternalIdentity.objects.create(**values)
    except IntegrityError as error:  # to the provider, this member is somebody else already
        raise NotAuthenticated("This sign-in belongs to another member: ask an Admin.", code="identity_taken") from error
    return made


def _member_by_email(email: str) -> Membership | None:
    """Members of this organization alone: no provider speaks for people of others."""
    if not email:
        return None
    found: Membership | None = Membership.objects.filter(user__email=email.strip().lower()).select_related("user").first()
    return found


def _new_user(newcomer: Newcomer) -> User:
    """Without a password. Where the address is not known or belongs to somebody else, one that nobody can have."""
    nobodys = f"{newcomer.subject[:40].lower()}.{timezone.now():%Y%m%d%H%M%S%f}@external.invalid"
    email = newcomer.email.strip().lower()
    free = email and not User.objects.filter(email=email).exists()
    verified_at = timezone.now() if free else None
    name = newcomer.name or newcomer.email.partition("@")[0] or newcomer.subject
    return User.objects.create_user(email if free else nobodys, None, name=name[:150], email_verified_at=verified_at)


def _follow(identity: ExternalIdentity, newcomer: Newcomer, group_roles: Mapping[str, str]) -> None:
    """Give and take the roles that groups stand for. An older token than the last one changes nothing."""
    if identity.groups_at and newcomer.issued_at < identity.groups_at:
        return
    wanted = {group_roles[group] for group in newcomer.groups if group in group_roles}
    try:
        with transaction.atomic():
            _set_roles(identity.membership, wanted, managed=set(group_roles.values()))
    except IntegrityError:
        logger.warning("The groups of %s are not followed: its roles cannot be changed so.", identity.pk)
    identity.groups, identity.groups_at = list(newcomer.groups), newcomer.issued_at
    identity.save(update_fields=["groups", "groups_at"])


def _set_roles(membership: Membership, wanted: set[str], *, managed: set[str]) -> None:
    given = UserRole.objects.filter(membership=membership, role__code__in=managed).select_related("role")
    for row in given:
        if row.role.code not in wanted:
            row.delete()
    missing: Any = wanted - {row.role.code for row in given}
    for role in Role.objects.filter(code__in=missing):
        UserRole.objects.create(membership=membership, role=role)

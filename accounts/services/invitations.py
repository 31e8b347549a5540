"""Asking people to join the active organization, and joining it."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Invitation, Membership, Organization, Role, User
from accounts.queries.identity import key_hash
from accounts.services.addresses import address_check, email_mark_verified
from accounts.services.attempts import refuse_locked, request_of
from accounts.services.mail import link, mail_send
from accounts.services.passwords import password_check
from accounts.services.roles import refuse_higher_role
from accounts.services.tenancy import membership_add
from core.errors import Conflict, Invalid
from core.tenancy import Origin, active_organization_id, organization_scope

OPEN = {"accepted_at": None, "revoked_at": None}


class Invited(NamedTuple):
    id: UUID
    organization_id: UUID
    organization: str
    email: str


@transaction.atomic
def invitation_create(*, email: str, roles: Sequence[str], granter: Collection[str], inviter: str = "") -> Invitation:
    """Mails the link. Raises Invalid, Forbidden for a role that holds more than the granter, Conflict for a member."""
    email = address_check(email)
    _check_roles(roles, granter)
    if Membership.objects.filter(user__email=email).exists():
        raise Conflict(f"{email} is a member already: change the roles there.", code="already_member")
    Invitation.objects.filter(email=email, expires_at__lte=timezone.now(), **OPEN).update(revoked_at=timezone.now())
    token, values = _new_token()
    invitation: Invitation = Invitation.objects.create(email=email, roles=list(roles), **values)
    _mail(invitation, token, inviter)
    return invitation


@transaction.atomic
def invitation_resend(*, invitation: Invitation, granter: Collection[str], inviter: str = "") -> None:
    """A new link, and the days begin again; the old link is void. Raises Conflict if it is not open."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    _refuse_closed(invitation)
    _check_roles(invitation.roles, granter)
    token, values = _new_token()
    for name, value in values.items():
        setattr(invitation, name, value)
    invitation.save(update_fields=list(values))
    _mail(invitation, token, inviter)


@transaction.atomic
def invitation_revoke(*, invitation: Invitation) -> None:
    """Raises Conflict once it was accepted."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at:
        raise Conflict("This invitation was accepted: suspend the membership instead.", code="invitation_used")
    if invitation.revoked_at is None:
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])


def invitation_find(*, token: str) -> Invited:
    """By its mailed token, before any scope is open. Raises Invalid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, organization_id, organization_name, email FROM accounts_find_invitation(%s)", [key_hash(token)],
        )
        row = cursor.fetchone()
    if row is None:
        raise Invalid("This link is not whole, or a newer one has taken its place.", code="invitation_unknown")
    return Invited(*row)


@transaction.atomic
def invitation_accept(
    *, token: str, origin: Origin, user_id: UUID | None = None, name: str = "", password: str = "",
) -> tuple[Invited, User]:
    """Makes the invited person a member, once however often it is asked for; the address counts as verified.

    `user_id` is who is signed in. Without one, the password of the account with this address, or name and password for
    a new one. Outside any scope. Raises Invalid, Conflict.
    """
    found = invitation_find(token=token)
    known = User.objects.filter(email=found.email).first()
    user = known or User(email=found.email, is_staff=True)
    with organization_scope(found.organization_id, origin=replace(origin, actor_id=user.pk)):
        invitation = Invitation.objects.select_for_update().get(pk=found.id)
        _refuse_closed(invitation)
        _refuse_expired(invitation)
        if user_id is not None:
            _refuse_other(user, user_id)
        elif known and known.email_verified_at:
            _ask_password(known, password, origin)
        else:
            _write(user, name, password)
        if Membership.objects.filter(user=user).exists():
            raise Conflict("You are a member already.", code="already_member")
        membership_add(user=user, roles=invitation.roles)
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])
    email_mark_verified(user=user)
    return found, user


def _refuse_closed(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise Conflict("This invitation was accepted already: sign in.", code="invitation_used")
    if invitation.revoked_at:
        raise Conflict("This invitation was withdrawn: ask for a new one.", code="invitation_revoked")


def _refuse_expired(invitation: Invitation) -> None:
    if invitation.expires_at <= timezone.now():
        raise Conflict("This invitation has expired: ask for a new one.", code="invitation_expired")


def _refuse_other(invited: User, user_id: UUID) -> None:
    if invited.pk != user_id:
        raise Conflict(f"This invitation is for {invited.email}: sign in with that address.", code="other_address")


def _ask_password(user: User, password: str, origin: Origin) -> None:
    """Raises Invalid, and LockedOut: guesses are counted here as where one signs in."""
    if authenticate(request_of(origin), username=user.email, password=password) is None:
        refuse_locked(account=user.email, origin=origin)
        text = "There is an account with this address: give its password, or accept while you are signed in."
        raise Invalid(text, code="wrong_password", fields={"password": text})


def _write(user: User, name: str, password: str) -> None:
    """A new person, or one who signed up and never verified: whoever has the mailed link has the better right."""
    user.name = " ".join(name.split())
    if not 0 < len(user.name) <= 150:
        raise Invalid("Give a name of 1 to 150 characters.", fields={"name": "Give a name of 1 to 150 characters."})
    password_check(password=password, user=user)
    user.set_password(password)
    user.save()


def _check_roles(codes: Sequence[str], granter: Collection[str]) -> None:
    found = {role.code: role for role in Role.objects.filter(code__in=codes)}
    if not codes or set(codes) - set(found):
        known = ", ".join(Role.objects.order_by("code").values_list("code", flat=True))
        text = f"Give at least one role of: {known}."
        raise Invalid(text, fields={"roles": text})
    for role in found.values():
        refuse_higher_role(role.pk, granter)


def _new_token() -> tuple[str, dict[str, object]]:
    token = secrets.token_urlsafe(32)
    return token, {"token_hash": key_hash(token), "expires_at": timezone.now() + timedelta(days=settings.INVITATION_DAYS)}


def _mail(invitation: Invitation, token: str, inviter: str) -> None:
    names = dict(Role.objects.filter(code__in=invitation.roles).values_list("code", "name"))
    mail_send(
        to=invitation.email, template="invitation", link=link("accept-invitation", token), inviter=inviter,
        organization=Organization.objects.get(pk=active_organization_id()).name,
        roles=", ".join(names.get(code, code) for code in invitation.roles), expires_at=invitation.expires_at,
    )

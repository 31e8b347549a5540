"""The people of an organization. A person may belong to several: what one may do with another's record depends on it."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership, Role, User, UserRole
from accounts.permissions import held
from accounts.services.addresses import verification_send
from accounts.services.roles import everywhere, refuse_beyond, refuse_higher_role
from accounts.services.tenancy import membership_add
from core.errors import Conflict, Invalid, NotFound
from core.limits import Holder

ACTIVE, SUSPENDED = Membership.Status.ACTIVE, Membership.Status.SUSPENDED


class Elsewhere(NamedTuple):
    """Whether other organizations know the person, and whether one of them has them now; never which."""

    known: bool
    current: bool


def elsewhere(user_id: UUID) -> Elsewhere:
    with connection.cursor() as cursor:
        cursor.execute("SELECT known, current FROM accounts_elsewhere(%s)", [user_id])
        return Elsewhere(*cursor.fetchone())


@transaction.atomic
def person_add(*, email: str, granter: Holder, roles: Collection[str] = (), **values: Any) -> User:
    """A new person, an active member with these roles (by code); without a password, which they choose by a reset.

    Somebody who signs in here already belongs to themselves: raises Conflict, and shows nothing of them.
    """
    email = email.strip().lower()
    if known := User.objects.filter(email=email).first():
        raise _known(known)
    for role_id in Role.objects.filter(code__in=roles).values_list("pk", flat=True):
        refuse_higher_role(role_id, everywhere(granter))
    user = User.objects.create_user(email, None, is_staff=bool(roles), **values)
    membership_add(user=user, roles=list(roles))
    return user


def _known(user: User) -> Exception:
    membership = Membership.objects.filter(user=user).first()
    if membership is None:
        return Conflict("Somebody signs in with this address already: invite them, and they decide.", code="known_elsewhere")
    if membership.status == SUSPENDED:
        return Conflict("This person was a member here: restore them.", code="left")
    detail = "Another member has this address already."
    return Invalid(detail, code="unique", fields={"email": detail})


@transaction.atomic
def person_change(*, user: User, **values: Any) -> User:
    """Change the record of somebody who belongs to the active organization alone.

    Raises Conflict for anybody else, and Invalid for another address, which its owner must prove.
    """
    if values.pop("email", user.email).strip().lower() != user.email:
        detail = "An address is changed by its owner, who proves it."
        raise Invalid(detail, code="address_of_another", fields={"email": detail})
    refuse_shared(user)
    return profile_change(user=user, **values)


def profile_change(*, user: User, **values: Any) -> User:
    for name, value in values.items():
        setattr(user, name, value)
    if values:
        user.save(update_fields=list(values))
    return user


def refuse_shared(user: User) -> None:
    """Raises Conflict for somebody whom other organizations know, or who looks after the platform."""
    if user.is_superuser or elsewhere(user.pk).known:
        detail = "This person does not belong to this organization alone: they change their record themselves."
        raise Conflict(detail, code="not_alone")


@transaction.atomic
def address_correct(*, user: User, email: str, granter: Holder) -> User:
    """Another address for somebody who belongs here alone and may do no more than the granter, who answers for it.

    With the address comes the account: a reset of the password goes there. Whoever reads there proves it by a mailed link.
    """
    refuse_shared(user)
    for given in UserRole.objects.filter(membership__user=user).select_related("role"):
        refuse_beyond(held([given.role.code], given.role.permissions), everywhere(granter))
    email = email.strip().lower()
    if email == user.email:
        return user
    if known := User.objects.filter(email=email).first():
        raise _known(known)
    EmailAddress.objects.filter(user=user).delete()  # with the links that were mailed there
    profile_change(user=user, email=email, email_verified_at=None)
    verification_send(user=user)
    return user


@transaction.atomic
def person_leave(*, user: User) -> None:
    """They stay known to the organization's records; a person without any organization is archived.

    Raises IntegrityError (last_admin) for the last Admin.
    """
    Membership.objects.filter(user=user).update(status=SUSPENDED, is_default=False)
    if not elsewhere(user.pk).current:
        profile_change(user=user, archived_at=timezone.now())


@transaction.atomic
def person_restore(*, user_id: UUID) -> User:
    """Raises NotFound for somebody who never was a member."""
    known = Membership.objects.select_related("user").exclude(status=Membership.Status.INVITED)
    membership = known.filter(user_id=user_id).first()
    if membership is None:
        raise NotFound("There is no such person in this organization.")
    if membership.status != ACTIVE:
        membership.status = ACTIVE
        membership.save(update_fields=["status"])
    user: User = membership.user
    return profile_change(user=user, archived_at=None) if user.archived_at else user

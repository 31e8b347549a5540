"""Who lost their second factors, and who helps them."""

from contextlib import nullcontext

from django.db import connection

from accounts.models import Membership, User
from accounts.queries.identity import organizations_of
from accounts.services.second_factors import second_factors_reset
from core.errors import Forbidden, Invalid
from core.tenancy import Origin, organization_scope


def second_factors_reset_by_operator(*, email: str, reason: str) -> None:
    """The audit entry stands in the person's default organization. Raises Invalid."""
    reason = reason.strip()
    if not reason:
        raise Invalid("Give a reason: --reason 'called back, lost the phone'.")
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise Invalid(f"There is nobody with the e-mail address {email}.")
    if user.second_factor_at is None:
        raise Invalid(f"{user.email} has no second factor.")
    own = organizations_of(user.pk)
    with organization_scope(own[0].id, origin=Origin(reason=reason)) if own else nullcontext():
        second_factors_reset(user=user, reason=reason)


def second_factors_reset_by_admin(*, membership: Membership, admin: User) -> None:
    """Raises Forbidden for platform staff and for members of other organizations, and Invalid if there are none."""
    user = User.objects.get(pk=membership.user_id)
    if user.pk == admin.pk:
        raise Forbidden("Remove your own second factors on the page Your second factors.")
    if user.is_superuser or _organizations(user) > 1:
        raise Forbidden("This person belongs to other organizations too: ask platform staff to reset it.")
    if user.second_factor_at is None:
        raise Invalid("This person has no second factor.")
    second_factors_reset(user=user, reason=f"reset by {admin}")


def _organizations(user: User) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_memberships_of(%s)", [user.pk])
        return int(cursor.fetchone()[0])

"""Founding organizations and letting people in."""

from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from uuid_utils.compat import uuid7

from accounts.models import Membership, Organization, Role, User, UserRole
from accounts.permissions import ADMIN, BUILT_IN
from accounts.principal import Principal
from core.errors import Conflict, Invalid
from core.founding import furnish
from core.tenancy import Origin, organization_scope


def organization_found(
    *, name: str, slug: str = "", founder: User | None = None, origin: Origin | None = None, **values: object,
) -> Organization:
    """A new tenant with its built-in roles; the founder, if any, becomes its Admin. Opens a scope of its own."""
    slug = slug or slugify(name)[:50]
    if not slug:
        raise Invalid("Give a slug: the name has no letters to make one from.", fields={"slug": "required"})
    organization_id = uuid7()
    try:
        origin = replace(origin or Origin(), actor_id=founder.pk if founder else None)
        with organization_scope(organization_id, origin=origin):
            organization = Organization.objects.create(id=organization_id, name=name, slug=slug, **values)
            for code, title in BUILT_IN.items():
                Role.objects.create(code=code, name=title, is_built_in=True)
            furnish()
            if founder:
                membership_add(user=founder, roles=[ADMIN])
    except IntegrityError as error:
        if "accounts_organization_slug" not in str(error):
            raise
        raise Conflict(f"The slug {slug!r} is taken: choose another.", code="slug_taken") from error
    return organization


@transaction.atomic
def membership_add(*, user: User, roles: list[str], is_default: bool = False) -> Membership:
    """Make somebody an active member of the active organization, with these roles (by code)."""
    found = {role.code: role for role in Role.objects.filter(code__in=roles)}
    if missing := set(roles) - set(found):
        raise Invalid(f"There is no role {', '.join(sorted(missing))}.", fields={"roles": "unknown"})
    membership: Membership = Membership.objects.create(
        user=user, status=Membership.Status.ACTIVE, is_default=is_default, joined_at=timezone.now(),
    )
    for code in roles:
        UserRole.objects.create(membership=membership, role=found[code])
    return membership


def refuse_unprotected(*, required: bool, principal: Principal) -> None:
    """Raises Invalid: who requires a second factor of others has shown one. An API key is nobody, and may."""
    if required and not principal.api_key_id and not principal.second_factor_proved:
        sentence = "First enrol a second factor of your own and sign in with it: you would be shut out as well."
        raise Invalid(sentence, code="no_second_factor", fields={"require_mfa": sentence})


def organization_scope_of(slug: str) -> UUID:
    """The id of an organization by its slug, for operators' commands, which act for any of them.

    Raises Invalid, naming the organizations there are.
    """
    rows = dict(Organization.objects.using("worker").values_list("slug", "id"))
    if slug not in rows:
        known = ", ".join(sorted(rows)) or "none yet"
        raise Invalid(f"There is no organization {slug!r}; there are: {known}.")
    return rows[slug]

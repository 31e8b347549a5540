"""Signing up without an invitation."""

import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from accounts.services.addresses import address_check, email_mark_verified, verification_send
from accounts.services.mail import link, mail_send
from accounts.services.passwords import password_check, reset_key
from accounts.services.tenancy import organization_found
from core.errors import Forbidden, Invalid
from core.tenancy import Origin


def refuse_closed_sign_up() -> None:
    """Raises Forbidden where people come by invitation alone."""
    if not settings.SIGN_UP_OPEN:
        raise Forbidden("Nobody can sign up here: ask an Admin of an organization to invite you.", code="sign_up_closed")


@transaction.atomic
def account_register(
    *, email: str, password: str, name: str, origin: Origin, organization_name: str = "",
) -> User:
    """A person with an organization of their own, who may sign in once the address is verified by the mailed link,
    or at once where AUTO_VERIFY_EMAIL says so.

    For an address in use the answer looks the same, so that nobody learns which addresses are: the user that is
    returned was not saved, and the owner of the address is told by mail. Raises Invalid for what is no address,
    name or good password.
    """
    email, name = _checked(email, name)
    user = User(email=email, name=name, is_staff=True)  # the admin pages are an Admin's place of work
    password_check(password=password, user=user)
    if owner := User.objects.filter(email=email).first():
        make_password(password)  # takes the time that it takes for a new person
        mail_send(to=email, template="already_registered", user=owner, link=link("reset-password", reset_key(owner)))
        return user
    user.set_password(password)
    user.save()
    title = organization_name.strip() or name
    slug = f"{slugify(title)[:40] or 'organization'}-{secrets.token_hex(3)}"
    organization_found(name=title[:200], slug=slug, founder=user, origin=origin)
    if settings.AUTO_VERIFY_EMAIL:
        email_mark_verified(user=user)
    else:
        verification_send(user=user, template="welcome")
    return user


def _checked(email: str, name: str) -> tuple[str, str]:
    email, name = address_check(email), " ".join(name.split())
    if not name or len(name) > 150:
        raise Invalid("Give a name of 1 to 150 characters.", fields={"name": "Give a name of 1 to 150 characters."})
    return email, name

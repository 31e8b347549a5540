"""Proving that an address is one's own, and changing it."""

from uuid import UUID

from allauth.account import app_settings
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.attempts import attempt_failed, refuse_locked
from accounts.services.mail import link, mail_send
from core.errors import Conflict, Invalid
from core.tenancy import Origin


def address_check(email: str) -> str:
    """As it is kept. Raises Invalid for what is no address."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is no e-mail address.", fields={"email": "This is no e-mail address."}) from error
    return email


def verification_send(*, user: User, template: str = "verify_email") -> None:
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    mail_send(to=address.email, template=template, user=user, link=link("verify-email", EmailConfirmationHMAC(address).key))


@transaction.atomic
def verification_resend(*, email: str) -> None:
    """Says nothing about whether the address is known; one that is verified gets no mail."""
    user = User.objects.filter(email=email.strip().lower(), email_verified_at=None, is_active=True).first()
    if user is not None:
        verification_send(user=user)


@transaction.atomic
def email_verify(*, key: str) -> User:
    """Makes the address of the link the person's own, in place of any other. Each link works once.

    Raises Invalid with the code link_invalid or link_expired, Conflict with link_used or email_taken.
    """
    address = _address_of(key)
    user = User.objects.select_for_update().get(pk=address.user_id)
    if not address.can_set_verified() or User.objects.filter(email=address.email).exclude(pk=user.pk).exists():
        raise Conflict("Somebody else uses this address by now: choose another.", code="email_taken")
    EmailAddress.objects.filter(user=user).exclude(pk=address.pk).delete()
    EmailAddress.objects.filter(pk=address.pk).update(verified=True, primary=True)
    user.email, user.email_verified_at = address.email, timezone.now()
    user.save(update_fields=["email", "email_verified_at"])
    return user


def email_mark_verified(*, user: User) -> None:
    """For who has proved the address by another mailed link."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    if user.email_verified_at is None:
        User.objects.filter(pk=user.pk).update(email_verified_at=timezone.now())


@transaction.atomic
def email_change_request(*, user_id: UUID, email: str, password: str, origin: Origin) -> None:
    """Mails a link to the new address, which takes effect when it is followed, and tells the old one.

    For an address in use it looks the same, and no link is sent. Raises Invalid, and LockedOut after too many guesses.
    """
    email = address_check(email)
    user = User.objects.select_for_update().get(pk=user_id)
    refuse_locked(account=user.email, origin=origin)
    if not user.check_password(password):
        attempt_failed(account=user.email, origin=origin)
        raise Invalid("This is not your password.", code="wrong_password", fields={"password": "This is not your password."})
    if email == user.email:
        raise Invalid("This is your address already.", fields={"email": "This is your address already."})
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()
    mail_send(to=user.email, template="address_change_asked", user=user, email=email, origin=origin)
    if User.objects.filter(email=email).exists():
        return
    address = EmailAddress.objects.create(user=user, email=email)
    mail_send(to=email, template="verify_address", user=user, link=link("verify-email", EmailConfirmationHMAC(address).key))


def _address_of(key: str) -> EmailAddress:
    """allauth's own reader, `EmailConfirmationHMAC.from_key`, does not say what is wrong with a link."""
    try:
        pk = signing.loads(key, max_age=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS * 86_400, salt=app_settings.SALT)
    except signing.SignatureExpired as error:
        raise Invalid("This link has expired: ask for a new one.", code="link_expired") from error
    except signing.BadSignature as error:
        raise Invalid("This link is not whole: copy all of it, or ask for a new one.", code="link_invalid") from error
    address = EmailAddress.objects.select_for_update().filter(pk=pk).first()
    if address is None or address.verified:
        raise Conflict("This link was used already, or a newer one has taken its place.", code="link_used")
    return address

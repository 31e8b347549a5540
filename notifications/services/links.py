"""What proves that somebody has an address: a signed link for e-mail, a code for SMS.

A link names its subscription and holds a digest of the address, so that it is void once the address is another one.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from core.errors import Invalid
from notifications.models import TopicSubscription

CONFIRM, LEAVE = "notifications.confirm", "notifications.leave"  # salts: a link for one is none for the other
CONFIRM_DAYS = 3
CODE_MINUTES = 15
ID, DIGEST = 16, 12  # bytes


class Linked(NamedTuple):
    organization_id: UUID
    subscription_id: UUID
    digest: bytes

    def is_of(self, subscription: TopicSubscription) -> bool:
        return constant_time_compare(self.digest, _digest(subscription))


def confirm_link(subscription: TopicSubscription) -> str:
    return _link("subscription-confirm", CONFIRM, subscription)


def leave_link(subscription: TopicSubscription) -> str:
    return _link("subscription-leave", LEAVE, subscription)


def link_read(*, token: str, salt: str) -> Linked:
    """Raises Invalid for one that has expired or was not made here."""
    seconds = timedelta(days=CONFIRM_DAYS) if salt == CONFIRM else None
    try:
        packed = urlsafe_b64decode(signing.TimestampSigner(salt=salt).unsign(token, max_age=seconds))
    except signing.SignatureExpired as error:
        raise Invalid(f"This link worked for {CONFIRM_DAYS} days: ask for another.", code="link_expired") from error
    except (signing.BadSignature, NotBase64, ValueError) as error:
        raise Invalid("This link is not whole: take all of it.", code="link_invalid") from error
    return Linked(UUID(bytes=packed[:ID]), UUID(bytes=packed[ID : 2 * ID]), packed[2 * ID :])


def code_make(subscription: TopicSubscription) -> str:
    """A new one, known to whoever gets it and to nobody else; the former one is void."""
    code = f"{secrets.randbelow(1_000_000):06}"
    subscription.code_hash, subscription.code_failures = code_hash(subscription, code), 0
    subscription.code_expires_at = timezone.now() + timedelta(minutes=CODE_MINUTES)
    subscription.save(update_fields=["code_hash", "code_failures", "code_expires_at"])
    return code


def code_hash(subscription: TopicSubscription, code: str) -> str:
    """With SECRET_KEY: of a million codes a bare hash would tell the right one."""
    said = f"{subscription.pk} {subscription.address} {code}"
    return str(salted_hmac("notifications.code", said, algorithm="sha256").hexdigest())


def _link(name: str, salt: str, subscription: TopicSubscription) -> str:
    ids = (UUID(str(one)).bytes for one in (subscription.organization_id, subscription.pk))
    packed = b"".join([*ids, _digest(subscription)])
    token = signing.TimestampSigner(salt=salt).sign(urlsafe_b64encode(packed).decode())
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse(name, args=[token])}"


def _digest(subscription: TopicSubscription) -> bytes:
    return sha256(f"{subscription.channel} {subscription.address}".encode()).digest()[:DIGEST]

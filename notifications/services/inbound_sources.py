"""Who may call us: its secret is sealed, shown once if it is ours, and changed without losing a call."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.errors import Invalid
from core.sealing import BrokenSeal, seal, unseal
from notifications.models import InboundSource
from notifications.verifying import key_of

OVERLAP, LONGEST_OVERLAP = timedelta(hours=24), timedelta(days=30)
SHORTEST, LONGEST = 8, 500  # characters of a secret that the sender has made
SIGNATURE_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`secret` is seen here and never again; empty where the caller gave it."""

    row: InboundSource
    secret: str = ""


def inbound_source_create(*, scheme: str, secret: str = "", **values: Any) -> NewSecret:
    """Without a secret, ours. Raises Invalid for one that its sender would not use."""
    source_id, made = uuid7(), secret or _made(scheme)
    _refuse_bad(scheme, made)
    row = InboundSource.objects.create(pk=source_id, scheme=scheme, secret=_sealed(source_id, made), **values)
    return NewSecret(row, "" if secret else made)


@transaction.atomic
def inbound_source_rotate(*, source: InboundSource, secret: str = "", overlap: timedelta = OVERLAP) -> NewSecret:
    """The present secret counts as well until the overlap is over. Raises Invalid."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("The old secret may count on for 0 to 720 hours (30 days).", fields={"overlap_hours": "Give 0 to 720."})
    row = InboundSource.objects.select_for_update(no_key=True).get(pk=source.pk)
    made = secret or _made(row.scheme)
    _refuse_bad(row.scheme, made)
    row.previous_secret = row.secret if overlap else None
    row.rotation_ends_at = timezone.now() + overlap if overlap else None
    row.secret = _sealed(row.pk, made)
    row.save(update_fields=["secret", "previous_secret", "rotation_ends_at"])
    return NewSecret(row, "" if secret else made)


def inbound_keys(*, source_id: UUID, scheme: str, sealed: Sequence[bytes]) -> list[bytes]:
    """What signs, the present secret first. Raises BrokenSeal if that was sealed with a SECRET_KEY which is gone."""
    present, *former = sealed
    keys = [key_of(scheme, unseal(present, purpose=_purpose(source_id)).decode())]
    for one in former:
        try:
            keys.append(key_of(scheme, unseal(one, purpose=_purpose(source_id)).decode()))
        except BrokenSeal:
            continue
    return keys


def refuse_other_scheme(*, source: InboundSource, scheme: str) -> None:
    """Raises Invalid: a secret is made for one scheme, and might sign nothing, or less, in another."""
    if scheme != source.scheme:
        detail = "How a source signs is chosen when it is made: make another."
        raise Invalid(detail, fields={"scheme": detail})


def _made(scheme: str) -> str:
    if scheme == InboundSource.Scheme.STANDARD_WEBHOOKS:
        return f"whsec_{base64.b64encode(secrets.token_bytes(SIGNATURE_BYTES)).decode()}"
    return f"qmi_{secrets.token_urlsafe(SIGNATURE_BYTES)}"


def _refuse_bad(scheme: str, secret: str) -> None:
    try:
        key = key_of(scheme, secret)
    except ValueError as error:
        raise Invalid(str(error), fields={"secret": str(error)}) from error
    if len(key) < SHORTEST or len(secret) > LONGEST or not secret.isprintable():
        detail = f"A secret has {SHORTEST} to {LONGEST} characters."
        raise Invalid(detail, fields={"secret": detail})


def _sealed(source_id: UUID, secret: str) -> bytes:
    return seal(secret.encode(), purpose=_purpose(source_id))


def _purpose(source_id: UUID) -> str:
    return f"inbound source {source_id}"

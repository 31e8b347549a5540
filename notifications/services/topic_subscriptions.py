"""Who gets a topic's messages: an address is told nothing until whoever has it says yes, and may leave at any time."""

from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.afterwards import outlast
from accounts.models import Membership, User
from core.errors import Conflict, Invalid, TooMany
from core.tenancy import Origin, active_scope, organization_scope
from notifications.channels import Channel, address_fault
from notifications.models import TopicSubscription
from notifications.services.departures import NO_SMS
from notifications.services.links import CONFIRM, LEAVE, Linked, code_hash, link_read
from notifications.services.messages import confirmation_enqueue
from notifications.services.sending import sender_of

PENDING, CONFIRMED, UNSUBSCRIBED = TopicSubscription.Status
PAUSE = timedelta(minutes=1)  # between two questions to an address
MOST_WRONG_CODES = 5


def vouches(subscription: TopicSubscription | None, values: dict[str, Any]) -> bool:
    """Whether these values answer in the place of whoever has the address, which needs a permission of its own.

    Saying that they left is an answer too: a mandatory topic goes to those. An inbox is within the house, and nobody is asked.
    """
    status = values.get("status", PENDING)
    channel = values.get("channel", subscription.channel if subscription else Channel.EMAIL)
    if status == PENDING or channel == Channel.INBOX:
        return False
    if subscription is None or subscription.status == PENDING or _moves(subscription, values):
        return True
    return bool(status == CONFIRMED != subscription.status)


@transaction.atomic
def topic_subscription_create(*, channel: str = Channel.EMAIL, address: str = "", **values: Any) -> TopicSubscription:
    """Asks the address, unless it is the verified one of the person who acts, or `status` says otherwise. Raises Invalid."""
    row = TopicSubscription(channel=channel, address=address, **values)
    _check(row)
    if row.status == PENDING and channel == Channel.INBOX:
        row.status = CONFIRMED
    if row.status == PENDING and (own := _own_membership(row)):
        row.status, row.membership_id = CONFIRMED, row.membership_id or own
    if row.status == CONFIRMED:
        row.confirmed_at = timezone.now()
    if row.status == PENDING:
        row.asked_at = timezone.now()
    row.save(force_insert=True)
    if row.status == PENDING:
        confirmation_enqueue(subscription=row)
    return row


@transaction.atomic
def topic_subscription_update(*, subscription: TopicSubscription, values: dict[str, Any]) -> TopicSubscription:
    """Another address is asked again, and so is one that is set back to pending. Raises Invalid, TooMany."""
    row: TopicSubscription = TopicSubscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
    moves, before = _moves(row, values) or (row.channel == Channel.INBOX and "membership_id" in values), row.status
    for name, value in values.items():
        setattr(row, name, value)
    changed = set(values)
    if moves:
        _check(row)
        row.code_hash, row.code_expires_at = "", None
        changed |= {"address", "code_hash", "code_expires_at"}
        row.status = values.get("status", PENDING)
    if row.status == PENDING and (row.channel == Channel.INBOX or ((moves or before != PENDING) and _own_membership(row))):
        row.status = CONFIRMED
    if row.status == CONFIRMED and (moves or before != CONFIRMED):
        row.confirmed_at = timezone.now()
    row.save(update_fields=[*changed, "status", "confirmed_at"])
    if row.status == PENDING and (moves or before != PENDING):
        _ask(row)
    return row


@transaction.atomic
def topic_subscription_resend(*, subscription: TopicSubscription) -> None:
    """Another link or code. Raises Conflict unless it waits for its confirmation, TooMany within a minute."""
    row = TopicSubscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
    if row.status != PENDING:
        raise Conflict("There is nothing to confirm: this subscription is not pending.", code="not_pending")
    _check(row)
    _ask(row)


@transaction.atomic
def topic_subscription_confirm(*, subscription: TopicSubscription, code: str) -> TopicSubscription:
    """By the code that went to a number; right once is right for ever. Raises Conflict, Invalid."""
    row: TopicSubscription = TopicSubscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
    if row.channel != Channel.SMS:
        raise Conflict("An e-mail address is confirmed by the link that was mailed to it.", code="confirmed_by_link")
    if row.status == CONFIRMED:
        return row
    if row.status != PENDING:
        raise Conflict("There is nothing to confirm: this subscription is not pending.", code="not_pending")
    if not row.code_hash or row.code_expires_at is None or row.code_expires_at <= timezone.now():
        raise Conflict("No code counts any more: have another one sent.", code="code_expired")
    if row.code_failures >= MOST_WRONG_CODES:
        raise Conflict("This code was given wrongly too often: have another one sent.", code="code_used_up")
    if not constant_time_compare(row.code_hash, code_hash(row, code)):
        scope = active_scope()
        outlast(partial(_count_failure, scope.organization_id, scope.origin, row.pk, row.code_hash))
        raise Invalid("This is not the code that was sent last.", code="code_wrong", fields={"code": "This is not the code."})
    _confirm(row)
    return row


def link_find(*, token: str, to_leave: bool) -> TopicSubscription:
    """What a mailed link is about, with topic and organization; outside any scope. Raises Invalid."""
    linked = link_read(token=token, salt=LEAVE if to_leave else CONFIRM)
    with organization_scope(linked.organization_id):
        return _linked(linked)


def link_confirm(*, token: str, origin: Origin) -> None:
    """Outside any scope. Raises Invalid, and Conflict for somebody who left since."""
    linked = link_read(token=token, salt=CONFIRM)
    with organization_scope(linked.organization_id, origin=_said_by_link(origin)):
        row = _linked(linked, lock=True)
        if row.status == UNSUBSCRIBED:
            raise Conflict("This subscription has ended: whoever made it can ask again.", code="not_pending")
        if row.status == PENDING:
            _confirm(row)


def link_leave(*, token: str, origin: Origin) -> None:
    """Outside any scope. Raises Invalid, and Conflict for a topic that nobody leaves."""
    linked = link_read(token=token, salt=LEAVE)
    with organization_scope(linked.organization_id, origin=_said_by_link(origin)):
        row = _linked(linked, lock=True)
        if row.topic.is_mandatory:
            raise Conflict(f"Messages of {row.topic.name} go to all its subscribers: nobody leaves it.", code="mandatory")
        if row.status != UNSUBSCRIBED:
            row.status = UNSUBSCRIBED
            row.save(update_fields=["status"])


def _linked(linked: Linked, *, lock: bool = False) -> TopicSubscription:
    rows = TopicSubscription.objects.select_related("topic", "organization")
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    row: TopicSubscription | None = rows.filter(pk=linked.subscription_id).first()
    if row is None or not linked.is_of(row):
        raise Invalid("This subscription is gone, or has another address now.", code="link_invalid")
    return row


def _said_by_link(origin: Origin) -> Origin:
    return Origin(request_id=origin.request_id, traceparent=origin.traceparent, ip=origin.ip, reason="A link in a mail")


def _confirm(row: TopicSubscription) -> None:
    row.status, row.confirmed_at, row.code_hash = CONFIRMED, timezone.now(), ""
    row.save(update_fields=["status", "confirmed_at", "code_hash"])


def _count_failure(organization_id: UUID, origin: Origin, pk: UUID, tried: str) -> None:
    with organization_scope(organization_id, origin=origin):
        TopicSubscription.objects.filter(pk=pk, code_hash=tried).update(code_failures=F("code_failures") + 1)


def _ask(row: TopicSubscription) -> None:
    now = timezone.now()
    if row.asked_at and (left := row.asked_at + PAUSE - now) > timedelta(0):
        wait = ceil(left.total_seconds())
        raise TooMany(f"This subscription's address was asked a moment ago: wait {wait} s.", wait=wait, code="asked_already")
    row.asked_at = now
    row.save(update_fields=["asked_at"])
    confirmation_enqueue(subscription=row)


def _check(row: TopicSubscription) -> None:
    """An inbox gets its label. Raises Invalid."""
    if row.channel == Channel.INBOX:
        row.address = _label(row)
    if row.channel == Channel.SMS and not (settings.SMS_SENDER or sender_of(Channel.SMS)):
        raise Invalid(NO_SMS, code="no_sms", fields={"channel": NO_SMS})
    if fault := address_fault(row.channel, row.address):
        raise Invalid(fault, fields={"address": fault})


def _label(row: TopicSubscription) -> str:
    """The member's address, by which people know whose inbox it is."""
    member = Membership.objects.select_related("user").filter(pk=row.membership_id).first()
    if member is None:
        detail = "Say whose inbox: name a membership of this organization."
        raise Invalid(detail, fields={"membership": detail})
    return str(member.user.email)


def _moves(row: TopicSubscription, values: dict[str, Any]) -> bool:
    return any(name in values and values[name] != getattr(row, name) for name in ("channel", "address"))


def _own_membership(row: TopicSubscription) -> UUID | None:
    """Of the person who acts, if the address is theirs and verified. Platform staff who act for them do not have it."""
    origin = active_scope().origin
    if row.channel != Channel.EMAIL or origin.actor_id is None or origin.api_key_id or origin.impersonator_id:
        return None
    is_own = User.objects.filter(pk=origin.actor_id, email=row.address.lower(), email_verified_at__isnull=False).exists()
    own = Membership.objects.filter(user_id=origin.actor_id).values_list("pk", flat=True) if is_own else ()
    return next((pk for pk in own if row.membership_id in (None, pk)), None)

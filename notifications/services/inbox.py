"""A person's own inbox, and how they want to be told. Everything here is of whoever asks, and reaches nobody else's rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Membership
from core.errors import Invalid, NotFound
from notifications.models import Notification, NotificationPreference


def membership_of(user_id: UUID) -> UUID:
    """Raises NotFound for who is no member, such as platform staff who look in."""
    found: UUID | None = Membership.objects.filter(user_id=user_id).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound("You are no member here, so that you have no inbox.")
    return found


def own_notifications(user_id: UUID) -> QuerySet[Notification]:
    mine: QuerySet[Notification] = Notification.objects.filter(
        recipient_id=Subquery(Membership.objects.filter(user_id=user_id).values("pk")[:1]),
    )
    return mine


def own_preferences(user_id: UUID) -> QuerySet[NotificationPreference]:
    mine: QuerySet[NotificationPreference] = NotificationPreference.objects.filter(
        membership_id=Subquery(Membership.objects.filter(user_id=user_id).values("pk")[:1]),
    )
    return mine


def notification_read(*, user_id: UUID, notification_id: UUID, is_read: bool = True) -> None:
    """Raises NotFound."""
    _write(user_id, notification_id, read_at=timezone.now() if is_read else None)


def notifications_read(*, user_id: UUID) -> int:
    """All that wait; what is snoozed stays as it is. Returns how many."""
    now = timezone.now()
    return own_notifications(user_id).filter(waiting(now), read_at=None).update(read_at=now)


def notification_archive(*, user_id: UUID, notification_id: UUID) -> None:
    """It has been read too, then. Raises NotFound."""
    now = timezone.now()
    if not own_notifications(user_id).filter(pk=notification_id, archived_at=None).update(read_at=now, archived_at=now):
        _write(user_id, notification_id)


def notification_snooze(*, user_id: UUID, notification_id: UUID, until: datetime) -> None:
    """Unread, it comes back then. Raises NotFound, Invalid."""
    if until <= timezone.now():
        raise Invalid("Say a time to come.", fields={"until": "Say a time to come."})
    _write(user_id, notification_id, snoozed_until=until, read_at=None)


def waiting(now: datetime) -> Q:
    """What the inbox shows: what is neither archived nor snoozed."""
    return Q(archived_at=None) & (Q(snoozed_until=None) | Q(snoozed_until__lte=now))


@transaction.atomic
def preference_write(*, preference: NotificationPreference, user_id: UUID, **values: Any) -> NotificationPreference:
    """A new one, or one's own that is there."""
    for name, value in values.items():
        setattr(preference, name, value)
    if preference._state.adding:
        preference.membership_id = membership_of(user_id)
    preference.save()
    return preference


def _write(user_id: UUID, notification_id: UUID, **values: Any) -> None:
    found = own_notifications(user_id).filter(pk=notification_id)
    if not (found.update(**values) if values else found.exists()):
        raise NotFound("There is no such message in your inbox.")

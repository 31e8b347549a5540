"""What watches have found, by mail: at once after a check, and once a day all of it.

Both are topics of the organization, of which each member who watches something has a subscription: who leaves one by the
link in its mails gets no more of them.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Membership
from core.json import dumps
from notifications.models import Channel, NotificationDelivery, TopicSubscription, Watch, WatchHit
from notifications.services.jobs import Order
from notifications.services.messages import About, notify, topic_ensure
from notifications.services.steps import steps_enqueue
from notifications.services.watching import TASKS, fan_out, reading

TOPICS = {"watches": "What I watch", "daily-digest": "Daily digest"}
PAGE = "/admin/notifications/watch/"
MOST_LINES = 100  # of a mail
LONGEST_SHOWN = 60  # letters of a value
VERBS = {
    Watch.Condition.CHANGED: "changed", Watch.Condition.CROSSES: "crossed", Watch.Condition.APPEARS: "appeared",
    Watch.Condition.DISAPPEARS: "disappeared",
}  # fmt: skip


@transaction.atomic
def hits_tell(*, hits: Sequence[str]) -> int:
    """A mail for each member; returns how many go out. Whoever left the topic, or the company, is sent none."""
    found = WatchHit.objects.select_related("watch__subject__source", "watch__membership__user")
    untold = found.filter(pk__in=list(hits), notification=None).order_by("watch__membership_id", "pk")
    told = 0
    for _, rows in groupby(untold, key=lambda hit: hit.watch.membership_id):
        own = list(rows)
        key = f"watch hits {sha256(''.join(str(hit.pk) for hit in own).encode()).hexdigest()[:40]}"
        mail = _tell(own[0].watch.membership, topic="watches", template="watch_hits", dedupe_key=key, lines=_lines(own))
        if mail:
            WatchHit.objects.filter(pk__in=[hit.pk for hit in own]).update(notification=mail)
            told += 1
    return told


def digests_begin(*, day: str) -> int:
    """A job for each member of whom there is something to tell; returns how many were not there."""
    return fan_out(task="begin_digest", queue="scheduler", day=day, with_hits=True)


def digest_begin(*, membership_id: UUID, day: str) -> UUID | None:
    """The chain that reads what the member watches and mails it."""
    watches = Watch.objects.filter(membership_id=membership_id, is_active=True).order_by("pk")[:MOST_LINES]
    return steps_enqueue([
        reading(list(watches.values_list("pk", flat=True)), queue="scheduler"),
        Order(task=f"{TASKS}tell_digest", queue="scheduler", args=[str(membership_id), day], result_as="seen"),
    ], name="Daily digest")  # fmt: skip


@transaction.atomic
def digest_tell(*, membership_id: UUID, day: str, seen: Mapping[str, Any]) -> int:
    """The hits that no digest has told yet, and what is watched as it is now. Returns how many mails go out: 0 or 1."""
    membership = Membership.objects.select_related("user").filter(pk=membership_id).first()
    found = WatchHit.objects.select_related("watch__subject__source").filter(watch__membership_id=membership_id, digested_at=None)
    hits = list(found.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    if membership is None or not hits:
        return 0
    watches = Watch.objects.select_related("subject__source").filter(pk__in=list(seen)).order_by("subject__label", "pk")
    mail = _tell(
        membership, topic="daily-digest", template="daily_digest", dedupe_key=f"digest {day}", day=date.fromisoformat(day),
        lines=_lines(hits), values=list(dict.fromkeys(_value(watch, seen[str(watch.pk)]) for watch in watches)),
    )  # fmt: skip
    WatchHit.objects.filter(pk__in=[hit.pk for hit in hits]).update(digested_at=timezone.now())
    return int(mail is not None)


def _tell(membership: Membership, *, topic: str, template: str, dedupe_key: str, **context: Any) -> NotificationDelivery | None:
    """A message to the member's own subscriptions, as their preferences say, once for a dedupe_key, by `mail/<template>.txt`; the
    first of them."""
    if membership.status != Membership.Status.ACTIVE:
        return None
    _subscribe(membership, topic)
    lines = context.pop("lines")
    shown = {**context, "name": membership.user.name, "lines": lines[:MOST_LINES], "more": max(len(lines) - MOST_LINES, 0)}
    subject, _, text = render_to_string(f"mail/{template}.txt", shown).partition("\n\n")
    notify(
        topic=topic, subject=subject, body=text.strip() + "\n", dedupe_key=dedupe_key, about=About(link=PAGE),
        membership_id=membership.pk,
    )
    own = NotificationDelivery.objects.filter(subscription__topic__key=topic, subscription__membership=membership)
    made: NotificationDelivery | None = own.filter(dedupe_key=dedupe_key).order_by("pk").first()
    return made


def _subscribe(membership: Membership, key: str) -> None:
    """To the member's address, where there is no subscription of the member's own, not even one that was left."""
    topic = topic_ensure(key=key, name=TOPICS[key], category="watches")
    if not TopicSubscription.objects.filter(topic=topic, membership=membership).exists():
        TopicSubscription.objects.get_or_create(
            topic=topic, channel=Channel.EMAIL, address=membership.user.email,
            defaults={
                "membership": membership, "status": TopicSubscription.Status.CONFIRMED, "confirmed_at": timezone.now(),
            },
        )


def _lines(hits: Sequence[WatchHit]) -> list[str]:
    return [_line(hit) for hit in hits]


def _line(hit: WatchHit) -> str:
    watch = hit.watch
    what = VERBS[Watch.Condition(watch.condition)]
    if watch.threshold is not None:
        what = f"{what} {watch.threshold.normalize():f}"
    name = f"{watch.name}: " if watch.name else ""
    return f"{name}{watch.subject.label} {what}: {_shown(hit.before)} -> {_shown(hit.after)} ({watch.subject.source.name})"


def _value(watch: Watch, seen: Mapping[str, Any]) -> str:
    said = "no answer" if "error" in seen else _shown(seen["value"]) if seen["found"] else "not there"
    return f"{watch.subject.label}: {said}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else dumps(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."

"""Messages to those who subscribed: one delivery and one job for each, so that each is tried for itself."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.tenancy import active_scope
from core.text import storable
from notifications.models import ChannelConfig, NotificationDelivery, Topic, TopicSubscription
from notifications.services.departures import Unsent, about, delivery_depart
from notifications.services.jobs import DOORBELL, JOB_ONCE, Order, TryAgain, job_enqueue
from notifications.services.ringing import ring_away
from notifications.services.sending import place_take, sender_of
from notifications.severity import Severity

DELIVER, DIGEST = "notifications.tasks.deliver", "notifications.tasks.digest"
OPS_CRITICAL = "ops-critical"  # what those who run things for an organization must hear of

# Mandatory topics and what is critical wait for nobody's preference; the inbox has it at once, and there one message about a
# thing takes the place of the one before.
NOTIFY = f"""
    WITH chosen AS MATERIALIZED (
        SELECT s.id, s.organization_id, s.channel, s.address, s.membership_id, t.category,
               CASE WHEN p.mode IS NULL OR s.channel = 'inbox' OR t.is_mandatory OR %(severity)s = 'critical' THEN NULL
                    ELSE notifications_wait_until(now(), COALESCE(NULLIF(u.timezone, ''), o.timezone), p.mode, p.send_at,
                                                  p.send_on, p.quiet_from, p.quiet_to) END AS not_before
        FROM notifications_topic AS t
        JOIN accounts_organization AS o ON o.id = t.organization_id
        JOIN notifications_topicsubscription AS s ON s.organization_id = t.organization_id AND s.topic_id = t.id
        LEFT JOIN accounts_membership AS m ON m.organization_id = s.organization_id AND m.id = s.membership_id
        LEFT JOIN accounts_user AS u ON u.id = m.user_id
        LEFT JOIN LATERAL (
            SELECT * FROM notifications_notificationpreference AS n
            WHERE n.organization_id = s.organization_id AND n.membership_id = s.membership_id AND n.channel = s.channel
                AND n.category IN (t.category, '')
            ORDER BY n.category DESC LIMIT 1
        ) AS p ON true
        WHERE t.organization_id = %(organization)s AND t.key = %(topic)s
            AND (%(member)s::uuid IS NULL OR s.membership_id = %(member)s::uuid)
            AND (s.status = 'confirmed' OR (t.is_mandatory AND s.status = 'unsubscribed'))
            AND (s.membership_id IS NULL OR m.status = 'active')
            AND (t.is_mandatory OR p.mode IS DISTINCT FROM 'off')
    ), told AS (
        INSERT INTO notifications_notificationdelivery
            (id, organization_id, subscription_id, dedupe_key, channel, address, subject, body, status, sent_at, not_before)
        SELECT uuid7(), organization_id, id, %(key)s, channel, address, %(subject)s, %(body)s,
               CASE WHEN channel = 'inbox' THEN 'sent' WHEN not_before IS NULL THEN 'queued' ELSE 'held' END,
               CASE WHEN channel = 'inbox' THEN now() END, not_before
        FROM chosen
        ON CONFLICT (organization_id, subscription_id, dedupe_key) DO NOTHING
        RETURNING id, organization_id, subscription_id, status
    ), boxed AS (
        INSERT INTO notifications_notification
            (id, organization_id, recipient_id, category, severity, title, body, link, dedupe_key)
        SELECT DISTINCT ON (c.membership_id) uuid7(), c.organization_id, c.membership_id, c.category, %(severity)s, %(subject)s,
               %(body)s, %(link)s, %(about)s
        FROM told JOIN chosen AS c ON c.id = told.subscription_id WHERE c.channel = 'inbox'
        ON CONFLICT (organization_id, recipient_id, dedupe_key) WHERE archived_at IS NULL DO UPDATE SET
            title = EXCLUDED.title, body = EXCLUDED.body, link = EXCLUDED.link, severity = EXCLUDED.severity,
            told_at = now(), read_at = NULL, snoozed_until = NULL
    ), made AS (
        INSERT INTO notifications_job
            (id, organization_id, task, queue, arguments, dedupe_key, origin, run_after, waits_for)
        SELECT uuid7(), organization_id, '{DELIVER}', 'mail',
               jsonb_build_object('args', jsonb_build_array(id), 'kwargs', '{{}}'::jsonb), 'deliver ' || id,
               %(origin)s::jsonb, now(), ''
        FROM told WHERE status = 'queued'
        UNION ALL
        SELECT uuid7(), organization_id, '{DIGEST}', 'mail',
               jsonb_build_object('args', jsonb_build_array(membership_id, channel), 'kwargs', '{{}}'::jsonb),
               'digest ' || membership_id || ' ' || channel || ' ' || extract(epoch FROM not_before)::bigint,
               %(origin)s::jsonb, not_before, 'time'
        FROM (SELECT DISTINCT c.organization_id, c.membership_id, c.channel, c.not_before
              FROM told JOIN chosen AS c ON c.id = told.subscription_id WHERE told.status = 'held') AS held
        {JOB_ONCE} RETURNING id, waits_for
    )
    SELECT (SELECT count(*) FROM told), {DOORBELL}, array_agg(id) FILTER (WHERE waits_for = '') FROM made
"""


class About(NamedTuple):
    """What the inbox shows besides. `key` is what the message is about; left out, each is about something else."""

    severity: str = Severity.INFO
    link: str = ""
    key: str = ""


ANYTHING = About()


def topic_ensure(*, key: str, name: str, category: str = "") -> Topic:
    """An existing one stays as it is."""
    return Topic.objects.get_or_create(key=key, defaults={"name": name, "category": category})[0]  # type: ignore[no-any-return]


def notify(
    *, topic: str, subject: str, body: str, dedupe_key: str, about: About = ANYTHING, membership_id: UUID | None = None,
) -> int:
    """Tell a topic's subscribers, or those of them that are a member's own, each at most once for a dedupe_key; returns how many
    had not been told."""
    scope = active_scope()
    with connection.cursor() as cursor:
        cursor.execute(NOTIFY, {
            "organization": scope.organization_id, "topic": topic, "body": body, "subject": " ".join(subject.split())[:200],
            "key": dedupe_key, "origin": scope.origin.as_json(), "severity": about.severity, "link": about.link,
            "about": about.key or dedupe_key, "member": membership_id,
        })
        told, _, jobs = cursor.fetchone()
    ring_away(jobs or [])
    return int(told)


def topic_send(*, topic: Topic, subject: str, body: str, dedupe_key: str = "") -> int:
    """Somebody's own message; with a dedupe_key each subscriber gets it once, however often it is sent."""
    return notify(topic=topic.key, subject=subject, body=body, dedupe_key=f"sent {dedupe_key or uuid7()}")


def confirmation_enqueue(*, subscription: TopicSubscription) -> None:
    """Asks the address, by its channel, whether it wants the topic."""
    delivery = NotificationDelivery.objects.create(
        subscription=subscription, dedupe_key=f"confirm {uuid7()}", kind=NotificationDelivery.Kind.CONFIRMATION,
        channel=subscription.channel, address=subscription.address, subject=f"Please confirm: {about(subscription)}"[:200],
        body=f"Somebody subscribed {subscription.address} to {about(subscription)}.",
    )
    job_enqueue(Order(task=DELIVER, queue="mail", args=[str(delivery.pk)], dedupe_key=f"deliver {delivery.pk}"))


def delivery_send(*, delivery_id: UUID, is_last_attempt: bool, commit: Callable[[], None]) -> str:
    """Raises TryAgain when nobody could take it now. `commit` ends the transaction and begins another: a message of a sender
    with a daily cap has its place before it leaves, so that others count it.

    Sent once, but for a crash between the mail server's yes and our commit: then the same message, by the same
    Message-ID, goes out again.
    """
    delivery, subscription, failure = _locked(delivery_id)
    if delivery.status == NotificationDelivery.Status.SENT:
        return str(delivery.status)
    sender = sender_of(delivery.channel)
    if sender and sender.daily_cap is not None and not failure:
        if until := place_take(delivery, sender):
            _put_off(delivery, sender, until)
            return str(delivery.status)
        commit()
        delivery, subscription, failure = _locked(delivery_id)
    delivery.attempts += 1
    temporary = False
    if not failure:
        try:
            delivery_depart(delivery, subscription, sender)
        except Unsent as error:
            failure, temporary = storable(str(error))[:2000], not (is_last_attempt or error.is_permanent)
    if not failure:
        delivery.sent_at = timezone.now()
        delivery.status = NotificationDelivery.Status.SENT
    else:
        delivery.counted_at = None
        if not temporary:
            delivery.status = NotificationDelivery.Status.FAILED
    delivery.error = failure
    delivery.save(update_fields=["attempts", "sent_at", "status", "error", "counted_at"])
    if temporary:
        raise TryAgain(failure)
    if delivery.kind == NotificationDelivery.Kind.DIGEST:
        delivery.parts.update(status=delivery.status, sent_at=delivery.sent_at, error=failure)
    return str(delivery.status)


def _put_off(delivery: NotificationDelivery, sender: ChannelConfig, until: datetime) -> None:
    """Over the cap it goes the next day, and those who operate are told: the inbox at once, mail when it may."""
    said = f"The daily cap of {sender.daily_cap} is reached: it goes out from {until:%Y-%m-%d %H:%M} UTC on."
    delivery.not_before, delivery.error, delivery.counted_at = until, said, None
    delivery.save(update_fields=["not_before", "error", "counted_at"])
    key = f"deliver {delivery.pk} {until:%Y-%m-%d}"
    job_enqueue(Order(task=DELIVER, queue="mail", args=[str(delivery.pk)], run_after=until, dedupe_key=key))
    channel = delivery.get_channel_display()
    notify(
        topic=OPS_CRITICAL, subject=f"The daily cap of {channel} is reached", dedupe_key=f"cap {delivery.channel} {until.date()}",
        body=f"{sender.daily_cap} messages have left today. What follows waits until {until:%Y-%m-%d %H:%M} UTC.\n",
        about=About(severity=Severity.WARNING),
    )


def _locked(delivery_id: UUID) -> tuple[NotificationDelivery, TopicSubscription | None, str]:
    """With what its subscriber says against it."""
    delivery: NotificationDelivery = NotificationDelivery.objects.select_for_update().get(pk=delivery_id)
    subscription = TopicSubscription.objects.select_related("topic").filter(pk=delivery.subscription_id).first()
    return delivery, subscription, _refused_by_subscriber(delivery, subscription)


def _refused_by_subscriber(delivery: NotificationDelivery, subscription: TopicSubscription | None) -> str:
    """A message may wait for hours, and its subscriber leave or move meanwhile."""
    if delivery.kind == NotificationDelivery.Kind.DIGEST:
        return ""  # asked of each of its messages as they were put together
    if subscription is None:
        return "The subscription was deleted before the message was sent."
    if (subscription.channel, subscription.address) != (delivery.channel, delivery.address):
        return "The subscription has another address now."
    status, statuses = subscription.status, TopicSubscription.Status
    if delivery.kind == NotificationDelivery.Kind.CONFIRMATION:
        return "" if status == statuses.PENDING else "There is nothing to confirm any more."
    if status == statuses.CONFIRMED or (status == statuses.UNSUBSCRIBED and subscription.topic.is_mandatory):
        return ""
    return "The subscriber left before the message was sent."

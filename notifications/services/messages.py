"""Messages to those who subscribed: one delivery and one job for each, so that each is tried for itself."""

from uuid import UUID

from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.tenancy import active_scope
from core.text import storable
from notifications.models import NotificationDelivery, Topic, TopicSubscription
from notifications.services.departures import Unsent, about, delivery_depart
from notifications.services.jobs import DOORBELL, JOB_ONCE, Order, TryAgain, job_enqueue
from notifications.services.ringing import ring_away

DELIVER = "notifications.tasks.deliver"

NOTIFY = f"""
    WITH told AS (
        INSERT INTO notifications_notificationdelivery
            (id, organization_id, subscription_id, dedupe_key, channel, address, subject, body)
        SELECT uuid7(), s.organization_id, s.id, %(key)s, s.channel, s.address, %(subject)s, %(body)s
        FROM notifications_topic AS t
        JOIN notifications_topicsubscription AS s ON s.organization_id = t.organization_id AND s.topic_id = t.id
        LEFT JOIN accounts_membership AS m ON m.organization_id = s.organization_id AND m.id = s.membership_id
        WHERE t.organization_id = %(organization)s AND t.key = %(topic)s
            AND (s.status = 'confirmed' OR (t.is_mandatory AND s.status = 'unsubscribed'))
            AND (s.membership_id IS NULL OR m.status = 'active')
        ON CONFLICT (organization_id, subscription_id, dedupe_key) DO NOTHING
        RETURNING id, organization_id
    ), made AS (
        INSERT INTO notifications_job (id, organization_id, task, queue, arguments, dedupe_key, origin)
        SELECT uuid7(), organization_id, '{DELIVER}', 'mail',
               jsonb_build_object('args', jsonb_build_array(id), 'kwargs', '{{}}'::jsonb), 'deliver ' || id, %(origin)s
        FROM told {JOB_ONCE} RETURNING id
    )
    SELECT count(*), {DOORBELL}, array_agg(id) FROM made
"""


def topic_ensure(*, key: str, name: str, category: str = "") -> Topic:
    """An existing one stays as it is."""
    return Topic.objects.get_or_create(key=key, defaults={"name": name, "category": category})[0]  # type: ignore[no-any-return]


def notify(*, topic: str, subject: str, body: str, dedupe_key: str) -> int:
    """Tell a topic's subscribers, each at most once for a dedupe_key; returns how many had not been told."""
    scope = active_scope()
    with connection.cursor() as cursor:
        cursor.execute(NOTIFY, {
            "organization": scope.organization_id, "topic": topic, "subject": " ".join(subject.split())[:200], "body": body,
            "key": dedupe_key, "origin": scope.origin.as_json(),
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


def delivery_send(*, delivery_id: UUID, is_last_attempt: bool) -> str:
    """Raises TryAgain when nobody could take it now.

    Sent once, but for a crash between the mail server's yes and our commit: then the same message, by the same
    Message-ID, goes out again.
    """
    delivery = NotificationDelivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.status == NotificationDelivery.Status.SENT:
        return str(delivery.status)
    delivery.attempts += 1
    subscription = TopicSubscription.objects.select_related("topic").filter(pk=delivery.subscription_id).first()
    failure = _refused_by_subscriber(delivery, subscription)
    temporary = False
    if subscription and not failure:
        try:
            delivery_depart(delivery, subscription)
        except Unsent as error:
            failure, temporary = storable(str(error))[:2000], not (is_last_attempt or error.is_permanent)
    if not failure:
        delivery.sent_at = timezone.now()
        delivery.status = NotificationDelivery.Status.SENT
    elif not temporary:
        delivery.status = NotificationDelivery.Status.FAILED
    delivery.error = failure
    delivery.save(update_fields=["attempts", "sent_at", "status", "error"])
    if temporary:
        raise TryAgain(failure)
    return str(delivery.status)


def _refused_by_subscriber(delivery: NotificationDelivery, subscription: TopicSubscription | None) -> str:
    """A message may wait for hours, and its subscriber leave or move meanwhile."""
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

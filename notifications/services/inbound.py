"""Webhooks that come in: kept first, processed by a job, kept from having their effect twice."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.errors import Conflict, DomainError
from core.json import dumps
from core.text import storable
from notifications.bodies import external_id_of, kept_headers, media_type, payload_of, type_of
from notifications.events import InboundWebhookReceived
from notifications.models import InboundWebhook
from notifications.models.work import MAX_ATTEMPTS
from notifications.queries.inbound import SourceFound
from notifications.receiving import Received, receivers
from notifications.services.events import publish
from notifications.services.jobs import Order, TryAgain, job_enqueue
from notifications.verifying import Message

PROCESS = "notifications.tasks.process_inbound"
MOST_AT_ONCE = 500  # that one request has processed again
LARGEST_TOLD = 128 * 1024  # bytes of a payload that goes with its event, which EventBridge bounds at 256 KB in all
HOUR = "%Y-%m-%d %H:00"

# Ten that arrive together wait for the first one's commit, and then find its row.
KEEP = """
    INSERT INTO notifications_inboundwebhook
        (id, organization_id, source_id, external_id, type, signature_ok, headers, payload, body_hash, replay_key)
    VALUES (%(id)s, %(organization)s, %(source)s, %(external_id)s, %(type)s, true, %(headers)s, %(payload)s, %(body_hash)s,
            %(replay_key)s)
    ON CONFLICT DO NOTHING
"""

FIND = """
    SELECT id FROM notifications_inboundwebhook
    WHERE organization_id = %(organization)s AND source_id = %(source)s
        AND (external_id = %(external_id)s OR (replay_key <> '' AND replay_key = %(replay_key)s))
    ORDER BY id LIMIT 1
"""

# Not while it is being processed: the sender does not wait for that.
COUNT = """
    UPDATE notifications_inboundwebhook
    SET repeats = repeats + 1, differing_repeats = differing_repeats + (body_hash <> %(body_hash)s)::int
    WHERE organization_id = %(organization)s AND id = (
        SELECT id FROM notifications_inboundwebhook
        WHERE organization_id = %(organization)s AND id = %(found)s FOR NO KEY UPDATE SKIP LOCKED)
"""

# A row for each hour, whatever comes: what is turned away must not fill the disk. A source's own ids begin with no space.
REJECT = """
    INSERT INTO notifications_inboundwebhook AS w
        (id, organization_id, source_id, external_id, type, signature_ok, headers, body_hash, status, error)
    VALUES (uuid7(), %s, %s, %s, '', false, '{}', '', 'rejected', %s)
    ON CONFLICT (organization_id, source_id, external_id) DO UPDATE SET repeats = w.repeats + 1, error = excluded.error
"""


@dataclass(frozen=True, slots=True)
class Kept:
    id: UUID
    is_new: bool


class Reprocessed(NamedTuple):
    done: int
    more: bool


def inbound_webhook_keep(*, source: SourceFound, message: Message) -> Kept:
    """One whose signature is right, with the job that processes it; what came before is only counted."""
    kind = media_type(message.headers)
    payload = payload_of(kind, message.body)
    body_hash, type = sha256(message.body).hexdigest(), type_of(source.recipe, message, payload)
    replay_key = "" if source.recipe.signs_the_id else sha256(f"{type}\0{body_hash}".encode()).hexdigest()
    webhook_id: UUID = uuid7()
    values: dict[str, Any] = {
        "id": webhook_id, "organization": source.organization_id, "source": source.id, "type": type,
        "external_id": external_id_of(source.recipe, message, payload), "body_hash": body_hash, "replay_key": replay_key,
        "headers": dumps(kept_headers(source.recipe, message.headers)).decode(), "payload": dumps(payload).decode(),
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)
        if cursor.rowcount:
            _enqueue(webhook_id)
            return Kept(webhook_id, is_new=True)
        cursor.execute(FIND, values)
        if (row := cursor.fetchone()) is None:  # purged at this very moment
            raise Conflict("This webhook is being forgotten: send it again.")
        cursor.execute(COUNT, {**values, "found": row[0]})
    return Kept(row[0], is_new=False)


def inbound_webhook_reject(*, source: SourceFound, fault: str) -> None:
    """Counts, by the hour, what a source was not believed; of what it sent nothing is kept."""
    hour = timezone.now().strftime(f" rejected {HOUR}")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")  # of a count, a few may be lost
        cursor.execute(REJECT, [source.organization_id, source.id, hour, fault])


def inbound_webhook_process(*, webhook_id: UUID, is_last_attempt: bool) -> str:
    """Returns its status. Raises TryAgain, whose job then runs again or is dead; a webhook that is done stays as it is."""
    webhook = InboundWebhook.objects.select_for_update(no_key=True, of=("self",)).select_related("source").get(pk=webhook_id)
    if webhook.status not in (InboundWebhook.Status.RECEIVED, InboundWebhook.Status.FAILED):
        return str(webhook.status)
    webhook.attempts += 1
    try:
        with transaction.atomic():
            _hand_over(webhook)
            with connection.cursor() as cursor:  # what is only checked at the end would undo our note as well
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
            raise
        _note_failure(webhook, error, is_final=is_last_attempt or isinstance(error, DomainError))
        if isinstance(error, DomainError):
            return str(webhook.status)
        raise TryAgain(webhook.error) from error
    webhook.status, webhook.error, webhook.processed_at = InboundWebhook.Status.PROCESSED, "", timezone.now()
    webhook.save(update_fields=["status", "attempts", "error", "processed_at"])
    return str(webhook.status)


def inbound_webhook_reprocess(*, webhook_id: UUID) -> None:
    """Raises Conflict for one that is processed already, or that was never believed."""
    _again(InboundWebhook.objects.select_for_update(no_key=True).get(pk=webhook_id))


def inbound_webhooks_reprocess(*, webhooks: QuerySet[InboundWebhook]) -> Reprocessed:
    """Of these the failed and the ignored ones, the oldest first and not without end."""
    waiting = webhooks.filter(status__in=[InboundWebhook.Status.FAILED, InboundWebhook.Status.IGNORED])
    found = list(waiting.order_by("id").select_for_update(no_key=True, skip_locked=True, of=("self",))[: MOST_AT_ONCE + 1])
    for webhook in found[:MOST_AT_ONCE]:
        _again(webhook)
    return Reprocessed(len(found[:MOST_AT_ONCE]), len(found) > MOST_AT_ONCE)


def inbound_webhook_ignore(*, webhook_id: UUID, reason: str) -> None:
    """Raises Conflict for one that is processed already, or that was never believed."""
    webhook = InboundWebhook.objects.select_for_update(no_key=True).get(pk=webhook_id)
    _refuse_settled(webhook)
    webhook.status, webhook.ignored_reason = InboundWebhook.Status.IGNORED, reason
    webhook.save(update_fields=["status", "ignored_reason"])


def _again(webhook: InboundWebhook) -> None:
    _refuse_settled(webhook)
    webhook.status, webhook.attempts, webhook.error, webhook.ignored_reason = InboundWebhook.Status.RECEIVED, 0, "", ""
    webhook.save(update_fields=["status", "attempts", "error", "ignored_reason"])
    _enqueue(webhook.pk)


def _refuse_settled(webhook: InboundWebhook) -> None:
    if webhook.status == InboundWebhook.Status.PROCESSED:
        raise Conflict("It is processed: doing that twice would have its effect twice.", code="already_processed")
    if webhook.status == InboundWebhook.Status.REJECTED:
        raise Conflict("This stands for calls that were turned away: nothing of them is kept.", code="was_rejected")


def _hand_over(webhook: InboundWebhook) -> None:
    source = webhook.source
    received = Received(
        id=str(webhook.pk), source=source.key, scheme=source.scheme, external_id=webhook.external_id, type=webhook.type,
        payload=webhook.payload, headers=webhook.headers, received_at=webhook.created_at.isoformat(),
    )
    functions = receivers(source=source.key, scheme=source.scheme, type=webhook.type)
    for function in functions:
        function(received)
    if not functions:
        _tell(webhook.pk, received)


def _tell(webhook_id: UUID, received: Received) -> None:
    """Where no code takes it, a subscription may."""
    payload: Any = received["payload"]
    is_told = len(dumps(payload)) <= LARGEST_TOLD
    told = InboundWebhookReceived(
        source=received["source"], type=received["type"], external_id=received["external_id"],
        payload=payload if is_told else None, is_whole=is_told,
    )
    publish(told, aggregate_id=webhook_id)


def _note_failure(webhook: InboundWebhook, error: Exception, *, is_final: bool) -> None:
    text = (error.detail if isinstance(error, DomainError) else f"{type(error).__name__}: {error}")[:2000]
    webhook.error = storable(text)
    if is_final:
        webhook.status = InboundWebhook.Status.FAILED
    webhook.save(update_fields=["status", "attempts", "error"])


def _enqueue(webhook_id: UUID) -> None:
    job_enqueue(Order(
        task=PROCESS, queue="default", args=[str(webhook_id)], kwargs={}, priority=0, run_after=None,
        max_attempts=MAX_ATTEMPTS, dedupe_key="",
    ))

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from accounts.services.retention import purge_everywhere
from accounts.services.seals import audit_seal_everywhere
from core.budget import Budget
from core.metrics import Metric, emit
from notifications.event_archive import event_archive_purge, events_archive
from notifications.exports import export_write, exports_purge
from notifications.queries.measures import measures
from notifications.queries.operations import queues
from notifications.schedules import ZoneTick, scheduled, scheduled_in_each_zone
from notifications.services.alerting import alerts_evaluate_everywhere
from notifications.services.alerts import dead_letters_tell
from notifications.services.digests import digest_make
from notifications.services.external_search import external_search_run
from notifications.services.inbound import inbound_webhook_process
from notifications.services.messages import delivery_send
from notifications.services.watching import checks_begin, member_checks_begin, watched_compare, watched_read
from notifications.services.watching_mail import digest_begin, digest_tell, digests_begin, hits_tell

TICK_SECONDS = 25.0  # of the 30 that a function has; what is left is done by the next tick


@task(queue_name="mail", takes_context=True)
def deliver(context: Any, delivery_id: str) -> str:
    return delivery_send(
        delivery_id=UUID(delivery_id), is_last_attempt=context.is_last_attempt, commit=lambda: context.checkpoint(None),
    )


@task(queue_name="mail")
def digest(membership_id: str, channel: str) -> int:
    return digest_make(membership_id=UUID(membership_id), channel=channel)


@task(takes_context=True)
def process_inbound(context: Any, webhook_id: str) -> str:
    return inbound_webhook_process(webhook_id=UUID(webhook_id), is_last_attempt=context.is_last_attempt)


@task(takes_context=True)
def export(context: Any, resource: str, query: str, format: str) -> dict[str, Any]:
    return export_write(context, resource=resource, query=query, form=format)


@task(queue_name="search", takes_context=True)
def search_external(context: Any, source_id: str, kind: str, query: str, again: bool) -> dict[str, Any]:
    return external_search_run(context, source_id=UUID(source_id), kind=kind, query=query, again=again)


@task(queue_name="scheduler")
def begin_digests(day: str) -> int:
    return digests_begin(day=day)


@task(queue_name="scheduler")
def begin_digest(membership_id: str, day: str) -> str:
    return str(digest_begin(membership_id=UUID(membership_id), day=day))


@task(queue_name="scheduler")
def tell_digest(membership_id: str, day: str, seen: dict[str, Any]) -> int:
    return digest_tell(membership_id=UUID(membership_id), day=day, seen=seen)


@scheduled_in_each_zone("cron(0 5 * * ? *)")
def daily_digests(tick: ZoneTick) -> None:
    tick.enqueue(begin_digests)


@task(queue_name="scheduler")
def begin_checks(day: str) -> int:
    return checks_begin(day=day)


@task(queue_name="watch")
def begin_member_checks(membership_id: str, day: str) -> list[str]:
    return list(map(str, member_checks_begin(membership_id=UUID(membership_id))))


@task(queue_name="watch", takes_context=True)
def read_watched(context: Any, watch_ids: list[str], again: bool = False) -> dict[str, Any]:
    return watched_read(context, watch_ids=watch_ids, again=again)


@task(queue_name="watch")
def compare_watched(seen: dict[str, Any]) -> list[str]:
    return watched_compare(seen=seen)


@task(queue_name="watch")
def tell_hits(hits: list[str]) -> int:
    return hits_tell(hits=hits)


@scheduled_in_each_zone("cron(0 6 * * ? *)")
def watch_checks(tick: ZoneTick) -> None:
    tick.enqueue(begin_checks)


@scheduled("cron(15/5 2 * * ? *)")
def purge(event: Any = None, context: Any = None) -> None:
    exports_purge()
    event_archive_purge()
    purge_everywhere(budget=Budget(TICK_SECONDS))


@task()
def archive_events(day: str) -> dict[str, int]:
    """Of the day before this one."""
    return {"events": events_archive(day=date.fromisoformat(day) - timedelta(1))}


def event_archive(tick: ZoneTick) -> None:
    tick.enqueue(archive_events)


if settings.EVENT_ARCHIVE_DAYS:
    scheduled_in_each_zone("cron(45 0 * * ? *)")(event_archive)


@scheduled("cron(0/5 3 * * ? *)")
def audit_seal(event: Any = None, context: Any = None) -> None:
    audit_seal_everywhere(budget=Budget(TICK_SECONDS))


@scheduled("rate(5 minutes)")
def dead_letters(event: Any = None, context: Any = None) -> None:
    dead_letters_tell()


@scheduled("rate(1 minute)", catch_up=False)
def alerts(event: Any = None, context: Any = None) -> None:
    alerts_evaluate_everywhere()


def metrics(event: Any = None, context: Any = None) -> None:
    """One line for the installation, one for each queue. Whoever leases the minute says it."""
    minute = timezone.now().replace(second=0, microsecond=0)
    emit({name: Metric(value) for name, value in measures(until=minute).items()})
    for queue in queues(using="worker"):
        emit({"QueueDepth": Metric(queue.depth), "OldestAge": Metric(round(queue.age, 3), "Seconds")}, Queue=queue.name)


if settings.METRICS == "emf":
    scheduled("rate(1 minute)", catch_up=False)(metrics)

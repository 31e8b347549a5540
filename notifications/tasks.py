from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from accounts.services.retention import purge_everywhere
from accounts.services.seals import audit_seal_everywhere
from core.budget import Budget
from core.metrics import Metric, emit
from notifications.exports import export_write, exports_purge
from notifications.queries.measures import measures
from notifications.queries.operations import queues
from notifications.schedules import scheduled
from notifications.services.alerting import alerts_evaluate_everywhere
from notifications.services.alerts import dead_letters_tell
from notifications.services.digests import digest_make
from notifications.services.inbound import inbound_webhook_process
from notifications.services.messages import delivery_send

TICK_SECONDS = 25.0  # of the 30 that a function has; what is left is done by the next tick


@task(queue_name="mail", takes_context=True)
def deliver(context: Any, delivery_id: str) -> str:
    return delivery_send(delivery_id=UUID(delivery_id), is_last_attempt=context.is_last_attempt)


@task(queue_name="mail")
def digest(membership_id: str, channel: str) -> int:
    return digest_make(membership_id=UUID(membership_id), channel=channel)


@task(takes_context=True)
def process_inbound(context: Any, webhook_id: str) -> str:
    return inbound_webhook_process(webhook_id=UUID(webhook_id), is_last_attempt=context.is_last_attempt)


@task(takes_context=True)
def export(context: Any, resource: str, query: str, format: str) -> dict[str, Any]:
    return export_write(context, resource=resource, query=query, form=format)


@scheduled("cron(15/5 2 * * ? *)")
def purge(event: Any = None, context: Any = None) -> None:
    exports_purge()
    purge_everywhere(budget=Budget(TICK_SECONDS))


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

from typing import Any
from uuid import UUID

from django_tasks import task

from accounts.services.retention import purge_everywhere
from accounts.services.seals import audit_seal_everywhere
from core.budget import Budget
from notifications.schedules import scheduled
from notifications.services.inbound import inbound_webhook_process
from notifications.services.messages import delivery_send

TICK_SECONDS = 25.0  # of the 30 that a function has; what is left is done by the next tick


@task(queue_name="mail", takes_context=True)
def deliver(context: Any, delivery_id: str) -> str:
    return delivery_send(delivery_id=UUID(delivery_id), is_last_attempt=context.is_last_attempt)


@task(takes_context=True)
def process_inbound(context: Any, webhook_id: str) -> str:
    return inbound_webhook_process(webhook_id=UUID(webhook_id), is_last_attempt=context.is_last_attempt)


@scheduled("cron(15/5 2 * * ? *)")
def purge(event: Any = None, context: Any = None) -> None:
    purge_everywhere(budget=Budget(TICK_SECONDS))


@scheduled("cron(0/5 3 * * ? *)")
def audit_seal(event: Any = None, context: Any = None) -> None:
    audit_seal_everywhere(budget=Budget(TICK_SECONDS))

from typing import Any
from uuid import UUID

from django_tasks import task

from notifications.services.messages import delivery_send


@task(queue_name="mail", takes_context=True)
def deliver(context: Any, delivery_id: str) -> str:
    return delivery_send(delivery_id=UUID(delivery_id), is_last_attempt=context.is_last_attempt)

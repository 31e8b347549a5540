"""What the clock starts, and what requests leave to a job."""

from typing import Any
from uuid import UUID

from django_tasks import task

from notifications.schedules import scheduled
from orders.services.payment_runs import payment_run, payments_resume_everywhere


@task()
def run_payment(payment_id: str) -> str:
    return payment_run(payment_id=UUID(payment_id))


@scheduled("rate(15 minutes)")
def resume_payments(event: Any = None, context: Any = None) -> None:
    """Those of which nobody knows what became of them."""
    payments_resume_everywhere()

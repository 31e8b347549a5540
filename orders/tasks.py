"""What the clock starts, and what requests leave to a job."""

from uuid import UUID

from django_tasks import task

from notifications.schedules import scheduled
from orders.services.backorders import backorders_fill_everywhere
from orders.services.payment_runs import payment_run, payments_resume_everywhere
from orders.services.sales_days import sales_days_follow_everywhere
from orders.services.stuck import stuck_orders_find_everywhere


@scheduled("rate(1 minute)", catch_up=False)
def fill_backorders() -> None:
    """Goods that came go to who waits for them, in the order of their orders."""
    backorders_fill_everywhere()


@scheduled("rate(15 minutes)", catch_up=False)
def find_stuck_orders() -> None:
    """Orders that stand still for longer than their channel allows."""
    stuck_orders_find_everywhere()


@scheduled("rate(15 minutes)", catch_up=False)
def sum_sales_days() -> None:
    """Days that are over, and those of which an order has changed since: reports read them instead of orders."""
    sales_days_follow_everywhere()


@task()
def run_payment(payment_id: str) -> str:
    return payment_run(payment_id=UUID(payment_id))


@scheduled("rate(15 minutes)")
def resume_payments() -> None:
    """Those of which nobody knows what became of them."""
    payments_resume_everywhere()

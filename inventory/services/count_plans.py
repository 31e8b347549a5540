"""Cycle counts: what a plan says is due comes on a sheet by itself."""

from typing import Any

from django.db import transaction

from core.errors import Conflict
from inventory.models import StockCount, StockCountPlan
from inventory.services.counts import Selection, Terms, stock_count_open


def stock_count_plans_open() -> list[StockCount]:
    """A count for each active plan of which nobody has an unfinished one, if something is due."""
    plans = StockCountPlan.objects.filter(is_active=True, warehouse__archived_at=None).exclude(pk__in=_busy())
    opened = (stock_count_plan_open(plan=plan) for plan in plans.order_by("pk"))
    return [count for count in opened if count]


def stock_count_plan_open(*, plan: StockCountPlan) -> StockCount | None:
    """None if nothing is due, or the plan has an unfinished one: whoever opens one has locked the plan."""
    selection = Selection(plan.warehouse_id, abc_class=plan.abc_class, days=plan.every_days, limit=plan.lines_at_once)
    terms = Terms(
        kind=StockCount.Kind.CYCLE, is_blind=plan.is_blind, tolerance_quantity=plan.tolerance_quantity,
        tolerance_percent=plan.tolerance_percent,
    )
    try:
        with transaction.atomic():
            locked = StockCountPlan.objects.select_for_update(no_key=True).filter(pk=plan.pk).first()
            if locked is None or _busy().filter(plan_id=plan.pk).exists():
                return None
            return stock_count_open(selection=selection, terms=terms, plan_id=plan.pk)
    except Conflict:
        return None


def _busy() -> Any:
    """The plans of which somebody has a count to do."""
    return StockCount.objects.filter(status__in=StockCount.UNFINISHED).exclude(plan=None).values("plan_id")

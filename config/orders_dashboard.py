"""What orders do, on the admin's first page."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format

from accounts.models import Organization
from config.charts import CHART_OPTIONS, Card
from core.limits import reach
from inventory.queries.spans import DAY, Days
from orders.models import SalesOrder
from orders.queries.order_analytics import Sales, revenue, states

VIEW = "orders.view_salesorder"
OPEN = set(SalesOrder.Status) - {*SalesOrder.OVER, SalesOrder.Status.DELIVERED}


def context(request: Any) -> dict[str, Any]:
    """Of the last 30 days; empty for members who may not see orders."""
    if not request.user.has_perm(VIEW):
        return {}
    organization = Organization.objects.get()
    sales = Sales(reach(request.principal, VIEW))
    span = Days(period=DAY).span(ZoneInfo(organization.timezone), timezone.now())
    brought = revenue(sales, span, by_period=True)
    by_day = {row["from_day"]: row["revenue"] for row in brought.rows}
    per_day = [(period.first, by_day.get(period.first, Decimal(0))) for period in span.periods]
    waiting = sum(row["orders"] for row in states(sales, span).rows if row["status"] in OPEN)
    page = reverse("admin:orders_salesorder_changelist")
    return {
        "order_cards": [
            Card("Orders", _number(brought.totals["orders"]), "placed in 30 days", page),
            Card("To fulfil", _number(waiting), "of these, not delivered yet", page),
            Card("Revenue", _money(brought.totals["revenue"]), f"{organization.base_currency} in 30 days, net", page),
        ],
        "revenue_currency": organization.base_currency,
        "revenue_per_day": [(day, _money(amount)) for day, amount in per_day],
        "revenue_chart": orjson.dumps({
            "labels": [f"{day:%b} {day.day}" for day, _ in per_day],
            "datasets": [{
                "label": "Revenue", "data": [float(amount) for _, amount in per_day],
                "backgroundColor": "var(--color-primary-500)", "borderRadius": 3,
            }],
        }).decode(),
        "revenue_chart_options": orjson.dumps(CHART_OPTIONS).decode(),
    }


def _number(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)


def _money(amount: Decimal) -> str:
    return number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=True)

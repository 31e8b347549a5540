"""Rules that most organizations want, made by one click."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from notifications.measuring import is_metric
from notifications.models import AlertRule
from notifications.services.operators import operators_topic
from notifications.severity import Severity

# Of all apps: what an app measures is named, and left out where it is not installed.
PRESETS: tuple[dict[str, Any], ...] = (
    {"name": "Dead letters", "metric": "dead_letters", "severity": Severity.CRITICAL, "renotify_minutes": 1440},
    {"name": "Jobs fail", "metric": "jobs_failed_percent", "threshold": Decimal(5), "for_minutes": 10},
    {"name": "Webhooks are given up", "metric": "deliveries_failed_percent", "threshold": Decimal(5), "for_minutes": 10},
    {"name": "Webhook endpoints fail", "metric": "webhooks_failing", "for_minutes": 15},
    {"name": "Incoming webhooks fail", "metric": "inbound_failed", "severity": Severity.CRITICAL},
    {"name": "Messages fail", "metric": "messages_failed", "threshold": Decimal(5)},
    {"name": "Orders stand still", "metric": "orders_stuck", "renotify_minutes": 1440},
    {"name": "Orders in error", "metric": "orders_in_error", "severity": Severity.CRITICAL},
    {"name": "Sold below cost", "metric": "lines_below_cost", "window_minutes": 1440},
    {"name": "Payments fail", "metric": "payments_failed", "threshold": Decimal(5)},
    {"name": "Much is low", "metric": "low_stock", "threshold": Decimal(20), "for_minutes": 60, "severity": Severity.INFO},
)


@transaction.atomic
def alert_rules_add_presets() -> list[AlertRule]:
    """Those whose name is not taken, told to the topic of those who operate. Returns what was made."""
    topic = operators_topic()
    taken = set(AlertRule.objects.values_list("name", flat=True))
    rows = [AlertRule(topic=topic, **one) for one in PRESETS if one["name"] not in taken and is_metric(one["metric"])]
    made: list[AlertRule] = AlertRule.objects.bulk_create(rows, ignore_conflicts=True)
    return made

"""Numbers that alert rules watch. An app declares its own in `<app>/alert_metrics.py`:

    declare(Metric("low_stock", "Reorder rules that are low", "SELECT count(*) FROM … WHERE organization_id = %(organization)s"))

An organization's rules are measured by one statement, of which each metric is a scalar subquery.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from core.tenancy import active_organization_id


class Metric(NamedTuple):
    """`sql` gives one number, or NULL where there is nothing to count. It sees %(organization)s; one that `looks_back`
    also {since}, the beginning of the rule's window, and {since_id}, below which no id of that time lies.
    """

    key: str
    name: str
    sql: str
    unit: str = ""
    looks_back: bool = False


class Wanted(NamedTuple):
    metric: str
    window_minutes: int


_declared: dict[str, Metric] = {}


def declare(metric: Metric) -> Metric:
    """Raises ValueError for a key that has been given away."""
    if metric.key in _declared:
        raise ValueError(f"The metric {metric.key} is declared twice.")
    _declared[metric.key] = metric
    return metric


@cache
def metrics() -> Mapping[str, Metric]:
    """By key, in alphabetical order."""
    autodiscover_modules("alert_metrics")
    return {key: _declared[key] for key in sorted(_declared)}


def is_metric(key: str) -> bool:
    return key in metrics()


def measure(wanted: set[Wanted]) -> dict[Wanted, Any]:
    """Of the active organization, in one statement; None where there is nothing to count, or no such metric any more."""
    known = sorted(one for one in wanted if is_metric(one.metric))
    if not known:
        return {}
    now, columns = timezone.now(), []
    values: dict[str, Any] = {"organization": active_organization_id()}
    for number, one in enumerate(known):
        since = now - timedelta(minutes=one.window_minutes)
        values |= {f"since_{number}": since, f"since_id_{number}": first_id_of(since)}
        sql = metrics()[one.metric].sql
        columns.append(f"({sql.replace('{since}', f'%(since_{number})s').replace('{since_id}', f'%(since_id_{number})s')})")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)}", values)
        return dict(zip(known, cursor.fetchone(), strict=True))


def first_id_of(moment: datetime) -> UUID:
    """No UUIDv7 that was made since then is smaller."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62)

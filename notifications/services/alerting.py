"""Whether alert rules hold, and what follows: one alert at a time for each rule, which resolves itself."""

from datetime import datetime, timedelta
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from core.errors import Conflict, Invalid
from core.in_turn import in_turn
from core.tenancy import Origin, organization_scope
from notifications.events import AlertOpened, AlertResolved
from notifications.measuring import Wanted, measure, metrics
from notifications.models import Alert, AlertRule
from notifications.services.events import publish
from notifications.services.messages import About, notify

Status, Comparator = Alert.Status, AlertRule.Comparator
HOLDS = {Comparator.GT: gt, Comparator.GTE: ge, Comparator.LT: lt, Comparator.LTE: le}
LONGEST_SILENCE = timedelta(days=30)

# Those with something to look at: all others cost nothing.
WITH_RULES = """
    SELECT o.id FROM accounts_organization AS o WHERE o.status = 'active' AND (
        EXISTS (SELECT FROM notifications_alertrule AS r WHERE r.organization_id = o.id AND r.is_active)
        OR EXISTS (SELECT FROM notifications_alert AS a WHERE a.organization_id = o.id
                   AND a.status IN ('pending', 'open', 'acknowledged', 'silenced')))
"""


def alerts_evaluate_everywhere() -> int:
    """One organization after the other, each in a transaction of its own; returns how many alerts opened or were resolved."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(WITH_RULES)
        organizations: list[UUID] = [row[0] for row in cursor.fetchall()]
    return in_turn(organizations, _evaluate_in)


def _evaluate_in(organization: UUID) -> int:
    with organization_scope(organization, origin=Origin(reason="alert")):
        return alerts_evaluate()


@transaction.atomic
def alerts_evaluate() -> int:
    """Of the active organization. Of two at the same time each rule is one's; the other leaves it out."""
    rules = list(
        AlertRule.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(is_active=True)
        .select_related("topic").order_by("id")
    )  # fmt: skip
    current = {
        alert.rule_id: alert
        for alert in Alert.objects.filter(rule__in=rules).exclude(status=Status.RESOLVED).select_for_update(of=("self",))
    }
    values = measure({Wanted(rule.metric, rule.window_minutes) for rule in rules})
    now = timezone.now()
    changed = sum(
        _follow(rule, current.get(rule.pk), values.get(Wanted(rule.metric, rule.window_minutes)), now) for rule in rules
    )
    return changed + _without_rule(now)


def _follow(rule: AlertRule, alert: Alert | None, value: Any, now: datetime) -> int:
    """Whether an alert opened or was resolved."""
    if value is None or not HOLDS[Comparator(rule.comparator)](Decimal(value), rule.threshold):
        return _resolve(alert, now, told_to=rule.topic.key) if alert else 0
    value = Decimal(value)
    if alert is None:
        alert = Alert(
            rule=rule, fingerprint=str(rule.pk), title=f"{rule.name}: {_condition(rule)}"[:200], severity=rule.severity,
            value=value,
        )
    alert.value = value
    if alert.status == Status.PENDING:
        return _wait_or_open(rule, alert, now)
    if alert.status == Status.SILENCED and _is_over(alert.silenced_until, 0, now):
        alert.status, alert.silenced_until = Status.OPEN, None
        _tell(rule, alert, now)
    elif alert.status == Status.OPEN and rule.renotify_minutes and _is_over(alert.told_at, rule.renotify_minutes, now):
        _tell(rule, alert, now)
    alert.save(update_fields=["status", "silenced_until", "value", "told_at", "times_told"])
    return 0


def _wait_or_open(rule: AlertRule, alert: Alert, now: datetime) -> int:
    since = now if alert._state.adding else alert.created_at
    if rule.for_minutes and not _is_over(since, rule.for_minutes, now):
        alert.save()
        return 0
    alert.status, alert.opened_at = Status.OPEN, now
    _tell(rule, alert, now)
    alert.save()
    publish(AlertOpened(
        rule=rule.pk, title=alert.title, metric=rule.metric, severity=alert.severity, value=alert.value, threshold=rule.threshold,
    ), aggregate_id=alert.pk)
    return 1


def _tell(rule: AlertRule, alert: Alert, now: datetime) -> None:
    alert.told_at, alert.times_told = now, alert.times_told + 1
    metric = metrics()[rule.metric]
    since = f" since {alert.opened_at:%Y-%m-%d %H:%M} UTC" if alert.opened_at and alert.times_told > 1 else ""
    span = f" of the last {rule.window_minutes} minutes" if metric.looks_back else ""
    _say(
        rule.topic.key, alert, f"{alert.get_severity_display()}: {alert.title}",
        f"{metric.name}{span}: {plain(alert.value)}{metric.unit}, {_condition(rule)}{since}.\n"
        f"Acknowledge it, and it is not told again; it resolves itself: {settings.PUBLIC_URL.rstrip('/')}{_page_of(alert)}\n",
    )


def _say(topic: str, alert: Alert, subject: str, body: str) -> None:
    notify(
        topic=topic, subject=subject, body=body, dedupe_key=f"alert {alert.pk} {alert.times_told} {alert.status}",
        about=About(alert.severity, _page_of(alert), f"alert {alert.pk}"),
    )


def _page_of(alert: Alert) -> str:
    return f"/admin/notifications/alert/{alert.pk}/change/"  # `reverse` would import the whole admin into the worker


def _resolve(alert: Alert, now: datetime, *, told_to: str = "") -> int:
    """What only waited to open never was."""
    if alert.status == Status.PENDING:
        alert.delete()
        return 0
    was_silent = alert.status == Status.SILENCED
    alert.status, alert.resolved_at = Status.RESOLVED, now
    alert.save(update_fields=["status", "resolved_at"])
    opened: Any = alert.opened_at
    told = AlertResolved(rule=alert.rule_id, title=alert.title, severity=alert.severity, opened_at=opened)
    publish(told, aggregate_id=alert.pk)
    if told_to and not was_silent:
        minutes = int((now - opened).total_seconds() // 60)
        _say(told_to, alert, f"Resolved: {alert.title}", f"It lasted {minutes} minutes.\n")
    return 1


def _without_rule(now: datetime) -> int:
    """Alerts whose rule was switched off or deleted meanwhile."""
    orphans = Alert.objects.filter(Q(rule=None) | Q(rule__is_active=False)).exclude(status=Status.RESOLVED)
    return sum(_resolve(alert, now) for alert in orphans.select_for_update(skip_locked=True, of=("self",)))


@transaction.atomic
def alert_acknowledge(*, alert: Alert, membership_id: UUID | None, note: str = "") -> Alert:
    """Nobody is told of it again, until it is resolved. Raises Conflict."""
    row = _unresolved(alert)
    row.status, row.silenced_until = Status.ACKNOWLEDGED, None
    row.acknowledged_at, row.acknowledged_by_id = timezone.now(), membership_id
    row.note = note or row.note
    row.save(update_fields=["status", "silenced_until", "acknowledged_at", "acknowledged_by", "note"])
    return row


@transaction.atomic
def alert_silence(*, alert: Alert, until: datetime, note: str = "") -> Alert:
    """Nobody is told of anything of it until then; if it still holds then, it is open again. Raises Conflict, Invalid."""
    now = timezone.now()
    if not now < until <= now + LONGEST_SILENCE:
        detail = "Say a time within the next 30 days."
        raise Invalid(detail, fields={"until": detail})
    row = _unresolved(alert)
    row.status, row.silenced_until, row.note = Status.SILENCED, until, note or row.note
    row.save(update_fields=["status", "silenced_until", "note"])
    return row


def _unresolved(alert: Alert) -> Alert:
    row: Alert = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    if row.status in (Status.PENDING, Status.RESOLVED):
        raise Conflict(f"This alert is {row.get_status_display().lower()}: there is nothing to answer.", code="wrong_status")
    return row


def _is_over(since: datetime | None, minutes: int, now: datetime) -> bool:
    return since is not None and now - since >= timedelta(minutes=minutes)


def _condition(rule: AlertRule) -> str:
    unit = metrics()[rule.metric].unit
    return f"{rule.get_comparator_display()} {plain(rule.threshold)}{unit}"


def plain(number: Decimal) -> str:
    """Without the zeros that a column adds."""
    return f"{round(Decimal(number), 3).normalize():f}"

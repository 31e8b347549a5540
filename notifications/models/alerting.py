from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Membership
from core.models import RuntimeModel, TenantForeignKey, TenantModel
from notifications.measuring import is_metric, metrics
from notifications.models.messages import Topic
from notifications.severity import Severity

A_WEEK = 7 * 24 * 60  # minutes


def validate_metric(key: str) -> None:
    if not is_metric(key):
        raise ValidationError(f"There is no metric {key}. Known: {', '.join(metrics())}.")


class AlertRule(TenantModel):
    """When somebody is to be told of a number."""

    class Comparator(models.TextChoices):
        GT = "gt", "above"
        GTE = "gte", "at least"
        LT = "lt", "below"
        LTE = "lte", "at most"

    name = models.CharField(max_length=100)
    metric = models.CharField(max_length=60, validators=[validate_metric])
    comparator = models.CharField(max_length=3, choices=Comparator, default=Comparator.GT, db_default=Comparator.GT)
    threshold = models.DecimalField(max_digits=19, decimal_places=6, default=0, db_default=0)
    window_minutes = models.PositiveIntegerField(
        "window", default=60, db_default=60, validators=[MinValueValidator(1), MaxValueValidator(A_WEEK)],
        help_text="Minutes that a metric of a span looks back; one of the present moment has none.",
    )
    for_minutes = models.PositiveIntegerField(
        "for", default=0, db_default=0, validators=[MaxValueValidator(A_WEEK)],
        help_text="Minutes that it must last before anybody is told: a value that flaps does not.",
    )
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING, db_default=Severity.WARNING)
    topic = TenantForeignKey(Topic, related_name="+", help_text="Whose subscribers are told.")
    renotify_minutes = models.PositiveIntegerField(
        "tell again after", null=True, blank=True, validators=[MinValueValidator(5), MaxValueValidator(A_WEEK)],
        help_text="Minutes, while nobody has acknowledged it. Empty: told once.",
    )
    is_active = models.BooleanField(default=True, db_default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="alert_rule_name_per_organization"),
            models.CheckConstraint(
                condition=Q(window_minutes__range=(1, A_WEEK), for_minutes__lte=A_WEEK), name="alert_rule_minutes",
            ),
        ]
        indexes = [models.Index(fields=["organization", "topic"], name="alert_rule_by_topic")]

    def __str__(self) -> str:
        return self.name


class Alert(RuntimeModel):
    """That a rule's condition holds, or held: from the first moment on, which alone opens nothing if it must last."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        SILENCED = "silenced", "Silenced"
        RESOLVED = "resolved", "Resolved"

    UNRESOLVED = (Status.PENDING, Status.OPEN, Status.ACKNOWLEDGED, Status.SILENCED)

    # Null once the rule is gone: that there was an alert stays known.
    rule = TenantForeignKey(AlertRule, models.SET_NULL, null=True, related_name="alerts")
    fingerprint = models.CharField(max_length=60, help_text="What it is of: there is one alert at a time.")
    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=10, choices=Severity)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    value = models.DecimalField(max_digits=25, decimal_places=6, help_text="The last one that met the condition.")
    opened_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    times_told = models.PositiveIntegerField(default=0, db_default=0)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = TenantForeignKey(Membership, models.SET_NULL, null=True, blank=True, related_name="+")
    silenced_until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True, default="", db_default="")
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("acknowledge_alert", "Can acknowledge and silence an alert")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "fingerprint"], condition=~Q(status="resolved"), name="alert_one_at_a_time",
            ),
            models.CheckConstraint(condition=Q(status="pending") | Q(opened_at__isnull=False), name="alert_opened_at"),
            models.CheckConstraint(condition=~Q(status="resolved") | Q(resolved_at__isnull=False), name="alert_resolved_at"),
            models.CheckConstraint(
                condition=~Q(status="silenced") | Q(silenced_until__isnull=False), name="alert_silenced_until",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "rule", "id"], name="alert_by_rule"),
            models.Index(fields=["organization", "status", "id"], name="alert_by_status"),
            models.Index(fields=["organization", "acknowledged_by"], name="alert_by_member"),
        ]

    def __str__(self) -> str:
        return self.title

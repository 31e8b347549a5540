from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from core.egress import Policy, Refused, refuse_address
from core.models import RuntimeModel, TenantForeignKey, TenantModel


def policy() -> Policy:
    """Where webhooks may go."""
    return Policy.of(
        settings.WEBHOOK_ALLOWED_NETWORKS, settings.WEBHOOK_PORTS, plain_on_loopback=settings.WEBHOOKS_BY_HTTP,
    )  # fmt: skip


def validate_webhook_url(url: str) -> None:
    try:
        refuse_address(url, policy())
    except Refused as refused:
        raise ValidationError(str(refused)) from refused


class WebhookEndpoint(TenantModel):
    """A customer's or a partner's address that is told of events, signed as Standard Webhooks has it.

    The secret is shown once; after a rotation the former one signs as well until it ends.
    """

    audit_redacted = ("secret", "previous_secret", "previous_secret_until")

    class Purpose(models.TextChoices):
        WAREHOUSE = "warehouse", "Warehouse system"
        DELIVERY = "delivery", "Delivery service"

    name = models.CharField(max_length=100)
    url = models.CharField(
        "address", max_length=500, validators=[validate_webhook_url], help_text="Like https://example.com/hooks.",
    )
    secret = models.BinaryField(editable=False, help_text="Sealed by core.sealing.")
    previous_secret = models.BinaryField(null=True, editable=False, help_text="Signs as well until it ends.")
    previous_secret_until = models.DateTimeField("former secret signs until", null=True, blank=True, editable=False)
    max_attempts = models.PositiveSmallIntegerField(
        default=8, db_default=8, validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text="How often an event is tried before it is a dead letter.",
    )
    max_per_second = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="Empty: as fast as it answers.",
    )
    purpose = models.CharField(
        max_length=20, choices=Purpose, default="", db_default="", blank=True,
        help_text="Of a partner that works for orders: each event that it has taken is an event webhook.delivered.",
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=200, default="", blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="webhook_endpoint_name"),
            models.CheckConstraint(condition=Q(max_attempts__range=(1, 30)), name="webhook_endpoint_attempts"),
            models.CheckConstraint(
                condition=Q(max_per_second__isnull=True) | Q(max_per_second__range=(1, 1000)), name="webhook_endpoint_rate",
            ),
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_secret_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_secret_until__isnull=False),
                name="webhook_endpoint_former_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookHealth(RuntimeModel):
    """How an endpoint has been answering lately; the deliveries' own note, so that it is no news in the trail."""

    endpoint = TenantForeignKey(WebhookEndpoint, models.CASCADE, related_name="health")
    failures = models.PositiveIntegerField(db_default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    closed_until = models.DateTimeField(null=True, blank=True, help_text="The circuit is open: nothing is tried before then.")
    next_slot_at = models.DateTimeField(null=True, blank=True, help_text="When its rate lets the next one go.")
    promised_until = models.DateTimeField(null=True, blank=True, help_text="The last slot that was promised to one that waits.")

    class Meta:
        verbose_name_plural = "webhook health"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["organization", "endpoint"], name="webhook_health_once")]

    def __str__(self) -> str:
        return str(self.endpoint_id)


class DeliveryAttempt(RuntimeModel):
    """One try at delivering an event to a webhook."""

    delivery = TenantForeignKey("notifications.EventDelivery", models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: there was no answer.")
    response_excerpt = models.TextField(db_default="", blank=True, help_text="Its beginning, without secrets.")
    error = models.TextField(db_default="", blank=True)
    duration_ms = models.PositiveIntegerField("milliseconds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "delivery", "number"], name="delivery_attempt_once")]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.number}"

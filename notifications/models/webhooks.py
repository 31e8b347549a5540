from django.db import models
from django.db.models import Q

from core.models import RuntimeModel, TenantForeignKey, TenantModel


class WebhookEndpoint(TenantModel):
    """A customer's or a partner's address that is told of events, signed as Standard Webhooks has it."""

    audit_redacted = ("secret", "previous_secret")

    name = models.CharField(max_length=100)
    url = models.CharField("address", max_length=500)
    secret = models.BinaryField(editable=False, help_text="Sealed by core.sealing.")
    previous_secret = models.BinaryField(null=True, editable=False, help_text="Signs as well until it ends.")
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    max_attempts = models.PositiveSmallIntegerField(default=8, db_default=8)
    max_per_second = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: as fast as it answers.")
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=200, default="", blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="webhook_endpoint_name"),
            models.CheckConstraint(condition=Q(max_attempts__range=(1, 30)), name="webhook_endpoint_attempts"),
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
    duration_ms = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "delivery", "number"], name="delivery_attempt_once")]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.number}"

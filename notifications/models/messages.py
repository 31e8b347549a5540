from django.core.validators import validate_email
from django.db import models
from django.db.models import Q

from accounts.models import Membership
from core.fields import SearchKeyField
from core.models import RuntimeModel, TenantForeignKey, TenantModel


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"


class Topic(TenantModel):
    """A named interest: reorder-reminders, ops-critical."""

    key = models.SlugField(max_length=60, db_index=False)
    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    category = models.CharField(max_length=40, blank=True)
    is_mandatory = models.BooleanField(default=False, help_text="Goes to those who unsubscribed as well.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="topic_key_per_organization")]
        indexes = [models.Index(fields=["organization", "name_key"], name="topic_search")]

    def __str__(self) -> str:
        return self.name


class TopicSubscription(TenantModel):
    """Who wants a topic, and where. A member who is not active any more is told nothing."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        CONFIRMED = "confirmed", "Confirmed"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"

    topic = TenantForeignKey(Topic, models.CASCADE, related_name="subscriptions")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    address = models.CharField(max_length=254, validators=[validate_email])
    # Not the user: the wall keeps a member inside the organization.
    membership = TenantForeignKey(Membership, models.CASCADE, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "topic", "channel", "address"], name="topic_subscription_once",
                violation_error_message="This address has a subscription of this topic already.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "membership"], name="topic_subscription_by_member")]

    def __str__(self) -> str:
        return self.address


class NotificationDelivery(RuntimeModel):
    """One message to one subscriber."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    # Null once the subscription is gone: what was sent stays known.
    subscription = TenantForeignKey(TopicSubscription, models.SET_NULL, null=True, related_name="+")
    dedupe_key = models.CharField(max_length=200, help_text="What it is about: a subscriber hears of it once.")
    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=Status, db_default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True)

    class Meta:
        verbose_name_plural = "notification deliveries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "subscription", "dedupe_key"], name="notification_delivery_once"),
            models.CheckConstraint(condition=~Q(status="sent") | Q(sent_at__isnull=False), name="notification_delivery_sent_at"),
        ]
        indexes = [models.Index(fields=["organization", "status", "id"], name="delivery_by_status")]

    def __str__(self) -> str:
        return f"{self.subject} to {self.address}"

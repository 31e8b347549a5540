from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.models import Membership
from core.fields import SearchKeyField
from core.models import RuntimeModel, TenantForeignKey, TenantModel
from notifications.channels import E164, Channel, address_fault


class Topic(TenantModel):
    """A named interest: reorder-reminders, ops-critical."""

    key = models.SlugField(max_length=60, db_index=False)
    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    category = models.CharField(max_length=40, blank=True)
    is_mandatory = models.BooleanField(default=False, help_text="Goes to those who unsubscribed as well.")

    class Meta:
        permissions = [("send_topic", "Can send a message to the subscribers of a topic")]
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
    address = models.CharField(
        max_length=254, blank=True,
        help_text="An e-mail address, or a number such as +351912345678. Of an inbox: left out, its member says whose.",
    )
    # Not the user: the wall keeps a member inside the organization.
    membership = TenantForeignKey(Membership, models.CASCADE, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    asked_at = models.DateTimeField(null=True, editable=False, help_text="When the address was last asked to confirm.")
    confirmed_at = models.DateTimeField(null=True, editable=False)
    # Of the code that went to a number; an e-mail address gets a signed link.
    code_hash = models.CharField(max_length=64, default="", db_default="", editable=False)
    code_expires_at = models.DateTimeField(null=True, editable=False)
    code_failures = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    audit_redacted = ("code_hash",)

    class Meta:
        permissions = [("confirm_topicsubscription", "Can confirm a subscription for whoever has the address")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(channel=Channel.SMS) | Q(address__regex=E164), name="topic_subscription_number",
                violation_error_message="Give a number for SMS with its country: + and 7 to 15 digits, such as +351912345678.",
            ),
            models.CheckConstraint(
                condition=~Q(channel=Channel.INBOX) | Q(membership__isnull=False), name="topic_subscription_inbox",
                violation_error_message="Say whose inbox: name the membership.",
            ),
            models.UniqueConstraint(
                fields=["organization", "topic", "channel", "address"], name="topic_subscription_once",
                violation_error_message="This address has a subscription of this topic already.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "membership"], name="topic_subscription_by_member")]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        if fault := address_fault(self.channel, self.address):
            raise ValidationError({"address": fault})


class NotificationDelivery(RuntimeModel):
    """One message to one subscriber. Links and codes are made as it is sent: who may read this row could use them."""

    class Kind(models.TextChoices):
        MESSAGE = "message", "Message"
        CONFIRMATION = "confirmation", "Question whether the address wants the topic"
        DIGEST = "digest", "Several messages in one"

    class Status(models.TextChoices):
        HELD = "held", "Held back"
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    # Null once the subscription is gone: what was sent stays known.
    subscription = TenantForeignKey(TopicSubscription, models.SET_NULL, null=True, related_name="+")
    dedupe_key = models.CharField(max_length=200, help_text="What it is about: a subscriber hears of it once.")
    kind = models.CharField(max_length=12, choices=Kind, db_default=Kind.MESSAGE)
    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=Status, db_default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True)
    # As the recipient wants it, in quiet hours, or over the daily cap of the sender.
    not_before = models.DateTimeField(null=True, blank=True, help_text="Until when it waits.")
    counted_at = models.DateTimeField(null=True, blank=True, help_text="When it was counted towards the daily cap of its sender.")
    digest = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="parts", help_text="In which it went.")
    window_start = models.DateTimeField(null=True, blank=True, help_text="Of a digest: since when its messages were held back.")
    window_end = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "notification deliveries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "subscription", "dedupe_key"], name="notification_delivery_once"),
            models.CheckConstraint(condition=~Q(status="sent") | Q(sent_at__isnull=False), name="notification_delivery_sent_at"),
            models.CheckConstraint(
                condition=~Q(status="held") | Q(not_before__isnull=False), name="notification_delivery_held_until",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status", "id"], name="delivery_by_status"),
            models.Index(fields=["organization", "digest"], name="delivery_of_digest"),
            models.Index(fields=["organization", "channel", "sent_at"], condition=Q(status="sent"), name="delivery_by_day"),
            models.Index(
                fields=["organization", "channel", "counted_at"], condition=Q(status="queued", counted_at__isnull=False),
                name="delivery_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.address}"

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.fields import SequenceField
from core.models import RuntimeModel, TenantForeignKey, TenantModel
from notifications.models.messages import Topic
from notifications.models.webhooks import WebhookEndpoint
from notifications.validators import validate_pattern


class OutboxEvent(RuntimeModel):
    """A fact, written in the transaction that made it true; the relay tells it to those who listen.

    `seq` orders the events of one aggregate: its writers hold its row's lock when the database draws the number.
    """

    seq = SequenceField()
    bus = models.CharField(max_length=40, default="default")
    type = models.CharField(max_length=100)
    schema_version = models.PositiveSmallIntegerField(default=1)
    aggregate_type = models.CharField(max_length=60)
    aggregate_id = models.UUIDField()
    payload = models.JSONField()
    occurred_at = models.DateTimeField(db_default=Now())
    correlation_id = models.CharField(max_length=64, blank=True, help_text="Of the request that caused it.")
    traceparent = models.CharField(
        max_length=55, blank=True, default="", db_default="",
        help_text="The trace that the request belongs to, as W3C Trace Context writes it; empty if it came without.",
    )
    relayed_at = models.DateTimeField(null=True, blank=True)
    position = models.BigIntegerField(
        null=True, blank=True, editable=False,
        help_text="In the organization's feed: 1, 2, 3 and so on without a gap, given when it is relayed.",
    )
    awaits_bus = models.BooleanField(db_default=False, editable=False, help_text="Is still to be put on the EventBridge bus.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "aggregate_id", "seq"], name="outbox_event_by_aggregate"),
            models.UniqueConstraint(
                fields=["organization", "position"], condition=Q(position__isnull=False), name="outbox_event_position",
            ),
        ]
        indexes = [
            models.Index(fields=["seq"], condition=Q(relayed_at__isnull=True), name="outbox_event_unrelayed"),
            models.Index(fields=["seq"], condition=Q(awaits_bus=True), name="outbox_event_for_the_bus"),
            models.Index(fields=["organization", "type", "id"], name="outbox_event_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.seq}"


class FeedPosition(RuntimeModel):
    """The last position that an organization's feed has given; its relay is the only writer."""

    last = models.BigIntegerField(db_default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization"], name="feed_position_once")]

    def __str__(self) -> str:
        return str(self.last)


class EventSubscription(TenantModel):
    """Which events go where, by a pattern in EventBridge's language over the event's envelope."""

    class Target(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        TOPIC = "topic", "Topic"
        TASK = "task", "Task"

    name = models.CharField(max_length=100)
    bus = models.CharField(max_length=40, default="default", db_default="default")
    pattern = models.JSONField(validators=[validate_pattern], help_text='Like {"type": [{"prefix": "stock."}]}.')
    target_kind = models.CharField(max_length=10, choices=Target)
    endpoint = TenantForeignKey(WebhookEndpoint, models.CASCADE, null=True, blank=True, related_name="subscriptions")
    topic = TenantForeignKey(Topic, models.CASCADE, null=True, blank=True, related_name="+")
    task = models.CharField(max_length=200, blank=True, default="", help_text="One that is declared a target of subscriptions.")
    enabled = models.BooleanField(default=True, help_text="Disabled, no new event goes to it; what is under way goes on.")
    problem = models.CharField(
        max_length=300, default="", db_default="", blank=True, editable=False, help_text="Why the relay leaves it out.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="event_subscription_name"),
            models.CheckConstraint(
                condition=Q(target_kind="webhook", endpoint__isnull=False, topic__isnull=True, task="")
                | Q(target_kind="topic", topic__isnull=False, endpoint__isnull=True, task="")
                | (Q(target_kind="task", topic__isnull=True, endpoint__isnull=True) & ~Q(task="")),
                name="event_subscription_one_target",
                violation_error_message="Name what the kind of target says, an endpoint, a topic or a task, and nothing else.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "endpoint"], name="subscription_by_endpoint"),
            models.Index(fields=["organization", "topic"], name="event_subscription_by_topic"),
        ]

    def __str__(self) -> str:
        return self.name


class EventDelivery(RuntimeModel):
    """One event on its way to one subscription.

    Of those of one subscription about one aggregate (a lane) one is open at a time: the others are blocked until it
    is delivered, dead or discarded. Dead ones are the dead letters.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        IN_FLIGHT = "in_flight", "In flight"
        DELIVERED = "delivered", "Delivered"
        RETRYING = "retrying", "Retrying"
        DEAD = "dead", "Dead: every attempt failed"
        DISCARDED = "discarded", "Discarded"

    UNFINISHED = (Status.PENDING, Status.IN_FLIGHT, Status.RETRYING)

    event = TenantForeignKey(OutboxEvent, models.CASCADE, related_name="deliveries")
    subscription = TenantForeignKey(EventSubscription, models.CASCADE, related_name="deliveries")
    replay_no = models.PositiveIntegerField(db_default=0, help_text="0 the first time.")
    payload = models.JSONField(null=True, blank=True, help_text="In the place of the event's own, once it was edited.")
    status = models.CharField(max_length=10, choices=Status, db_default=Status.PENDING)
    is_blocked = models.BooleanField(db_default=False, editable=False, help_text="Waits for an earlier one of its lane.")
    aggregate_id = models.UUIDField(editable=False)
    seq = models.BigIntegerField(editable=False, help_text="The event's, by which a lane is in order.")
    attempts = models.PositiveSmallIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(db_default="", blank=True)
    discard_reason = models.CharField(max_length=200, db_default="", blank=True)

    class Meta:
        verbose_name_plural = "event deliveries"
        permissions = [
            ("replay_eventdelivery", "Can replay event deliveries"), ("discard_eventdelivery", "Can discard event deliveries"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "event", "subscription", "replay_no"], name="event_delivery_once"),
            models.CheckConstraint(
                condition=~Q(status="in_flight") | Q(leased_until__isnull=False), name="event_delivery_flies_on_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "seq"], condition=Q(status__in=["pending", "retrying"], is_blocked=False),
                name="event_delivery_next",
            ),
            models.Index(fields=["leased_until"], condition=Q(status="in_flight"), name="event_delivery_leases"),
            models.Index(
                fields=["organization", "subscription", "aggregate_id", "seq", "replay_no"],
                condition=Q(status__in=["pending", "in_flight", "retrying"]), name="event_delivery_lanes",
            ),
            models.Index(fields=["organization", "subscription", "id"], name="event_delivery_by_subscription"),
            models.Index(fields=["organization", "status", "id"], name="event_delivery_by_status"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="event_delivery_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.subscription_id}"

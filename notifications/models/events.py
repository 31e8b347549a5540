from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.fields import SequenceField
from core.models import RuntimeModel


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
    relayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "aggregate_id", "seq"], name="outbox_event_by_aggregate"),
        ]
        indexes = [
            models.Index(fields=["seq"], condition=Q(relayed_at__isnull=True), name="outbox_event_unrelayed"),
            models.Index(fields=["organization", "type", "id"], name="outbox_event_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.seq}"

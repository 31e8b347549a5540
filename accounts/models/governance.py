from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.models import LedgerModel, TenantModel

DAYS_TO_ANSWER = 30  # a month, by article 12(3) of the GDPR


class AuditEntry(LedgerModel):
    """Who changed what. Written by the trigger in `core.wall` alone: nobody may insert."""

    # A seal needs the order of writing, which a number gives.
    id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]
    table_name = models.CharField(max_length=63)
    row_id = models.UUIDField()
    action = models.CharField(max_length=6, choices=[("insert", "Added"), ("update", "Changed"), ("delete", "Deleted")])
    changes = models.JSONField(help_text="{column: [before, after]}")
    actor_id = models.UUIDField(null=True)
    impersonator_id = models.UUIDField(null=True, help_text="Platform staff who acted as the actor.")
    api_key_id = models.UUIDField("API key", null=True)
    request_id = models.CharField("id of the request", max_length=64)
    reason = models.CharField(max_length=500)
    ip = models.CharField("IP address", max_length=45)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["organization", "table_name", "row_id", "id"], name="audit_by_row"),
            models.Index(fields=["organization", "actor_id", "id"], name="audit_by_actor"),
            models.Index(fields=["organization", "request_id"], name="audit_by_request"),
            models.Index(fields=["organization", "created_at", "id"], name="audit_by_time"),
            models.Index(fields=["organization", "table_name", "id"], name="audit_by_table"),
            models.Index(fields=["organization", "id"], condition=Q(action="delete"), name="audit_deletions"),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.action}"


class AuditSeal(LedgerModel):
    """A link of the chain that proves what the audit entries were; see `accounts.queries.seals`."""

    number = models.PositiveIntegerField(help_text="From 1, in each organization.")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    entries = models.PositiveIntegerField()
    previous_hash = models.CharField(max_length=64, help_text="Zeros in the first.")
    hash = models.CharField(max_length=64, help_text="SHA-256, in hexadecimal digits.")
    digests = models.BinaryField(help_text="Of each entry: its id in 8 bytes, 16 bytes of its SHA-256.")
    storage_key = models.CharField(max_length=200, blank=True, help_text="Where the copy is.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="audit_seal_number"),
            models.CheckConstraint(condition=Q(last_id__gte=models.F("first_id"), entries__gt=0), name="audit_seal_not_empty"),
        ]

    def __str__(self) -> str:
        return f"Seal {self.number}"


class RetentionPolicy(TenantModel):
    """How long a class of data lives; there is a row for each class that `core.retention` knows."""

    class Action(models.TextChoices):
        DELETE = "delete", "Delete"
        PSEUDONYMISE = "pseudonymise", "Take the personal data out"

    data_class = models.SlugField(max_length=60, db_index=False, editable=False)
    keep_days = models.PositiveIntegerField(
        "days to keep", validators=[MaxValueValidator(36_500)], help_text="Older rows are purged each night.",
    )
    action = models.CharField(max_length=12, choices=Action, default=Action.DELETE)
    legal_hold_until = models.DateField(null=True, blank=True, help_text="Nothing is purged up to and on this day.")
    purged_at = models.DateTimeField("last purged", null=True, editable=False, help_text="When something was last purged.")
    purged_rows = models.PositiveBigIntegerField("rows purged then", default=0, editable=False, help_text="How many rows, then.")

    class Meta:
        verbose_name_plural = "retention policies"
        constraints = [
            models.UniqueConstraint(fields=["organization", "data_class"], name="retention_policy_once"),
            models.CheckConstraint(condition=Q(keep_days__lte=36_500), name="retention_policy_keep_days"),
        ]

    def __str__(self) -> str:
        return self.data_class

    def is_held(self, day: date) -> bool:
        return self.legal_hold_until is not None and day <= self.legal_hold_until


def due_date() -> date:
    return timezone.localdate() + timedelta(days=DAYS_TO_ANSWER)


class DataSubjectRequest(TenantModel):
    """What a person asked for under the law on privacy, and how it was answered."""

    class Kind(models.TextChoices):
        EXPORT = "export", "A copy of everything"
        ERASE = "erase", "Erasure"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"

    kind = models.CharField(max_length=6, choices=Kind)
    subject_email = models.EmailField("e-mail address of the person")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN, editable=False)
    due_on = models.DateField(default=due_date, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    report = models.JSONField(default=list, editable=False, help_text="What was done in each table, to how many rows and why.")
    result = models.CharField(max_length=200, blank=True, editable=False, help_text="Where the archive of an export is kept.")
    result_expires_at = models.DateTimeField("archive kept until", null=True, editable=False)

    class Meta:
        permissions = [("fulfil_datasubjectrequest", "Can export or erase a person's data")]
        indexes = [models.Index(fields=["organization", "status", "id"], name="data_subject_by_status")]
        constraints = [
            models.CheckConstraint(condition=~Q(status="done") | Q(completed_at__isnull=False), name="data_subject_done_at"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.subject_email}"


class FeatureFlag(TenantModel):
    """A switch of behavior; `accounts.queries.flags` says for whom it is on."""

    key = models.SlugField(max_length=60, db_index=False)
    description = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=False)
    rollout_percent = models.PositiveSmallIntegerField(
        "percent of the people", default=100, validators=[MaxValueValidator(100)], help_text="Always the same ones.",
    )
    user_ids = ArrayField(
        models.UUIDField(), default=list, blank=True, verbose_name="people", help_text="For these people in any case.",
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Off from then on.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="feature_flag_key"),
            models.CheckConstraint(condition=Q(rollout_percent__lte=100), name="feature_flag_percent"),
        ]

    def __str__(self) -> str:
        return self.key

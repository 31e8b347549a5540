"""Data of other systems: whom to ask, about what, what was answered last, and who is told when it changes."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Membership
from core.fields import SearchKeyField
from core.models import RuntimeModel, TenantForeignKey, TenantModel
from notifications.adapters import LONGEST_TTL, adapters, kinds_problem
from notifications.models.messages import NotificationDelivery
from notifications.models.webhooks import validate_webhook_url

LONGEST_TIMEOUT = 30  # seconds


def validate_adapter(name: str) -> None:
    if name not in adapters():
        raise ValidationError(f"There is no adapter {name!r}. Known: {', '.join(sorted(adapters()))}.")


def validate_base_url(url: str) -> None:
    validate_webhook_url(url)
    if "?" in url:
        raise ValidationError("Leave out what follows the ?: it belongs to the paths of the kinds.")


def validate_kinds(kinds: Any) -> None:
    if problem := kinds_problem(kinds):
        raise ValidationError(problem)


def validate_external_id(text: str) -> None:
    if text in (".", ".."):
        raise ValidationError("This would lead to another path of the source.")


class ExternalSource(TenantModel):
    """Somebody's API that is asked for data: a supplier's price feed, a carrier, a list of recalls."""

    audit_redacted = ("credential",)

    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    adapter = models.CharField(
        max_length=40, default="http_json", validators=[validate_adapter],
        help_text="How its answers are read: http_json or http_csv.",
    )
    base_url = models.CharField(
        "address", max_length=300, validators=[validate_base_url],
        help_text="Like https://api.example.com/v2; the paths follow it.",
    )
    kinds = models.JSONField(
        validators=[validate_kinds],
        help_text='What it can be asked: {"price": {"path": "/prices/{id}", "value": "price", "ttl": 600}}.',
    )
    credential_header = models.CharField(
        max_length=100, default="Authorization", db_default="Authorization", help_text="In which the credential is sent.",
        validators=[RegexValidator(r"\A[A-Za-z][A-Za-z0-9-]*\Z", "Give the name of a header, such as X-Api-Key.")],
    )
    credential = models.BinaryField(null=True, editable=False, help_text="Sealed by core.sealing.")
    timeout = models.PositiveSmallIntegerField(
        default=10, db_default=10, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TIMEOUT)],
        help_text="Seconds for all of an answer.",
    )
    max_per_minute = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="Empty: as often as is asked.",
    )
    default_ttl = models.PositiveIntegerField(
        "fresh for", default=300, db_default=300, validators=[MaxValueValidator(LONGEST_TTL)],
        help_text="Seconds that an answer is fresh, where neither its kind nor the source itself says so.",
    )
    stale_seconds = models.PositiveIntegerField(
        "stands in for", default=86_400, db_default=86_400, validators=[MaxValueValidator(30 * 86_400)],
        help_text="Seconds after that in which an answer may stand in while the source fails.",
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="external_source_name"),
            models.CheckConstraint(condition=Q(timeout__range=(1, LONGEST_TIMEOUT)), name="external_source_timeout"),
            models.CheckConstraint(
                condition=Q(max_per_minute__isnull=True) | Q(max_per_minute__range=(1, 6000)), name="external_source_rate",
            ),
        ]
        indexes = [models.Index(fields=["organization", "name_key"], name="external_source_search")]

    def __str__(self) -> str:
        return self.name


class ExternalSourceHealth(RuntimeModel):
    """How a source has been answering lately; the machinery's own note, so that it is no news in the trail."""

    source = TenantForeignKey(ExternalSource, models.CASCADE, related_name="health")
    failures = models.PositiveIntegerField(db_default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    closed_until = models.DateTimeField(null=True, blank=True, help_text="The circuit is open: nothing is asked before then.")
    next_slot_at = models.DateTimeField(null=True, blank=True, help_text="When its rate lets the next one go.")
    last_error = models.TextField(db_default="", blank=True)

    class Meta:
        verbose_name_plural = "external source health"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["organization", "source"], name="external_source_health_once")]

    def __str__(self) -> str:
        return str(self.source_id)


class ExternalSubject(TenantModel):
    """A thing that a source knows of: a price, a driver, a leaderboard, a map, a recall."""

    source = TenantForeignKey(ExternalSource, related_name="subjects")
    kind = models.CharField(max_length=40, help_text="One of the kinds of its source.")
    external_id = models.CharField(
        "id at the source", max_length=200, validators=[validate_external_id], help_text="What stands for {id} in the path.",
    )
    label = models.CharField(max_length=200, help_text="Its name for people.")
    label_key = SearchKeyField("label")
    attributes = models.JSONField(default=dict, blank=True, help_text="Whatever else you want to keep of it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "source", "kind", "external_id"], name="external_subject_once"),
        ]
        indexes = [models.Index(fields=["organization", "label_key"], name="external_subject_search")]

    def __str__(self) -> str:
        return self.label


class ExternalCacheEntry(RuntimeModel):
    """What a source answered to a question last. While somebody asks it, all others wait for that answer."""

    source = TenantForeignKey(ExternalSource, models.CASCADE, related_name="answers")
    cache_key = models.CharField(max_length=250, help_text="The kind, a colon, and the id.")
    found = models.BooleanField(db_default=False, help_text="Whether the source knows of it: not after 404 and 410.")
    payload = models.JSONField(null=True, blank=True)
    etag = models.CharField(max_length=300, db_default="", blank=True)
    last_modified = models.CharField(max_length=100, db_default="", blank=True, help_text="As the source wrote it.")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When the source gave it, or said that it still holds.")
    expires_at = models.DateTimeField(db_default=Now(), help_text="Until then nobody asks again.")
    stale_if_error_until = models.DateTimeField(db_default=Now(), help_text="Until then it stands in while the source fails.")
    leased_until = models.DateTimeField(null=True, blank=True, editable=False, help_text="Somebody is asking.")
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When it was asked in vain last.")
    last_error = models.CharField(max_length=500, db_default="", blank=True, help_text="Empty once it is answered again.")

    class Meta:
        verbose_name_plural = "external cache entries"
        permissions = [("search_externalcacheentry", "Can ask external sources")]
        constraints = [models.UniqueConstraint(fields=["organization", "source", "cache_key"], name="external_cache_entry_once")]

    def __str__(self) -> str:
        return self.cache_key


class Watch(TenantModel):
    """Somebody wants to be told when the value of a subject does something."""

    audit_ignored = ("last_found", "last_value", "last_of", "last_checked_at", "last_error")

    class Condition(models.TextChoices):
        CHANGED = "changed", "Changed: it is another one than before"
        CROSSES = "crosses", "Crosses the threshold"
        APPEARS = "appears", "Appears: it was not there before"
        DISAPPEARS = "disappears", "Disappears: it is not there any more"

    class Direction(models.TextChoices):
        BOTH = "both", "Either way"
        UP = "up", "Up: reaches it from below"
        DOWN = "down", "Down: falls below it"

    # Not the user: the wall keeps a member inside the organization.
    membership = TenantForeignKey(Membership, models.CASCADE, related_name="+", help_text="Who is told.")
    subject = TenantForeignKey(ExternalSubject, related_name="watches")
    name = models.CharField(max_length=100, blank=True)
    condition = models.CharField(max_length=10, choices=Condition, default=Condition.CHANGED)
    threshold = models.DecimalField(
        max_digits=19, decimal_places=6, null=True, blank=True, help_text="That is crossed, such as 12.50.",
    )
    direction = models.CharField(max_length=4, choices=Direction, default=Direction.BOTH, db_default=Direction.BOTH)
    is_active = models.BooleanField(default=True)
    last_found = models.BooleanField(null=True, blank=True, editable=False, help_text="Empty: nobody has looked yet.")
    last_value = models.JSONField(null=True, blank=True, editable=False, help_text="A long one is kept as its digest.")
    last_of = models.CharField(max_length=64, default="", db_default="", editable=False)  # a digest of what was asked
    last_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, default="", db_default="", blank=True, editable=False)

    class Meta:
        verbose_name_plural = "watches"
        constraints = [
            models.CheckConstraint(
                condition=Q(condition="crosses", threshold__isnull=False) | (~Q(condition="crosses") & Q(threshold__isnull=True)),
                name="watch_threshold",
                violation_error_message="What crosses has a threshold, and nothing else has one.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "membership", "id"], name="watch_by_member"),
            models.Index(fields=["organization", "subject", "id"], name="watch_by_subject"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.subject} {self.condition}"


class WatchHit(RuntimeModel):
    """What a watch waited for has happened."""

    watch = TenantForeignKey(Watch, models.CASCADE, related_name="hits")
    fingerprint = models.CharField(max_length=64, editable=False, help_text="Of the change: it is told once.")
    before = models.JSONField(null=True, blank=True, help_text="Null: it was not there, or had not been looked at.")
    after = models.JSONField(null=True, blank=True, help_text="Null: it is not there.")
    found_at = models.DateTimeField(db_default=Now())
    # Null until it was mailed, and where nobody wanted a mail.
    notification = TenantForeignKey(NotificationDelivery, models.SET_NULL, null=True, blank=True, related_name="+")
    digested_at = models.DateTimeField(null=True, blank=True, help_text="When it was part of a daily digest.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "watch", "fingerprint"], name="watch_hit_once")]
        indexes = [models.Index(fields=["organization", "notification"], name="watch_hit_by_notification")]

    def __str__(self) -> str:
        return f"{self.watch} {self.found_at:%Y-%m-%d %H:%M}"

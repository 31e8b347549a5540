from datetime import time

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Membership
from core.models import RuntimeModel, TenantForeignKey, TenantModel
from notifications.channels import Channel
from notifications.severity import Severity

IN_DIGESTS = ("hourly", "daily", "weekly")


class Notification(RuntimeModel):
    """What a member finds in the inbox. A second message about the same thing takes the place of the first while it is open."""

    recipient = TenantForeignKey(Membership, models.CASCADE, related_name="+")
    category = models.CharField(max_length=40, blank=True, default="", db_default="")
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.INFO, db_default=Severity.INFO)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True, default="", db_default="")
    link = models.CharField(max_length=300, blank=True, default="", db_default="", help_text="A path of this installation.")
    dedupe_key = models.CharField(max_length=200, help_text="What it is about.")
    told_at = models.DateTimeField(db_default=Now(), help_text="When it was told last.")
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "recipient", "dedupe_key"], condition=Q(archived_at__isnull=True),
                name="notification_once_while_open",
            ),
            models.CheckConstraint(
                condition=Q(link="") | (Q(link__startswith="/") & ~Q(link__startswith="//")), name="notification_link_is_a_path",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "recipient", "told_at", "id"], name="notification_by_recipient"),
            models.Index(
                fields=["organization", "recipient"], condition=Q(read_at__isnull=True, archived_at__isnull=True),
                name="notification_unread",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationPreference(TenantModel):
    """How a member wants the messages of a category by a channel. Without one they come at once."""

    class Mode(models.TextChoices):
        INSTANT = "instant", "At once"
        HOURLY = "hourly", "Together, each hour"
        DAILY = "daily", "Together, once a day"
        WEEKLY = "weekly", "Together, once a week"
        OFF = "off", "Not at all"

    class Weekday(models.IntegerChoices):
        MONDAY = 1, "Monday"
        TUESDAY = 2, "Tuesday"
        WEDNESDAY = 3, "Wednesday"
        THURSDAY = 4, "Thursday"
        FRIDAY = 5, "Friday"
        SATURDAY = 6, "Saturday"
        SUNDAY = 7, "Sunday"

    membership = TenantForeignKey(Membership, models.CASCADE, related_name="+", editable=False)
    category = models.CharField(
        max_length=40, blank=True, default="", db_default="",
        help_text="Of topics. Left empty: of all categories that have no preference of their own.",
    )
    channel = models.CharField(max_length=10, choices=Channel)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.INSTANT)
    send_at = models.TimeField(
        default=time(8), db_default=time(8), help_text="When those of a day or a week come, in your time zone.",
    )
    send_on = models.PositiveSmallIntegerField(
        "day of the week", choices=Weekday, default=Weekday.MONDAY, db_default=Weekday.MONDAY,
        validators=[MinValueValidator(1), MaxValueValidator(7)], help_text="When those of a week come.",
    )
    quiet_from = models.TimeField(null=True, blank=True, help_text="From then on nothing comes, in your time zone.")
    quiet_to = models.TimeField(null=True, blank=True, help_text="What waited comes then, in one message.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "membership", "category", "channel"], name="notification_preference_once",
                violation_error_message="There is a preference for this category and channel already.",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=models.F("quiet_to")),
                name="notification_preference_quiet_hours",
                violation_error_message="Quiet hours have a beginning and another end.",
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.EMAIL) | ~Q(mode__in=IN_DIGESTS), name="notification_preference_digests_by_mail",
                violation_error_message="Messages come together by e-mail alone: choose at once or not at all for this channel.",
            ),
            models.CheckConstraint(
                condition=~Q(channel=Channel.INBOX) | Q(quiet_from__isnull=True), name="notification_preference_inbox_is_quiet",
                violation_error_message="The inbox wakes nobody: quiet hours are for the other channels.",
            ),
            models.CheckConstraint(condition=Q(send_on__range=(1, 7)), name="notification_preference_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.category or 'everything else'} by {self.get_channel_display()}"

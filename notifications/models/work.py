from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.models import RuntimeModel

MAX_ATTEMPTS = 8


class Job(RuntimeModel):
    """Background work of one organization, with a status to poll."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed: it was refused, and would be again"
        DEAD = "dead", "Dead: every attempt failed"

    task = models.CharField(max_length=200, help_text="Where its function is declared, like notifications.tasks.deliver.")
    queue = models.CharField(max_length=40, db_default="default")
    arguments = models.JSONField(help_text='{"args": [...], "kwargs": {...}}')
    status = models.CharField(max_length=10, choices=Status, db_default=Status.QUEUED)
    priority = models.SmallIntegerField(db_default=0, help_text="From -100 to 100; higher runs first.")
    run_after = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(db_default=0)
    max_attempts = models.PositiveSmallIntegerField(db_default=MAX_ATTEMPTS)
    started_at = models.DateTimeField(null=True, blank=True, help_text="The latest attempt.")
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="When its worker last said that it runs.")
    finished_at = models.DateTimeField(null=True, blank=True)
    dedupe_key = models.CharField(max_length=250, db_default="", blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True, help_text="Of the latest attempt.")
    origin = models.JSONField(help_text="Who asked for it, from where and why.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "dedupe_key"], condition=~Q(dedupe_key=""), name="job_dedupe_key"),
            models.CheckConstraint(condition=~Q(status="running") | Q(heartbeat_at__isnull=False), name="job_runs_on_a_lease"),
        ]
        indexes = [
            models.Index(F("priority").desc(), F("run_after"), F("id"), condition=Q(status="queued"), name="job_next"),
            models.Index(fields=["heartbeat_at"], condition=Q(status="running"), name="job_leases"),
            models.Index(fields=["organization", "status", "id"], name="job_by_status"),
            models.Index(fields=["organization", "task", "id"], name="job_by_task"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"


class Schedule(models.Model):
    """What runs when, for all organizations; declared in code, brought here by the worker.

    One that is for each time zone has a row for each zone that an organization lives in.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        LOST = "lost", "Lost: its process went away"
        MISSED = "missed", "Missed: it was too late to run it"

    task = models.CharField(max_length=200)
    timezone = models.CharField("time zone", max_length=64, default="UTC", db_default="UTC")
    is_per_zone = models.BooleanField("for each time zone", default=False, db_default=False)
    expression = models.CharField(max_length=100, help_text="rate(1 hour) or cron(0 5 * * ? *), in the time zone.")
    catch_up = models.BooleanField(
        default=True, db_default=True, help_text="A tick that is late or was lost runs once, for all that were missed.",
    )
    enabled = models.BooleanField(default=True)
    last_tick = models.DateTimeField(null=True, blank=True)
    last_status = models.CharField(max_length=10, choices=Status, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no code declares it any more.")
    missed = models.PositiveIntegerField(default=0, db_default=0, help_text="Ticks that were due and never ran.")
    missed_at = models.DateTimeField(null=True, blank=True, help_text="When that was last noticed.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="Somebody wants it to run now.")

    class Meta:
        ordering = ["task", "timezone"]
        constraints = [models.UniqueConstraint(fields=["task", "timezone"], name="schedule_in_a_zone")]

    def __str__(self) -> str:
        return f"{self.task} in {self.timezone}" if self.is_per_zone else self.task


class ScheduleRun(models.Model):
    """One tick; whoever inserts the row runs it."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="runs")
    tick = models.DateTimeField()
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="When its process last said that it runs.")
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Schedule.Status, default=Schedule.Status.RUNNING)
    attempts = models.PositiveSmallIntegerField(default=1, db_default=1)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["schedule", "tick"], name="schedule_run_once")]
        indexes = [
            models.Index(
                fields=["outcome"], condition=Q(outcome__in=["running", "lost"]), name="schedule_run_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} {self.tick:%Y-%m-%d %H:%M}"

    @property
    def duration(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at else None


class WorkerSeen(models.Model):
    """A process that works, and when it last said so; of the whole installation."""

    name = models.CharField(max_length=120, unique=True, help_text="Machine and process, or the function's name.")
    first_seen_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.fields import SequenceField
from core.models import RuntimeModel, TenantForeignKey

MAX_ATTEMPTS = 8
LONGEST = 900  # seconds that an attempt may take
AT_WORK = Q(status__in=["running", "cancelling"], heartbeat_at__isnull=False) & ~Q(waits_for="steps")
IN_TURN = Q(status__in=["queued", "running", "cancelling"]) & ~Q(lock_key="") & ~Q(waits_for="steps")


class Job(RuntimeModel):
    """Background work of one organization, with a status to poll.

    A job with steps does nothing itself: they are jobs whose `parent` it is. Those of one `step` run side by side, and
    the next begin when all of them have succeeded.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        CANCELLING = "cancelling", "Cancelling: asked to stop"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed: it was refused, and would be again"
        DEAD = "dead", "Dead: every attempt failed"
        CANCELLED = "cancelled", "Cancelled"
        DISCARDED = "discarded", "Discarded: somebody gave it up"

    class Waits(models.TextChoices):
        """What a queued job waits for besides a worker. Workers look at those alone that wait for nothing else."""

        NOTHING = "", "Nothing"
        TIME = "time", "Its time"
        LOCK = "lock", "Earlier ones of its lock key"
        STEPS = "steps", "Other steps"

    UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.CANCELLING)

    seq = SequenceField()
    task = models.CharField(max_length=200, help_text="Where its function is declared, like notifications.tasks.deliver.")
    queue = models.CharField(max_length=40, db_default="default")
    arguments = models.JSONField(help_text='{"args": [...], "kwargs": {...}}')
    status = models.CharField(max_length=10, choices=Status, db_default=Status.QUEUED)
    waits_for = models.CharField(max_length=5, choices=Waits, db_default=Waits.NOTHING, blank=True, editable=False)
    priority = models.SmallIntegerField(db_default=0, help_text="From -100 to 100; higher runs first.")
    run_after = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(db_default=0)
    max_attempts = models.PositiveSmallIntegerField(db_default=MAX_ATTEMPTS)
    continuations = models.PositiveIntegerField(
        db_default=0, help_text="How often it went on after a rest, with its checkpoint.",
    )
    time_limit = models.PositiveSmallIntegerField(db_default=LONGEST, help_text="Seconds that an attempt may take.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="The latest attempt.")
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="When its worker last said that it runs.")
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=100, db_default="", blank=True, help_text="Of the latest attempt.")
    lock_key = models.CharField(
        max_length=200, db_default="", blank=True,
        help_text="Jobs of one key run one at a time, in the order of their enqueuing.",
    )
    dedupe_key = models.CharField(max_length=250, db_default="", blank=True, help_text="There is one job of it, for ever.")
    parent = TenantForeignKey("self", models.CASCADE, null=True, blank=True, related_name="steps")
    step = models.PositiveSmallIntegerField(db_default=0, help_text="Of its parent, from 1.")
    progress = models.PositiveBigIntegerField(db_default=0)
    progress_total = models.PositiveBigIntegerField(null=True, blank=True)
    progress_note = models.CharField(max_length=200, db_default="", blank=True)
    checkpoint = models.JSONField(null=True, blank=True, help_text="What it has done so far, as the task noted it.")
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True, help_text="Of the latest attempt.")
    discard_reason = models.CharField(max_length=200, db_default="", blank=True)
    origin = models.JSONField(help_text="Who asked for it, from where and why.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "dedupe_key"], condition=~Q(dedupe_key=""), name="job_dedupe_key"),
            models.UniqueConstraint(
                fields=["organization", "lock_key"], condition=AT_WORK & ~Q(lock_key=""), name="job_lock_key_once",
            ),
            models.CheckConstraint(condition=~Q(status="running") | Q(heartbeat_at__isnull=False), name="job_runs_on_a_lease"),
            models.CheckConstraint(condition=Q(time_limit__range=(1, LONGEST)), name="job_time_limit"),
        ]
        indexes = [
            models.Index(
                F("queue"), F("priority").desc(), F("run_after"), F("id"), condition=Q(status="queued", waits_for=""),
                name="job_ready",
            ),
            models.Index(fields=["run_after"], condition=Q(status="queued", waits_for="time"), name="job_due"),
            models.Index(fields=["queue", "heartbeat_at"], condition=AT_WORK, name="job_at_work"),
            models.Index(fields=["organization", "lock_key", "seq"], condition=IN_TURN, name="job_in_turn"),
            models.Index(fields=["organization", "parent", "step"], name="job_by_parent"),
            models.Index(fields=["organization", "status", "id"], name="job_by_status"),
            models.Index(fields=["organization", "task", "id"], name="job_by_task"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"


class JobAttempt(RuntimeModel):
    """One try of a job, noted when it ended."""

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", "Succeeded"
        CONTINUED = "continued", "Continued: it rested, and goes on from its checkpoint"
        FAILED = "failed", "Failed"
        TIMED_OUT = "timed_out", "Timed out"
        LOST = "lost", "Lost: its worker went away"
        CANCELLED = "cancelled", "Cancelled"

    job = TenantForeignKey(Job, models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField(help_text="1, 2, 3 ..., continuations counted as well.")
    worker = models.CharField(max_length=100, db_default="", blank=True)
    started_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    error = models.TextField(db_default="", blank=True)
    traceback = models.TextField(db_default="", blank=True, help_text="For platform staff.")
    duration_ms = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "job", "number"], name="job_attempt_once")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.number}"


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

"""The machinery's rows: their effect has long been told."""

from core.retention import DataClass

OLD = "t.id < %(before_id)s AND t.created_at < %(before)s"

DATA_CLASSES = [
    DataClass(
        "events", "Events that were relayed", 30, "notifications_outboxevent", f"{OLD} AND t.relayed_at IS NOT NULL",
    ),
    DataClass(
        "deliveries", "Messages that were sent or given up", 30, "notifications_notificationdelivery",
        f"{OLD} AND t.status <> 'queued'",
        pseudonymise="address = '', subject = '', body = '', error = ''",
        is_pseudonymous="t.address = '' AND t.subject = '' AND t.body = '' AND t.error = ''",
    ),
    DataClass(
        "jobs", "Jobs that ended", 30, "notifications_job", f"{OLD} AND t.status IN ('succeeded', 'failed', 'dead')",
    ),
    DataClass(
        "ticks", "Runs of schedules", 30, "notifications_schedulerun", "t.tick < %(before)s AND t.outcome <> 'running'",
        shared=True,
    ),
    DataClass("workers", "Workers that are gone", 7, "notifications_workerseen", "t.seen_at < %(before)s", shared=True),
]  # fmt: skip

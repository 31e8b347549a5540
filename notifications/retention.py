"""The machinery's rows: their effect has long been told."""

from core.retention import DataClass

OLD = "t.id < %(before_id)s AND t.created_at < %(before)s"

NO_UNFINISHED_JOB = """NOT EXISTS (
    SELECT FROM notifications_job AS j
    WHERE j.organization_id = t.organization_id AND j.id = t.job_id AND j.status IN ('queued', 'running', 'cancelling'))"""
# Attempts that are kept for longer keep their job, and steps the job that they are steps of.
NOTHING_BELOW = """NOT EXISTS (
    SELECT FROM notifications_jobattempt AS a WHERE a.organization_id = t.organization_id AND a.job_id = t.id
) AND NOT EXISTS (
    SELECT FROM notifications_job AS s WHERE s.organization_id = t.organization_id AND s.parent_id = t.id)"""

DATA_CLASSES = [
    # Before the deliveries, which stay as long as a try of them.
    DataClass("webhook_attempts", "Tries at delivering to webhooks", 30, "notifications_deliveryattempt", OLD),
    DataClass(
        "event_deliveries", "Deliveries of events that ended", 30, "notifications_eventdelivery",
        f"""{OLD} AND t.status IN ('delivered', 'dead', 'discarded') AND NOT EXISTS (
            SELECT FROM notifications_deliveryattempt AS a WHERE a.organization_id = t.organization_id AND a.delivery_id = t.id
        )""",
    ),
    # An event stays as long as a delivery of it, and until the bus has it.
    DataClass(
        "events", "Events that were relayed", 30, "notifications_outboxevent",
        f"""{OLD} AND t.relayed_at IS NOT NULL AND NOT t.awaits_bus AND NOT EXISTS (
            SELECT FROM notifications_eventdelivery AS d WHERE d.organization_id = t.organization_id AND d.event_id = t.id
        )""",
    ),
    # Before the messages, which stay as long as a hit that they told of.
    DataClass("watch_hits", "What watches have found", 90, "notifications_watchhit", OLD),
    DataClass(
        "external_answers", "Answers of external sources that are not fresh any more", 7, "notifications_externalcacheentry",
        "GREATEST(t.expires_at, t.stale_if_error_until, t.leased_until) < %(before)s",
    ),
    DataClass(
        "deliveries", "Messages that were sent or given up", 30, "notifications_notificationdelivery",
        f"""{OLD} AND t.status IN ('sent', 'failed') AND NOT EXISTS (
            SELECT FROM notifications_watchhit AS h WHERE h.organization_id = t.organization_id AND h.notification_id = t.id
        )""",
        pseudonymise="address = '', subject = '', body = '', error = ''",
        is_pseudonymous="t.address = '' AND t.subject = '' AND t.body = '' AND t.error = ''",
    ),
    DataClass(
        "inbox", "Messages of inboxes that were archived", 90, "notifications_notification",
        f"{OLD} AND t.archived_at IS NOT NULL",
    ),
    DataClass("alerts", "Alerts that were resolved", 365, "notifications_alert", f"{OLD} AND t.status = 'resolved'"),
    DataClass(
        "job_attempts", "Attempts of jobs that ended", 30, "notifications_jobattempt", f"{OLD} AND {NO_UNFINISHED_JOB}",
        pseudonymise="error = '', traceback = ''", is_pseudonymous="t.error = '' AND t.traceback = ''",
    ),
    DataClass(
        "jobs", "Jobs that ended", 30, "notifications_job",
        f"{OLD} AND t.status NOT IN ('queued', 'running', 'cancelling') AND {NOTHING_BELOW}",
    ),
    DataClass("inbound", "Webhooks that came in", 30, "notifications_inboundwebhook", OLD),
    DataClass(
        "ticks", "Runs of schedules", 30, "notifications_schedulerun", "t.tick < %(before)s AND t.outcome <> 'running'",
        shared=True,
    ),
    DataClass("workers", "Workers that are gone", 7, "notifications_workerseen", "t.seen_at < %(before)s", shared=True),
]  # fmt: skip

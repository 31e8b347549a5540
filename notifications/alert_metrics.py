"""What the machinery knows of itself. Each goes by an index, and what may be without end is counted up to MOST."""

from notifications.measuring import Metric, declare
from notifications.queries.dead import MOST

OWN = "organization_id = %(organization)s"
LATELY = f"{OWN} AND finished_at >= {{since}}"

declare(Metric("dead_letters", "Dead letters", f"""
    SELECT (SELECT count(*) FROM (SELECT FROM notifications_eventdelivery WHERE {OWN} AND status = 'dead' LIMIT {MOST}) AS d)
         + (SELECT count(*) FROM (SELECT FROM notifications_job WHERE {OWN} AND status IN ('dead', 'failed') LIMIT {MOST}) AS j)
"""))
declare(Metric("jobs_failed", "Jobs that failed", f"""
    SELECT count(*) FROM notifications_job WHERE {LATELY} AND status IN ('dead', 'failed')
""", looks_back=True))
declare(Metric("jobs_failed_percent", "Share of jobs that failed", f"""
    SELECT 100.0 * count(*) FILTER (WHERE status IN ('dead', 'failed')) / NULLIF(count(*), 0)
    FROM notifications_job WHERE {LATELY} AND status IN ('succeeded', 'dead', 'failed')
""", "%", looks_back=True))
declare(Metric("deliveries_failed_percent", "Share of event deliveries that were given up", f"""
    SELECT 100.0 * count(*) FILTER (WHERE status = 'dead') / NULLIF(count(*), 0)
    FROM notifications_eventdelivery WHERE {LATELY} AND status IN ('delivered', 'dead')
""", "%", looks_back=True))
declare(Metric("deliveries_retrying", "Event deliveries that are tried again", f"""
    SELECT count(*) FROM (SELECT FROM notifications_eventdelivery WHERE {OWN} AND status = 'retrying' LIMIT {MOST}) AS d
"""))
declare(Metric("webhooks_failing", "Webhook endpoints that fail or are switched off", f"""
    SELECT count(*) FROM notifications_webhookendpoint AS e
    LEFT JOIN notifications_webhookhealth AS h ON h.organization_id = e.organization_id AND h.endpoint_id = e.id
    WHERE e.{OWN} AND (e.disabled_at IS NOT NULL OR h.failures > 0)
"""))
declare(Metric("inbound_failed", "Webhooks that came in and could not be processed", f"""
    SELECT count(*) FROM (SELECT FROM notifications_inboundwebhook WHERE {OWN} AND status = 'failed' LIMIT {MOST}) AS w
"""))
declare(Metric("messages_failed", "Messages that could not be sent", f"""
    SELECT count(*) FROM notifications_notificationdelivery WHERE {OWN} AND status = 'failed' AND id >= {{since_id}}
""", looks_back=True))

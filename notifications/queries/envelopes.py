"""An event as all the world sees it: what patterns look at, what a webhook's body is, what the feed gives."""

OUTBOX = """
    INSERT INTO notifications_outboxevent
        (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id, traceparent)"""
ORIGIN = "COALESCE(NULLIF(current_setting('app.origin', true), ''), '{}')::jsonb"


def causes(origin: str) -> str:
    """SQL of the request that caused an event, and of its trace."""
    return f"COALESCE({origin} ->> 'request_id', ''), COALESCE({origin} ->> 'traceparent', '')"


def envelope(event: str, payload: str = "", **more: str) -> str:
    """SQL that makes the JSON text of it from a row of the outbox; `more` are further members and their SQL."""
    members = {
        "id": f"{event}.id", "type": f"{event}.type", "bus": f"{event}.bus", "schema_version": f"{event}.schema_version",
        "aggregate_type": f"{event}.aggregate_type", "aggregate_id": f"{event}.aggregate_id",
        "occurred_at": f"""to_char({event}.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        "correlation_id": f"{event}.correlation_id", "traceparent": f"{event}.traceparent",
        "organization": f"{event}.organization_id", "payload": payload or f"{event}.payload", **more,
    }
    return f"json_build_object({', '.join(f"'{name}', {sql}" for name, sql in members.items())})::text"

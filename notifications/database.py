"""What the database does itself for events, jobs, webhooks and messages."""

from core.wall_sql import Function
from notifications import database_deliveries, database_inbound, database_jobs, database_waiting, events


def functions() -> list[Function]:
    return [
        *database_deliveries.FUNCTIONS, *database_inbound.FUNCTIONS, *database_jobs.FUNCTIONS, *database_waiting.FUNCTIONS,
        *events.functions(),
    ]

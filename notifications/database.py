"""What the database does itself for events, jobs and webhooks."""

from core.wall_sql import Function
from notifications import database_deliveries, database_inbound, database_jobs, events


def functions() -> list[Function]:
    return [*database_deliveries.FUNCTIONS, *database_inbound.FUNCTIONS, *database_jobs.FUNCTIONS, *events.functions()]

"""Which deliveries a worker takes: by the index of those that are due, whatever the planner knows of the table."""

from core.wall_sql import Function

# While statistics know of few deliveries, or none, every index over a part of the table costs the same to the planner, and
# one that reads the whole backlog and sorts it is as good as the one that is in order already.
DUE = Function(
    "notifications_deliveries_due(integer)",
    "SETOF uuid",
    """
BEGIN
    PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
            set_config('enable_sort', 'off', true);
    RETURN QUERY
        SELECT d.id FROM notifications_eventdelivery AS d
        WHERE d.status IN ('pending', 'retrying') AND NOT d.is_blocked AND d.next_attempt_at <= now()
        ORDER BY d.next_attempt_at, d.seq LIMIT most FOR UPDATE SKIP LOCKED;
END
""",
    callers=("worker",), arguments="most integer",
)

FUNCTIONS = (DUE,)

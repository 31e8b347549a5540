"""What must hold of deliveries, whatever was killed."""

from core.invariants import Invariant

INVARIANTS = [
    Invariant("A lane with unfinished deliveries has one that is not blocked", """
        SELECT subscription_id || ' ' || aggregate_id || ': ' || count(*) FILTER (WHERE NOT is_blocked) || ' of ' || count(*)
        FROM notifications_eventdelivery
        WHERE organization_id = %(organization)s AND status IN ('pending', 'in_flight', 'retrying')
        GROUP BY subscription_id, aggregate_id HAVING count(*) FILTER (WHERE NOT is_blocked) <> 1
    """),
]  # fmt: skip

"""What was given up. By index, and counted up to a bound: of one organization in its scope, of all for the worker."""

from typing import NamedTuple

from django.db import connections

MOST = 1000

# The app's role sees its own organization alone, so the same statement serves both.
DEAD = f"""
    SELECT o.id,
        (SELECT count(*) FROM (SELECT FROM notifications_eventdelivery AS d
                               WHERE d.organization_id = o.id AND d.status = 'dead' LIMIT {MOST}) AS found),
        (SELECT count(*) FROM (SELECT FROM notifications_job AS j
                               WHERE j.organization_id = o.id AND j.status IN ('dead', 'failed') LIMIT {MOST}) AS found)
    FROM accounts_organization AS o
"""


class Dead(NamedTuple):
    """Jobs are those that are dead or were refused."""

    deliveries: int
    jobs: int


def dead(*, using: str = "default") -> Dead:
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(sum(deliveries), 0), COALESCE(sum(jobs), 0) FROM ({DEAD}) AS d (id, deliveries, jobs)")
        deliveries, jobs = cursor.fetchone()
    return Dead(int(deliveries), int(jobs))

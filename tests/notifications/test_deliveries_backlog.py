"""Which deliveries are next, whatever else waits."""

from collections.abc import Callable

import pytest
from django.db import connections, transaction

from notifications.services.delivering import deliveries_claim
from tests.companies import Company
from tests.notifications.test_delivering import subscribed
from tests.notifications.test_relaying import deliveries_of, relay_all, told

BACKLOG = """
    INSERT INTO notifications_eventdelivery
        (id, organization_id, event_id, subscription_id, aggregate_id, seq, replay_no, status, is_blocked, next_attempt_at)
    SELECT uuid7(), d.organization_id, d.event_id, d.subscription_id, gen_random_uuid(), n, n,
           CASE WHEN n %% 2 = 0 THEN 'pending' ELSE 'retrying' END, n %% 2 = 0, now() + make_interval(hours => 1 + n %% 20)
    FROM notifications_eventdelivery AS d, generate_series(%s, %s) AS n WHERE d.id = %s
"""
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'notifications_eventdelivery'"


@pytest.mark.parametrize("known", [0, 3, 400])
def test_claiming_reads_a_few_rows_whatever_waits(new_company: Callable[[], Company], known: int) -> None:
    """A backlog comes sooner than the next ANALYZE: the planner knows of few deliveries."""
    relay_all()
    company = new_company()
    with connections["worker"].cursor() as worker, connections["owner"].cursor() as owner:
        worker.execute("DELETE FROM notifications_deliveryattempt")
        worker.execute("DELETE FROM notifications_eventdelivery")
        subscribed(company)
        told(company)
        relay_all()
        [delivery] = deliveries_of(company)
        worker.execute(BACKLOG, [1, known, delivery.pk])
        owner.execute("VACUUM ANALYZE notifications_eventdelivery")
    connections["worker"].close()
    connections["owner"].close()
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(BACKLOG, [1001, 101_000, delivery.pk])
        cursor.execute(READ)
        before = cursor.fetchone()[0]
        assert len(deliveries_claim(limit=50)) == 1
        cursor.execute(READ)
        assert cursor.fetchone()[0] - before < 10
        transaction.set_rollback(True, "worker")
    with connections["worker"].cursor() as worker:
        worker.execute("DELETE FROM notifications_eventdelivery WHERE id <> %s", [delivery.pk])

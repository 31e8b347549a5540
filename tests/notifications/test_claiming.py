"""Which job is next: whatever else waits, and whoever else asks."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from core.budget import Budget
from notifications.models import Job
from notifications.queries.depth import queue_depths
from notifications.services.endings import job_fail, job_put_back, keys_wake
from notifications.services.jobs import job_claim
from notifications.services.running import job_run, jobs_run_ids
from tests.companies import Company
from tests.notifications.at_work import change, enqueued, keys, quiet, reread, run_all, run_next, statuses
from tests.notifications.playground import tasks

BACKLOG = 100_000
FILL = """
    INSERT INTO notifications_job (id, organization_id, task, queue, arguments, origin, status, waits_for, run_after, lock_key)
    SELECT uuid7(), %(organization)s, 'tests.notifications.playground.tasks.write', %(queue)s,
           '{"args": ["k"], "kwargs": {}}', '{}', 'queued', %(waits_for)s, now() + %(later)s, %(lock_key)s
    FROM generate_series(1, %(rows)s)
"""
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'notifications_job'"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def fill(cursor: Any, company: Company, rows: int, **values: Any) -> None:
    given = {"queue": "default", "waits_for": "", "later": timedelta(0), "lock_key": "", **values}
    cursor.execute(FILL, {"organization": company.organization.pk, "rows": rows, **given})


def known_by_the_planner(company: Company, jobs: int) -> None:
    with connections["worker"].cursor() as worker, connections["owner"].cursor() as owner:
        worker.execute("DELETE FROM notifications_jobattempt")
        worker.execute("DELETE FROM notifications_job")
        fill(worker, company, jobs, waits_for="time", later=timedelta(days=1))
        owner.execute("VACUUM ANALYZE notifications_job")
    connections["worker"].close()  # so that nothing is planned yet
    connections["owner"].close()


# --- A backlog ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("jobs_then", "backlog_now"), [(0, 100_000), (3, 5_000), (50, 5_000), (400, 5_000)])
def test_claiming_reads_a_few_rows_whatever_waits(company: Company, settings: Any, jobs_then: int, backlog_now: int) -> None:
    """As many for later, of a lock key that is at work, in a queue that is full, and that are ready.

    The plans are made while the statistics know of few jobs: a backlog comes sooner than the next ANALYZE.
    """
    settings.JOB_QUEUES = {"default": {}, "mail": {"limit": 1}}
    known_by_the_planner(company, jobs_then)
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:

        def rows_read() -> int:
            cursor.execute(READ)
            before = cursor.fetchone()[0]
            assert job_claim()
            cursor.execute(READ)
            return int(cursor.fetchone()[0] - before)

        fill(cursor, company, 3, queue="default")
        fill(cursor, company, 1, queue="mail")
        fill(cursor, company, 1, lock_key="key")
        while job_claim():
            pass
        fill(cursor, company, 1)
        alone = rows_read()
        fill(cursor, company, backlog_now, waits_for="time", later=timedelta(days=1))
        fill(cursor, company, backlog_now, waits_for="lock", lock_key="key")
        fill(cursor, company, backlog_now, queue="mail")
        fill(cursor, company, 1)
        crowded = rows_read()
        fill(cursor, company, backlog_now)
        backlog = rows_read()
        fill(cursor, company, 1, lock_key="free", later=-timedelta(days=2))  # is the first to be met
        free = rows_read()
        fill(cursor, company, 1, lock_key="key", later=-timedelta(days=2))  # is met first, and put aside
        aside = rows_read()
        found = [crowded, backlog, free, aside]
        assert [rows <= alone + 24 for rows in found] == [True] * 4 and max(crowded, backlog) <= alone + 8, (alone, found)
        transaction.set_rollback(True, "worker")


def test_puts_aside_what_it_meets_and_not_all_at_once(company: Company) -> None:
    with connections["worker"].cursor() as cursor:
        fill(cursor, company, 2001, lock_key="key")
    assert job_claim()
    assert job_claim() is None
    with company.scope():
        assert Job.objects.filter(waits_for="lock").count() == 2000
    with connections["worker"].cursor() as cursor:
        fill(cursor, company, 1)
    free = job_claim()
    assert free and not free.lock_key


# --- Lock keys ----------------------------------------------------------------------------------------------


def test_a_lock_key_runs_one_at_a_time_in_the_order_of_enqueuing(company: Company) -> None:
    jobs = [enqueued(company, tasks.write, str(n), lock_key="k", priority=n) for n in range(4)]
    first = job_claim()
    assert first and first.id == jobs[0].pk
    assert job_claim() is None
    assert job_run(first) == "succeeded"
    second = job_claim()
    assert second and second.id == jobs[1].pk and job_claim() is None
    assert job_fail(second, "no") == "queued"
    assert job_claim() is None, "the next wait until it has succeeded or given up"
    change(jobs[1], "run_after = now()")
    assert run_all() == ["succeeded"] * 3
    assert keys(company) == ["0", "1", "2", "3"]
    with company.scope():
        assert list(Job.objects.order_by("started_at").values_list("pk", flat=True)) == [job.pk for job in jobs]


def test_another_organizations_key_is_another(company: Company, new_company: Callable[[], Company]) -> None:
    enqueued(company, tasks.write, "a", lock_key="k")
    enqueued(new_company(), tasks.write, "b", lock_key="k")
    assert job_claim() and job_claim() and job_claim() is None


def test_one_that_is_dead_lets_the_next_go(company: Company) -> None:
    first = enqueued(company, tasks.write_and_refuse, "a", lock_key="k")
    enqueued(company, tasks.write, "b", lock_key="k")
    attempt = job_claim()
    assert attempt and job_claim() is None
    assert job_run(attempt) == "failed"
    assert run_all() == ["succeeded"]
    assert statuses(company, first) == ["failed"]


def test_the_database_refuses_a_second_one_of_a_key(company: Company) -> None:
    enqueued(company, tasks.write, "a", lock_key="k")
    second = enqueued(company, tasks.write, "b", lock_key="k")
    assert job_claim()
    with pytest.raises(IntegrityError):
        change(second, "status = 'running', heartbeat_at = now()")


def test_one_that_commits_late_waits_for_the_one_that_has_begun(company: Company) -> None:
    """It was enqueued first, but nobody could see it."""
    late = connections["default"].copy()
    late.settings_dict = connections["worker"].settings_dict
    late.set_autocommit(False)
    with late.cursor() as cursor:
        fill(cursor, company, 1, lock_key="k")
    second = enqueued(company, tasks.write, "b", lock_key="k")
    attempt = job_claim()
    assert attempt and attempt.id == second.pk
    late.commit()
    late.close()
    assert job_claim() is None
    assert job_run(attempt) == "succeeded"
    assert run_next() == "succeeded"


def test_a_key_that_nobody_woke_is_woken_by_the_sweep(company: Company) -> None:
    job = enqueued(company, tasks.write, "a", lock_key="k")
    change(job, "waits_for = 'lock'")
    blocked = [enqueued(company, tasks.write, str(n), lock_key="other") for n in range(2)]
    assert job_claim()
    assert job_claim() is None
    assert keys_wake() == 1
    assert statuses(company, *blocked) == ["running", "queued"]
    assert run_next() == "succeeded"
    assert keys_wake() == 0


def test_many_claimers_never_share_a_key(company: Company) -> None:
    for n in range(60):
        enqueued(company, tasks.write, f"{n}", lock_key=f"k{n % 3}")
    claimed: list[tuple[str, int]] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while len(claimed) < 60 and not failures:
                if attempt := job_claim():
                    job_run(attempt)
                    claimed.append((attempt.lock_key, int(attempt.arguments["args"][0])))
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures and len(claimed) == 60
    with company.scope():
        for key in ("k0", "k1", "k2"):
            rows = list(Job.objects.filter(lock_key=key).order_by("seq").values_list("started_at", "finished_at", "status"))
            assert {status for _, _, status in rows} == {"succeeded"}
            assert all(before[1] <= after[0] for before, after in pairwise(rows))


# --- Limits, and what only time brings ----------------------------------------------------------------------


def test_a_full_queue_holds_back_its_own_alone(company: Company, settings: Any) -> None:
    settings.JOB_QUEUES = {"default": {}, "mail": {"limit": 2}}
    for n in range(3):
        enqueued(company, tasks.write, f"m{n}", queue_name="mail", priority=9)
    enqueued(company, tasks.write, "d")
    taken = [job_claim() for _ in range(4)]
    assert [attempt and attempt.queue for attempt in taken] == ["mail", "mail", "default", None]
    assert taken[0] and job_run(taken[0]) == "succeeded"
    last = job_claim()
    assert last and last.queue == "mail"


def test_a_limit_holds_over_many_claimers(company: Company, settings: Any) -> None:
    settings.JOB_QUEUES = {"default": {}, "mail": {"limit": 3}}
    for n in range(30):
        enqueued(company, tasks.write, str(n), queue_name="mail")
    taken: list[Any] = []
    together = threading.Barrier(6)

    def claim() -> None:
        together.wait(60)
        taken.extend(job_claim() for _ in range(3))
        connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(attempt is not None for attempt in taken) == 3


def test_a_row_that_says_nothing_of_its_time_waits_for_it(company: Company) -> None:
    """As SQL of others may write it."""
    with connections["worker"].cursor() as cursor:
        fill(cursor, company, 1, later=timedelta(hours=1))
    assert job_claim() is None
    with company.scope():
        job = Job.objects.get()
    assert job.waits_for == "time"
    change(job, "run_after = now()")
    assert job_claim()


def test_tells_how_deep_the_queues_are(company: Company) -> None:
    for n in range(3):
        enqueued(company, tasks.write, str(n))
    enqueued(company, tasks.write, "later", run_after=timezone.now() + timedelta(hours=1), queue_name="mail")
    job = enqueued(company, tasks.write, "old")
    change(job, "run_after = now() - interval '1 minute'")
    attempt = job_claim()
    assert attempt and attempt.id == job.pk
    depths = {depth.queue: depth for depth in queue_depths()}
    assert (depths["default"].ready, depths["default"].running, depths["mail"].delayed) == (3, 1, 1)
    assert depths["watch"][1:] == (0, 0, 0, 0.0)
    assert job_put_back(attempt, wait=0)
    change(job, "run_after = now() - interval '1 minute'")
    assert 59 < next(depth.oldest for depth in queue_depths() if depth.queue == "default") < 120


# --- By name, as a message of SQS does ----------------------------------------------------------------------


def test_runs_those_that_are_named_and_says_which_to_bring_again(company: Company, settings: Any) -> None:
    settings.JOB_QUEUES = {"default": {}, "mail": {"limit": 1}}
    unnamed = enqueued(company, tasks.write, "unnamed", priority=100)
    taken = enqueued(company, tasks.write, "taken", queue_name="mail")
    assert job_claim(job_id=taken.pk)
    named = [enqueued(company, tasks.write, key) for key in "ab"]
    full = enqueued(company, tasks.write, "full", queue_name="mail")
    first = enqueued(company, tasks.write, "first", lock_key="k")
    second = enqueued(company, tasks.write, "second", lock_key="k")
    later = enqueued(company, tasks.write, "later", run_after=timezone.now() + timedelta(hours=1))
    ids: list[UUID] = [job.pk for job in (*named, full, second, later, taken)]
    assert jobs_run_ids([*ids, uuid4()], Budget(60)) == [full.pk]
    assert statuses(company, *named, full, second, later) == ["succeeded", "succeeded", "queued", "queued", "queued"]
    assert jobs_run_ids([first.pk, second.pk], Budget(60)) == []
    assert statuses(company, first, second, unnamed) == ["succeeded", "succeeded", "queued"]
    assert jobs_run_ids([unnamed.pk], Budget(0)) == [unnamed.pk]
    assert reread(company, unnamed).attempts == 0

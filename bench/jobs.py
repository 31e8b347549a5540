"""Jobs a second, from enqueuing to start, and the claim beside an empty table and beside 100,000 jobs that wait."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from bench.database import TENANT, member_of
from bench.measuring import Result, times
from core.supervisor import PROJECT
from core.tenancy import organization_scope
from notifications.services.jobs import Order, job_claim, job_enqueue

JOBS, BACKLOG, ROUNDS, BELLS = 1_000, 100_000, 200, 50
TASK = "bench.tasks.nothing"

FILL = f"""
    INSERT INTO notifications_job (id, organization_id, task, queue, arguments, origin, waits_for, run_after, lock_key)
    SELECT uuid7(), %(organization)s, '{TASK}', %(queue)s, '{{"args": [], "kwargs": {{}}}}', '{{}}', %(waits_for)s,
           now() + make_interval(days => %(days)s), %(lock_key)s
    FROM generate_series(1, %(rows)s)
"""
# What a claim cannot do without: find the row, lock it, write it.
FLOOR = """
    UPDATE notifications_job SET status = 'running', attempts = attempts + 1, started_at = now(), heartbeat_at = now()
    WHERE id = (
        SELECT id FROM notifications_job WHERE queue = 'default' AND status = 'queued' AND waits_for = ''
        ORDER BY priority DESC, run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""


def run(size: int) -> Iterator[Result]:
    organization_id = member_of(TENANT).organization_id
    try:
        yield from _claims(size, organization_id)
        yield from _throughput(size, organization_id)
        yield _bell(size, organization_id)
    finally:
        _empty()


def _claims(size: int, organization_id: UUID) -> Iterator[Result]:
    beside_nothing = _claim(organization_id, ())
    waiting: list[dict[str, object]] = [
        {"waits_for": "time", "days": 1}, {"waits_for": "lock", "lock_key": "key"}, {"queue": "mail"}, {},
    ]
    before = settings.JOB_QUEUES
    settings.JOB_QUEUES = {**before, "mail": {"limit": 0}}
    beside_many = _claim(organization_id, waiting)
    settings.JOB_QUEUES = before
    yield Result("claim a job beside nothing", size, beside_nothing[0], beside_nothing[1])
    yield Result(
        f"claim a job beside 4 x {BACKLOG:,}: for later, locked, in a full queue, ready", size, beside_many[0], beside_many[1],
    )
    yield Result("... beside the claim beside nothing", size, beside_many[0], beside_nothing[0], target=("ratio", 1.5))


def _claim(organization_id: UUID, backlog: Sequence[dict[str, object]]) -> list[float]:
    _empty()
    for values in backlog:
        _fill(organization_id, BACKLOG, **values)
    _fill(organization_id, 3 * ROUNDS)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications_job")
    with connections["worker"].cursor() as cursor:
        return times(ROUNDS, job_claim, lambda: cursor.execute(FLOOR))


def _throughput(size: int, organization_id: UUID) -> Iterator[Result]:
    for workers in (1, 4):
        _empty()
        with _workers(workers):
            _fill(organization_id, JOBS)
            _ring()
            _await(lambda: _count("status <> 'succeeded'") == 0)
        with connections["worker"].cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM max(finished_at) - min(started_at))::float FROM notifications_job")
            seconds = cursor.fetchone()[0]
        print(f"  {JOBS / seconds:,.0f} jobs a second with {workers} workers")
        yield Result(f"a job that does nothing, with {workers} workers in processes, of {JOBS:,}", size, seconds * 1000 / JOBS)


def _bell(size: int, organization_id: UUID) -> Result:
    _empty()
    taken = []
    with _workers(1):
        for _ in range(BELLS):
            time.sleep(0.05)
            with organization_scope(organization_id):
                job_id = job_enqueue(Order(task=TASK))
            committed = time.time()
            _await(lambda: _count("status <> 'succeeded'") == 0)
            with connections["worker"].cursor() as cursor:
                cursor.execute("SELECT extract(epoch FROM started_at)::float FROM notifications_job WHERE id = %s", [job_id])
                taken.append((cursor.fetchone()[0] - committed) * 1000)
    return Result("from the commit that enqueues to the start, p50", size, median(taken), target=("ours", 50))


@contextmanager
def _workers(number: int) -> Iterator[None]:
    """Processes of their own, on this database."""
    names = {"BENCH_DATABASES": json.dumps(settings.DATABASES, default=str), "DJANGO_SETTINGS_MODULE": "bench.worker_settings"}
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=PROJECT, env=os.environ | names | {"LOG_LEVEL": "ERROR"},
        ) for _ in range(number)
    ]
    try:
        _await(lambda: _listening() >= number)
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def _listening() -> int:
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
            " AND query LIKE 'LISTEN%%'"
        )
        return int(cursor.fetchone()[0])


def _fill(organization_id: UUID, rows: int, **values: object) -> None:
    given = {"organization": organization_id, "queue": "default", "waits_for": "", "days": 0, "lock_key": "", "rows": rows}
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(FILL, {**given, **values})


def _ring() -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT pg_notify('quartermaster_jobs', '')")


def _count(condition: str) -> int:
    with connections["worker"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM notifications_job WHERE {condition}")
        return int(cursor.fetchone()[0])


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def _empty() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE notifications_job CASCADE")

"""Workers are killed at random while jobs with checkpoints run: all end, none beside itself, and nothing is done twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connections

from notifications.backend import order
from notifications.models import Job, JobAttempt, Topic
from notifications.services.jobs import job_enqueue
from tests.companies import Company
from tests.notifications.at_work import quiet
from tests.notifications.playground import long_tasks
from tests.notifications.processes import WorkerProcess, worker

pytestmark = pytest.mark.once

JOBS = int(os.environ.get("CRASH_TEST_JOBS", "150"))
KILLS = int(os.environ.get("CRASH_TEST_KILLS", "10"))
WORKERS = 2
UNITS = 3
DEADLINE = 300 + 2 * JOBS // 10 + 20 * KILLS  # seconds
SEED = int(os.environ.get("CRASH_TEST_SEED", "4"))


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def unfinished() -> int:
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notifications_job WHERE status IN ('queued', 'running', 'cancelling')")
        return int(cursor.fetchone()[0])


def test_whatever_dies_each_job_ends_once(company: Company, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with company.scope():
        for number in range(JOBS):
            key = f"k{number % 7}" if number % 3 == 0 else ""
            job_enqueue(order(
                long_tasks.count_up.using(lock_key=key), str(tmp_path), f"j{number}", UNITS if number % 10 == 0 else 1, key,
            ))  # fmt: skip
    killed = kill_and_go_on(chance)
    assert killed == KILLS, "the jobs were done before: enqueue more"
    lines = (tmp_path / "log").read_text().splitlines()
    assert not [line for line in lines if line.startswith("overlap")]
    done: set[str] = set()
    for line in lines:
        word, _, what = line.partition(" ")
        assert not (word == "begin" and what in done), f"{what} was done before"
        if word == "done":
            done.add(what)
    with company.scope():
        assert Counter(Job.objects.values_list("status", flat=True)) == {"succeeded": JOBS}
        assert Topic.objects.filter(key__startswith="j").count() == sum(UNITS if n % 10 == 0 else 1 for n in range(JOBS))
        outcomes = Counter(JobAttempt.objects.values_list("outcome", flat=True))
        assert outcomes["succeeded"] == JOBS and set(outcomes) <= {"succeeded", "lost"}, outcomes
        for number in range(7):
            rows = list(Job.objects.filter(lock_key=f"k{number}").order_by("seq").values_list("finished_at", flat=True))
            assert rows == sorted(rows), "a lock key is first in, first out"


def kill_and_go_on(chance: random.Random) -> int:
    """Until everything has ended; how many workers were killed while there was something to do."""
    killed, deadline = 0, time.monotonic() + DEADLINE
    with ExitStack() as stack:

        def another() -> WorkerProcess:
            return stack.enter_context(worker("--threads", "2", WORKER_TEST_LEASE="3", LOG_LEVEL="WARNING"))

        crew = [another() for _ in range(WORKERS)]
        while left := unfinished():
            assert time.monotonic() < deadline, "\n".join(one.said for one in crew)
            with connections["worker"].cursor() as cursor:
                cursor.execute(
                    "SELECT DISTINCT worker FROM notifications_job"
                    " WHERE status = 'running' AND heartbeat_at > now() - interval '2 s'"
                )
                busy = {int(name.rpartition(":")[2].partition("/")[0]) for (name,) in cursor.fetchall()}
            alive = [place for place, one in enumerate(crew) if one.process.pid in busy and one.process.poll() is None]
            if killed < KILLS and alive and left <= JOBS - killed * JOBS // (2 * KILLS):  # spread over the first half
                time.sleep(chance.random() * 0.3)  # somewhere in the middle
                place = chance.choice(alive)
                os.kill(crew[place].process.pid, signal.SIGKILL)
                crew[place] = another()
                killed += 1
            time.sleep(0.05)
    return killed

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from notifications.models import EventDelivery, Job, Topic
from notifications.services.events import publish
from notifications.services.jobs import LEASE
from notifications.worker import Worker
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory, WebhookEndpointFactory
from tests.notifications.at_work import quiet
from tests.notifications.playground import tasks
from tests.notifications.playground.events import Happened
from tests.notifications.processes import eventually, worker
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.once

type NewCompany = Callable[[], Company]
READY = "The worker is ready."


def job_of(company: Company) -> Job:
    with company.scope():
        return Job.objects.get()


def keys(company: Company) -> list[str]:
    with company.scope():
        own = Topic.objects.exclude(key__in=["reorder-reminders", "ops-critical", "stuck-orders"])
        return list(own.order_by("key").values_list("key", flat=True))


def connected() -> set[int]:
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'")
        return {pid for (pid,) in cursor.fetchall()}


def test_once_does_what_there_is_and_exits(new_company: NewCompany) -> None:
    """An event becomes a job, and the job is done, in one go."""
    company = new_company()
    with company.scope():
        publish(Happened(key="heard"), aggregate_id=uuid4())
        tasks.write.enqueue("asked")
    with worker("--once") as process:
        assert process.wait() == 0, process.said
    assert keys(company) == ["asked", "heard"]


def test_a_killed_worker_loses_nothing_and_another_goes_on(new_company: NewCompany, tmp_path: Path) -> None:
    company, started = new_company(), tmp_path / "started"
    with company.scope():
        tasks.write_at_the_end.enqueue("k", str(tmp_path))
    with worker() as first:
        eventually(lambda: started.exists() and started.read_text())  # made first, and written then
        os.kill(first.process.pid, signal.SIGKILL)
        first.wait()
    job = job_of(company)
    assert (job.status, job.attempts, keys(company)) == ("running", 1, [])
    (tmp_path / "go").touch()
    with worker("--once") as too_early:
        assert too_early.wait() == 0
    assert job_of(company).status == "running", "its lease has not run out"
    with company.scope():
        Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=LEASE + 1))
    with worker("--once") as second:
        assert second.wait() == 0, second.said
    job = job_of(company)
    assert (job.status, job.attempts, keys(company)) == ("succeeded", 2, ["k"])
    assert "Recovered 1 jobs" in second.said
    assert len(started.read_text().splitlines()) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_finishes_the_job_at_hand_before_it_stops(new_company: NewCompany, tmp_path: Path, number: signal.Signals) -> None:
    company = new_company()
    with company.scope():
        tasks.write_at_the_end.using(priority=1).enqueue("first", str(tmp_path))
        tasks.write.enqueue("second")
    with worker() as process:
        eventually((tmp_path / "started").exists)
        process.process.send_signal(number)
        (tmp_path / "go").touch()
        assert process.wait() == 0, process.said
    assert keys(company) == ["first"]
    with company.scope():
        assert Job.objects.get(status="queued").arguments["args"] == ["second"]
        Job.objects.update(status="failed")


def test_does_not_wait_for_receivers_when_it_stops(new_company: NewCompany) -> None:
    company = new_company()
    with receiver() as partner, worker("--grace", "0.1") as process:
        partner.reply(204, hangs=True)
        with company.scope():
            EventSubscriptionFactory(pattern={"type": ["playground.happened"]}, endpoint=WebhookEndpointFactory(url=partner.url))
            publish(Happened(key="k"), aggregate_id=uuid4())
        eventually(lambda: partner.received)
        process.process.terminate()
        assert process.wait() == 0, process.said
        with company.scope():
            delivery = EventDelivery.objects.get()
            assert (delivery.status, delivery.attempts) == ("in_flight", 1), "its lease runs out"
            EventDelivery.objects.update(status="discarded")


def test_a_new_job_rings_the_bell(new_company: NewCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that would sleep for a minute is awake at the commit, and not before."""
    monkeypatch.setattr("notifications.worker.NAP", 60)
    company, ready, awake = new_company(), threading.Event(), threading.Event()
    sleeper = Worker()

    def hear() -> None:
        sleeper._listen()
        ready.set()
        sleeper._hear()
        connections["worker"].close()

    def sleep() -> None:
        sleeper._nap(sleeper._nap(-1))
        awake.set()

    threads = [threading.Thread(target=hear), threading.Thread(target=sleep)]
    for thread in threads:
        thread.start()
    assert ready.wait(30)
    with company.scope():
        tasks.write.enqueue("k")
        assert not awake.wait(0.3)
    assert awake.wait(30)
    for thread in threads:
        thread.join(30)
    with company.scope():
        Job.objects.update(status="failed")


def test_runs_jobs_side_by_side_and_keeps_few_connections(new_company: NewCompany, tmp_path: Path) -> None:
    """Of three threads each may have one by each role, besides those of the departments."""
    company = new_company()
    folders = [tmp_path / str(number) for number in range(3)]
    with company.scope():
        for folder in folders:
            folder.mkdir()
            tasks.write_at_the_end.using(priority=50).enqueue(folder.name, str(folder))
    others = connected()  # of this run of the tests, and of workers before it
    with worker("--threads", "3") as process:
        eventually(lambda: all((folder / "started").exists() for folder in folders))
        assert len(connected() - others) <= 2 * 3 + 2 * 2 + 1 + 2  # jobs, relay and clock, the ear, the heart
        for folder in folders:
            (folder / "go").touch()
        eventually(lambda: keys(company) == ["0", "1", "2"])
        process.process.terminate()
        assert process.wait() == 0, process.said


def test_once_ends_when_its_time_is_over(new_company: NewCompany) -> None:
    company = new_company()
    with company.scope():
        tasks.write.enqueue("k")
    with worker("--once", "--seconds", "0") as process:
        assert process.wait() == 0, process.said
    assert keys(company) == []
    with company.scope():
        Job.objects.update(status="failed")


def test_says_each_minute_how_much_waits(new_company: NewCompany) -> None:
    quiet()
    company = new_company()
    with company.scope():
        tasks.write.enqueue("k")
    with worker() as process:
        process.await_line("Queue default: ")
        process.await_line("Done in this process since the last report: ")
        eventually(lambda: keys(company) == ["k"])
        process.process.terminate()
        assert process.wait() == 0
    assert "Traceback" not in process.said


def test_survives_a_database_that_goes_away(new_company: NewCompany) -> None:
    company = new_company()
    with worker() as process:
        process.await_line(READY)
        with connections["worker"].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount >= 1
        process.await_line("The database does not answer, trying again every 2 s: ")
        eventually(lambda: process.said.count(READY) == 2)
        with company.scope():
            tasks.write.enqueue("k")
        eventually(lambda: keys(company) == ["k"])
        process.process.terminate()
        assert process.wait() == 0, process.said


def test_waits_for_a_database_that_is_not_there_yet(commits: None, tmp_path: Path) -> None:
    with worker(WORKER_TEST_HOST=str(tmp_path)) as process:
        process.await_line("The database does not answer")
        process.process.terminate()
        assert process.wait() == 0
    assert "Traceback" not in process.said


def test_refuses_a_role_that_could_pass_the_wall(commits: None) -> None:
    with worker(WORKER_TEST_APP_ROLE="owner") as process:
        assert process.wait() == 2
    assert process.said.splitlines()[-1].endswith("as `manage.py setup_database` makes it.")
    assert "could pass the wall" in process.said and "Traceback" not in process.said


def test_says_when_the_tables_are_not_there(commits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.services.schedules.FORGET", "UPDATE no_such_table SET task = %s")
    with pytest.raises(CommandError, match="run `manage"):
        call_command("worker", "--once")

"""Long jobs: checkpoints, progress, rests, limits, and what becomes of them when they are stopped."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connections

from core.budget import Budget
from notifications.models import JobAttempt
from notifications.services.heart import Backend, Watched
from notifications.services.jobs import job_claim
from notifications.services.running import job_run, jobs_run_ids
from notifications.services.sittings import Sitting, TimeOver
from notifications.services.steering import job_cancel
from tests.companies import Company
from tests.notifications.at_work import change, enqueued, keys, quiet, reread, run_all, run_next, running, statuses, tries
from tests.notifications.playground import long_tasks, tasks
from tests.notifications.processes import eventually, worker

pytestmark = pytest.mark.once


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def said(folder: Path, line: str) -> bool:
    log = folder / "log"
    return log.exists() and line in log.read_text().splitlines()


def lose_lease(company: Company) -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET heartbeat_at = now() - interval '1 hour' WHERE status = 'running'")


# --- Checkpoints --------------------------------------------------------------------------------------------


def test_a_killed_job_goes_on_from_its_checkpoint(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.stop_after, str(tmp_path), 3)
    (tmp_path / "go-1").touch()
    with worker() as first:
        eventually(lambda: said(tmp_path, "unit 2"))
        os.kill(first.process.pid, signal.SIGKILL)
        first.wait()
    assert keys(company) == ["unit-1"], "the first unit was committed, the second was not"
    assert reread(company, job).checkpoint == 1
    for unit in (2, 3):
        (tmp_path / f"go-{unit}").touch()
    lose_lease(company)
    with worker("--once") as second:
        assert second.wait() == 0, second.said
    job = reread(company, job)
    assert (job.status, job.result, keys(company)) == ("succeeded", "all", ["unit-1", "unit-2", "unit-3"])
    assert (tmp_path / "log").read_text().split("\n")[:-1] == ["unit 1", "unit 2", "unit 2", "unit 3"]
    assert tries(company, job) == [(1, "lost"), (2, "succeeded")]
    with company.scope():
        assert all(":" in attempt.worker for attempt in JobAttempt.objects.filter(job=job))


def test_progress_is_seen_while_the_job_runs_and_the_lease_is_renewed(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("notifications.services.sittings.EVERY", 0)
    monkeypatch.setattr("notifications.services.heart.BEAT", 0)
    job = enqueued(company, long_tasks.stop_after, str(tmp_path), 2)
    url, tags = f"/api/v1/jobs/{job.pk}/", []
    with running() as ended:
        for unit in (1, 2):
            eventually(lambda unit=unit: reread(company, job).progress == unit)
            answer = company.api.get(url)
            body = answer.json()
            assert (body["status"], body["progress"], body["progress_total"]) == ("running", unit, 2)
            assert (body["progress_note"], answer.headers["Retry-After"]) == (f"unit {unit}", "2")
            assert company.api.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
            tags.append(answer.headers["ETag"])
            beaten = reread(company, job).heartbeat_at
            eventually(lambda beaten=beaten: reread(company, job).heartbeat_at > beaten)
            assert keys(company) == [f"unit-{one}" for one in range(1, unit)], "its transaction is open"
            (tmp_path / f"go-{unit}").touch()
    assert ended == ["succeeded"]
    assert len({*tags, company.api.get(url).headers["ETag"]}) == 3


def test_a_checkpoint_of_one_who_lost_the_job_is_refused(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.stop_after, str(tmp_path), 1)
    with running() as ended:
        eventually(lambda: said(tmp_path, "unit 1"))
        change(job, "attempts = attempts + 1")
        (tmp_path / "go-1").touch()
    assert (ended, keys(company), reread(company, job).checkpoint) == ([""], [], None)


def test_a_checkpoint_inside_an_atomic_block_is_refused(company: Company) -> None:
    job = enqueued(company, long_tasks.checkpoint_inside)
    assert run_next() == "queued"
    assert "outside of atomic blocks" in reread(company, job).error


def test_a_job_that_rests_goes_on_at_once_and_loses_no_attempt(company: Company) -> None:
    job = enqueued(company, long_tasks.rest_after_each, 4)
    assert run_all() == ["queued", "queued", "queued", "succeeded"]
    job = reread(company, job)
    assert (job.attempts, job.continuations, job.result) == (1, 3, "4 units")
    assert keys(company) == [f"sitting-{n}" for n in range(1, 5)]
    assert tries(company, job) == [(1, "continued"), (2, "continued"), (3, "continued"), (4, "succeeded")]


def test_a_job_may_ask_how_much_time_is_left(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.rest_when_time_is_short, str(tmp_path))
    attempt = job_claim()
    assert attempt and job_run(attempt, Budget(2)) == "queued"
    assert run_next() == "succeeded"
    assert reread(company, job).result == "went on"


# --- Limits of time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [long_tasks.sleep_in_the_database, long_tasks.sleep_outside], ids=lambda task: task.name)
def test_a_job_that_outstays_its_time_writes_nothing_and_is_tried_again(company: Company, task: object) -> None:
    job = enqueued(company, task, "k")
    assert run_next() == "queued"
    job = reread(company, job)
    assert (keys(company), job.attempts, job.error) == ([], 1, "It took longer than its 1 seconds.")
    assert tries(company, job) == [(1, "timed_out")]
    assert enqueued(company, tasks.write, "after") and run_next() == "succeeded", "the connection is whole again"


def test_a_job_that_its_budget_cuts_short_is_put_back_and_loses_no_attempt(company: Company) -> None:
    job = enqueued(company, long_tasks.sleep_in_the_database, "k")
    change(job, "time_limit = 900")
    attempt = job_claim()
    assert attempt and job_run(attempt, Budget(0.2)) == "queued"
    job = reread(company, job)
    assert (keys(company), job.attempts, job.error, job.waits_for, tries(company, job)) == ([], 0, "", "", [])
    again = job_claim()
    assert again and again.number == attempt.number + 1, "the number that says whose it is only rises"


def test_nothing_is_begun_that_would_be_cut_short(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    assert jobs_run_ids([job.pk], Budget(5)) == [job.pk]
    assert statuses(company, job) == ["queued"]


def test_a_stop_that_fails_is_tried_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    job = enqueued(company, long_tasks.sleep_in_the_database, "k")
    stop, failed = Watched.stop, []

    def stop_at_second(watched: Watched) -> None:
        if not failed:
            failed.append(watched)
            raise OperationalError("too many connections")
        stop(watched)

    monkeypatch.setattr(Watched, "stop", stop_at_second)
    assert run_next() == "queued"
    assert failed and tries(company, job) == [(1, "timed_out")]


def test_a_job_that_was_stopped_begins_no_transaction(company: Company) -> None:
    enqueued(company, tasks.write, "k")
    attempt = job_claim()
    assert attempt
    watched = Watched(attempt, 60)
    watched.is_given_up = True
    watched.stop()
    with pytest.raises(TimeOver), Sitting(watched).open():
        raise AssertionError("it began")


def test_only_the_process_that_is_meant_is_stopped(company: Company) -> None:
    enqueued(company, tasks.write, "k")
    attempt = job_claim()
    assert attempt
    watched = Watched(attempt, 60)
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), backend_start - interval '1 s' FROM pg_stat_get_activity(pg_backend_pid())")
        watched.begin(Backend(*cursor.fetchone()))
    watched.stop()
    assert connections["worker"].is_usable(), "somebody else has its number now"


def test_texts_that_no_column_takes_are_mended(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "notifications.jobs")  # pytest-xdist cannot pass on what was logged
    job = enqueued(company, long_tasks.say_what_no_column_takes)
    assert run_next() == "dead"
    job = reread(company, job)
    assert (job.error, job.progress_note) == ("ValueError: a\ufffdb\ufffd", "a\ufffdb\ufffd")
    with company.scope():
        assert "a\ufffdb\ufffd" in JobAttempt.objects.get(job=job).traceback


# --- When the worker stops ----------------------------------------------------------------------------------


def test_a_worker_that_stops_lets_a_job_rest_that_asks(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.rest_when_time_is_short, str(tmp_path))
    with worker("--threads", "2") as process:
        eventually(lambda: said(tmp_path, "begun"))
        process.process.terminate()
        assert process.wait() == 0, process.said
    job = reread(company, job)
    assert (job.status, job.attempts, job.continuations, job.checkpoint) == ("queued", 0, 1, "rested")


def test_a_worker_that_stops_puts_back_what_does_not_end(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.stop_after, str(tmp_path), 1)
    with worker("--grace", "0.5") as process:
        eventually(lambda: said(tmp_path, "unit 1"))
        process.process.terminate()
        assert process.wait() == 0, process.said
    assert "Put back 1 jobs" in process.said
    job = reread(company, job)
    assert (job.status, job.attempts, job.waits_for, keys(company)) == ("queued", 0, "", [])
    (tmp_path / "go-1").touch()
    assert run_next() == "succeeded"


# --- Cancelling ---------------------------------------------------------------------------------------------


def test_one_at_work_stops_at_its_next_checkpoint_and_keeps_what_it_has(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.stop_after, str(tmp_path), 3)
    with running() as ended:
        eventually(lambda: said(tmp_path, "unit 1"))
        with company.scope():
            assert job_cancel(job_id=job.pk) == "cancelling"
            assert job_cancel(job_id=job.pk) == "cancelling"
        (tmp_path / "go-1").touch()
    assert (ended, keys(company)) == (["cancelled"], ["unit-1"])
    assert tries(company, job) == [(1, "cancelled")]


def test_one_at_work_may_tidy_up(company: Company, tmp_path: Path) -> None:
    job = enqueued(company, long_tasks.tidy_up, str(tmp_path))
    with running() as ended:
        eventually(lambda: said(tmp_path, "begun"))
        answer = company.api.send("delete", f"/api/v1/jobs/{job.pk}/")
        assert (answer.status_code, answer.json()["status"], answer.headers["Retry-After"]) == (202, "cancelling", "2")
    assert (ended, said(tmp_path, "tidied")) == (["cancelled"], True)


def test_one_that_does_not_ask_is_done_before_it_could_be_stopped(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    attempt = job_claim()
    with company.scope():
        job_cancel(job_id=job.pk)
    assert attempt and job_run(attempt) == "succeeded"


def test_one_that_is_cancelling_and_fails_is_not_tried_again(company: Company) -> None:
    job = enqueued(company, tasks.write_and_raise, "k")
    attempt = job_claim()
    with company.scope():
        job_cancel(job_id=job.pk)
    assert attempt and job_run(attempt) == "cancelled"
    lost = enqueued(company, tasks.write, "k")
    assert job_claim()
    with company.scope():
        job_cancel(job_id=lost.pk)
    change(lost, "heartbeat_at = now() - interval '1 hour'")
    with worker("--once") as process:
        assert process.wait() == 0
    assert reread(company, lost).status == "cancelled"

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task, task_backends
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist

from accounts.models import AuditEntry
from core.tenancy import NoOrganization
from notifications.models import Job, Topic
from notifications.services.endings import job_fail, job_succeed, jobs_recover
from notifications.services.jobs import LEASE, Attempt, job_beat, job_claim
from notifications.services.running import job_run
from notifications.services.sittings import ALONE
from tests.companies import Company
from tests.factories.notifications import JobFactory
from tests.notifications.playground import tasks
from tests.notifications.processes import PATIENCE

type NewCompany = Callable[[], Company]


@pytest.fixture
def company(new_company: NewCompany) -> Iterator[Company]:
    """Its jobs are the only ones that wait."""
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET status = 'failed' WHERE status IN ('queued', 'running')")
    yield new_company()


def enqueued(company: Company, of: Any, *args: Any, **options: Any) -> Job:
    with company.scope():
        return reread(company, of.using(**options).enqueue(*args).id)


def reread(company: Company, job: Any) -> Job:
    with company.scope():
        return Job.objects.get(pk=getattr(job, "pk", job))


def keys(company: Company) -> list[str]:
    with company.scope():
        own = Topic.objects.exclude(key__in=["reorder-reminders", "ops-critical", "stuck-orders"])
        return list(own.order_by("key").values_list("key", flat=True))


def run_next() -> str:
    attempt = job_claim()
    assert attempt, "no job is due"
    return job_run(attempt)


def claimed() -> Attempt:
    attempt = job_claim()
    assert attempt
    return attempt


def change(job: Job, assignment: str) -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(f"UPDATE notifications_job SET {assignment} WHERE id = %s", [job.pk])


# --- Enqueuing --------------------------------------------------------------------------------------------


def test_enqueuing_needs_an_organization(db: None) -> None:
    with pytest.raises(NoOrganization):
        tasks.write.enqueue("k")


def test_a_rollback_enqueues_nothing(company: Company) -> None:
    with company.scope():
        tasks.write.enqueue("k")
        transaction.set_rollback(True)
    assert job_claim() is None


def test_the_result_follows_the_job(company: Company) -> None:
    with company.scope():
        result = tasks.write.enqueue("k")
        assert (result.status, result.args, result.attempts) == (TaskResultStatus.READY, ["k"], 0)
    assert run_next() == "succeeded"
    with company.scope():
        result.refresh()
        assert (result.status, result.return_value, result.attempts) == (TaskResultStatus.SUCCESSFUL, "k", 1)
        assert result.started_at and result.finished_at and result.enqueued_at
        assert tasks.write.get_result(result.id).return_value == "k"


def test_another_organizations_job_is_not_there(company: Company, new_company: NewCompany) -> None:
    job = enqueued(company, tasks.write, "k")
    with new_company().scope():
        for result_id in (str(job.pk), str(uuid4()), "nonsense"):
            with pytest.raises(TaskResultDoesNotExist):
                task_backends["default"].get_result(result_id)


def test_a_dedupe_key_holds_within_an_organization(company: Company, new_company: NewCompany) -> None:
    other = new_company()
    first = enqueued(company, tasks.write, "first", dedupe_key="once")
    assert enqueued(company, tasks.write, "second", dedupe_key="once").pk == first.pk
    assert enqueued(other, tasks.write, "third", dedupe_key="once").pk != first.pk
    assert run_next() == run_next() == "succeeded"
    assert job_claim() is None
    assert (keys(company), keys(other)) == (["first"], ["third"])


def test_refuses_a_task_that_no_worker_could_find() -> None:
    with pytest.raises(InvalidTaskError):
        task()(lambda: None)
    with pytest.raises(InvalidTaskError):
        tasks.write.using(queue_name="nowhere")


def test_the_most_urgent_runs_first_and_the_deferred_later(company: Company) -> None:
    late = enqueued(company, tasks.write, "late", run_after=timezone.now() + timedelta(hours=1), priority=50)
    for key, priority in (("b", 0), ("c", -5), ("a", 5)):
        enqueued(company, tasks.write, key, priority=priority)
    order = []
    while attempt := job_claim():
        order.append(attempt.arguments["args"][0])
    assert order == ["a", "b", "c"]
    change(late, "run_after = now()")
    assert claimed().id == late.pk


# --- Running ----------------------------------------------------------------------------------------------


def test_what_a_job_writes_and_its_success_are_one(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    attempt = claimed()
    change(job, "attempts = attempts + 1")  # another worker has taken it
    assert job_run(attempt) == ""
    assert keys(company) == []
    assert reread(company, job).status == "running"


def test_a_job_whose_commit_fails_has_not_succeeded(company: Company) -> None:
    job = enqueued(company, tasks.write_what_the_commit_refuses, "k")
    assert run_next() == "queued"
    job = reread(company, job)
    assert (job.status, job.result, keys(company)) == ("queued", None, [])
    assert job.error.startswith("IntegrityError")


def test_a_job_acts_in_the_name_of_who_asked(company: Company) -> None:
    with company.scope(request_id="req-asked", reason="Because."):
        tasks.write.enqueue("k")
    run_next()
    with company.scope():
        entry = AuditEntry.objects.filter(table_name="notifications_topic").latest("id")
    assert (entry.actor_id, entry.request_id, entry.reason) == (company.user.pk, "req-asked", "Because.")


def test_a_job_sees_and_changes_its_organization_alone(company: Company, new_company: NewCompany) -> None:
    other = new_company()
    for owner in (company, other):
        with owner.scope():
            Topic.objects.create(key="own", name="own")
    job = enqueued(company, tasks.look_around, str(other.organization.pk))
    assert run_next() == "succeeded"
    own = str(company.organization.pk)
    assert reread(company, job).result == {"organization": own, "raw": [own], "orm": [own], "changed": 0}
    with other.scope():
        assert Topic.objects.get(key="own").name == "own"


def test_two_jobs_in_a_row_do_not_share_an_organization(company: Company, new_company: NewCompany) -> None:
    other = new_company()
    jobs = [(owner, enqueued(owner, tasks.look_around, str(uuid4()))) for owner in (company, other, company)]
    while attempt := job_claim():
        job_run(attempt)
    for owner, job in jobs:
        assert reread(owner, job).result["raw"] == [str(owner.organization.pk)]


def test_a_failure_leaves_nothing_behind_and_is_tried_again_later(company: Company) -> None:
    job = enqueued(company, tasks.write_and_raise, "k")
    assert run_next() == "queued"
    assert keys(company) == []
    job = reread(company, job)
    assert (job.status, job.attempts, job.error) == ("queued", 1, "ZeroDivisionError: by nothing")
    assert timedelta(seconds=20) < job.run_after - timezone.now() < timedelta(seconds=40)
    assert job_claim() is None
    change(job, "run_after = now()")
    assert run_next() == "queued"
    wait = reread(company, job).run_after - timezone.now()
    assert timedelta(seconds=60) < wait < timedelta(seconds=115)


def test_waits_longer_after_each_failure_and_not_all_the_same(company: Company) -> None:
    waits = []
    for number in range(1, 8):
        job = enqueued(company, tasks.write_and_raise, "k")
        change(job, f"attempts = {number - 1}")
        attempt = claimed()
        assert (attempt.number, job_fail(attempt, "no")) == (number, "queued")
        waits.append((reread(company, job).run_after - timezone.now()).total_seconds() / (30 * 3 ** (number - 1)))
    assert all(0.7 < wait < 1.26 for wait in waits), waits
    assert len({round(wait, 3) for wait in waits}) > 1


def test_is_dead_after_its_last_attempt(company: Company) -> None:
    job = enqueued(company, tasks.write_and_raise, "k")
    change(job, "max_attempts = 2")
    assert run_next() == "queued"
    change(job, "run_after = now()")
    assert run_next() == "dead"
    job = reread(company, job)
    assert job.finished_at
    assert job_claim() is None
    with company.scope():
        assert task_backends["default"].get_result(str(job.pk)).status == TaskResultStatus.FAILED


def test_a_refusal_is_not_tried_again(company: Company) -> None:
    job = enqueued(company, tasks.write_and_refuse, "k")
    assert run_next() == "failed"
    assert keys(company) == []
    assert reread(company, job).error == "There is no such thing: name another."


def test_a_job_may_keep_what_it_wrote_and_go_on_later(company: Company) -> None:
    job = enqueued(company, tasks.write_and_try_again, "k")
    assert run_next() == "queued"
    assert keys(company) == ["k-1"]
    change(job, "run_after = now()")
    assert run_next() == "succeeded"
    assert keys(company) == ["k-1", "k-2"]
    assert reread(company, job).result == "done"


def test_a_task_that_is_not_in_this_code_is_tried_again(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    change(job, "task = 'tests.notifications.playground.tasks.of_the_next_release'")
    assert run_next() == "queued"
    assert "of_the_next_release" in reread(company, job).error


# --- Leases -----------------------------------------------------------------------------------------------


def test_a_job_whose_lease_ran_out_is_taken_again(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    first = claimed()
    assert jobs_recover() == 0
    change(job, f"heartbeat_at = now() - interval '{LEASE + 1} seconds'")
    assert job_beat(first)
    assert jobs_recover() == 0
    change(job, f"heartbeat_at = now() - interval '{LEASE + 1} seconds'")
    assert jobs_recover() == 1
    second = claimed()
    assert (second.id, second.number) == (job.pk, 2)
    assert not job_beat(first)
    assert job_fail(first, "late") == ""
    with company.scope():
        assert not job_succeed(first, None)
    assert job_run(second) == "succeeded"


def test_a_beat_waits_for_nobody(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    attempt = claimed()
    holder = connections["worker"].copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT FROM notifications_job WHERE id = %s FOR UPDATE", [job.pk])
            assert job_beat(attempt) == ""
    finally:
        holder.rollback()  # to close alone would not wait until the server has let go of the row
        holder.close()
    assert job_beat(attempt) == "running"


def test_a_job_that_kills_its_workers_dies(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    change(job, "max_attempts = 1")
    claimed()
    change(job, f"heartbeat_at = now() - interval '{LEASE + 1} seconds'")
    assert jobs_recover() == 1
    job = reread(company, job)
    assert (job.status, job.error) == ("dead", "Its worker went away.")
    assert job.finished_at


def test_does_not_run_beside_a_stalled_worker(company: Company) -> None:
    """Its lease has run out, but its transaction is still open."""
    job = enqueued(company, tasks.write, "k")
    stalled = connections["worker"].copy()
    try:
        stalled.set_autocommit(False)
        with stalled.cursor() as cursor:
            cursor.execute(ALONE, [f"job {job.pk}"])
        assert run_next() == "queued"
        again = reread(company, job)
        assert (keys(company), again.attempts, again.error) == ([], 0, "")
        assert again.run_after > timezone.now()
    finally:
        stalled.close()
    change(job, "run_after = now()")
    assert run_next() == "succeeded"


def test_the_lease_is_renewed_while_the_job_runs(company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("notifications.services.heart.BEAT", 0.0)
    job = enqueued(company, tasks.write_at_the_end, "k", str(tmp_path))
    attempt = claimed()
    begun = reread(company, job).heartbeat_at
    deadline = time.monotonic() + PATIENCE
    seen: list[bool] = []

    class Gate:
        """In place of the file that the job waits for: it opens when the lease has been renewed, or is not going to be."""

        def exists(self) -> bool:
            with connections["worker"].cursor() as cursor:
                cursor.execute("SELECT heartbeat_at > %s FROM notifications_job WHERE id = %s", [begun, job.pk])
                seen.append(cursor.fetchone()[0])
            return seen[-1] or time.monotonic() > deadline

    paths = {"started": tmp_path / "started", "go": Gate()}
    monkeypatch.setattr(tasks, "Path", lambda folder, name: paths[name])
    assert job_run(attempt) == "succeeded"
    assert seen[0] is False and seen[-1] is True
    assert connection.in_atomic_block is False


def test_tells_pollers_when_to_come_again(acme: Company) -> None:
    with acme.scope():
        queued, done = JobFactory(), JobFactory(status=Job.Status.SUCCEEDED)
    answer = acme.api.get(f"/api/v1/jobs/{queued.pk}/")
    assert int(answer.headers["Retry-After"]) >= 1
    again = acme.api.get(f"/api/v1/jobs/{queued.pk}/", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, "Retry-After" in again.headers) == (304, True)
    assert "Retry-After" not in acme.api.get(f"/api/v1/jobs/{done.pk}/").headers

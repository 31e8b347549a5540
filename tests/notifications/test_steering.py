"""Steps, and what people do with jobs: cancel, try again, run now, discard; in the API and the admin."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus, task_backends

from accounts.permissions import VIEWER
from accounts.services.retention import purge
from core.errors import Conflict, Invalid, NotFound
from core.retention import data_classes
from notifications.backend import order
from notifications.models import Job, JobAttempt
from notifications.services.jobs import job_claim
from notifications.services.running import job_run
from notifications.services.steering import job_cancel, job_discard, job_retry, job_run_now
from notifications.services.steps import steps_enqueue
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.notifications.at_work import chained, change, enqueued, keys, quiet, reread, run_all, run_next, statuses
from tests.notifications.playground import long_tasks, tasks

ADD = long_tasks.add.using(result_as="numbers")


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def steps_of(company: Company, parent: Job) -> list[tuple[int, str]]:
    with company.scope():
        return list(Job.objects.filter(parent=parent).order_by("seq").values_list("step", "status"))


# --- Steps --------------------------------------------------------------------------------------------------


def test_a_step_gets_the_result_of_the_one_before(company: Company) -> None:
    whole = chained(company, order(long_tasks.give, 1), order(ADD, more=10), order(ADD, more=100))
    assert (whole.status, whole.progress_total) == ("running", 3)
    assert run_next() == "succeeded"
    assert reread(company, whole).progress == 1
    assert run_all() == ["succeeded", "succeeded"]
    whole = reread(company, whole)
    assert (whole.status, whole.progress, whole.result) == ("succeeded", 3, 111)
    assert whole.finished_at


def test_steps_side_by_side_are_all_waited_for(company: Company) -> None:
    whole = chained(company, [order(long_tasks.give, n) for n in (1, 2, 3)], order(ADD))
    taken = [job_claim() for _ in range(4)]
    assert taken.pop() is None
    for attempt in reversed(taken):
        assert attempt and job_run(attempt) == "succeeded"
    assert run_all() == ["succeeded"]
    with company.scope():
        assert Job.objects.get(parent=whole, step=2).arguments["kwargs"]["numbers"] == [1, 2, 3]
    assert reread(company, whole).result == 6


def test_a_failure_stops_the_chain_and_trying_again_goes_on_there(company: Company) -> None:
    whole = chained(company, order(long_tasks.give, 1), order(ADD, more="x"), order(ADD, more=5))
    assert run_next() == "succeeded"
    with company.scope():
        second = Job.objects.get(parent=whole, step=2)
    change(second, "max_attempts = 1")
    assert run_next() == "dead"
    assert steps_of(company, whole) == [(1, "succeeded"), (2, "dead"), (3, "cancelled")]
    whole = reread(company, whole)
    assert (whole.status, whole.error) == ("dead", "Step 2: dead.")
    with company.scope():
        job_retry(job_id=second.pk, arguments={"args": [], "kwargs": {"numbers": 1, "more": 2}})
    assert reread(company, whole).status == "running"
    assert run_all() == ["succeeded", "succeeded"]
    whole = reread(company, whole)
    assert (whole.status, whole.result, whole.error) == ("succeeded", 8, "")


def test_a_chain_is_cancelled_as_a_whole(company: Company) -> None:
    waiting = chained(company, order(long_tasks.give, 1), order(ADD))
    with company.scope():
        assert job_cancel(job_id=waiting.pk) == "cancelled"
    assert (run_all(), steps_of(company, waiting)) == ([], [(1, "cancelled"), (2, "cancelled")])
    begun = chained(company, [order(long_tasks.give, 1), order(long_tasks.give, 2)], order(ADD))
    attempt = job_claim()
    with company.scope():
        assert job_cancel(job_id=begun.pk) == "cancelling"
    assert attempt and job_run(attempt) == "succeeded"
    assert reread(company, begun).status == "cancelled"


def test_refuses_steps_that_are_none(company: Company) -> None:
    once = order(long_tasks.give.using(dedupe_key="once"), 1)
    for steps in ([], [[]], [once]):
        with company.scope(), pytest.raises(Invalid):
            steps_enqueue(steps, name="A chain")


# --- Cancel, retry, run now, discard ------------------------------------------------------------------------


def test_before_it_starts_it_is_cancelled_at_once(company: Company) -> None:
    job = enqueued(company, tasks.write, "k", lock_key="k")
    following = enqueued(company, tasks.write, "next", lock_key="k")
    answer = company.api.send("delete", f"/api/v1/jobs/{job.pk}/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert "Retry-After" not in answer.headers
    assert run_all() == ["succeeded"]
    assert (keys(company), statuses(company, job, following)) == (["next"], ["cancelled", "succeeded"])
    with company.scope():
        assert task_backends["default"].get_result(str(job.pk)).status == TaskResultStatus.FAILED


@pytest.mark.parametrize("status", ["succeeded", "failed", "dead", "cancelled", "discarded"])
def test_what_has_ended_cannot_be_cancelled(company: Company, status: str) -> None:
    job = enqueued(company, tasks.write, "k")
    change(job, f"status = '{status}'")
    problem = assert_problem(company.api.send("delete", f"/api/v1/jobs/{job.pk}/"), 409, "wrong_state")
    assert status in problem["detail"]


def test_who_may_only_look_cannot_cancel(company: Company) -> None:
    job = enqueued(company, tasks.write, "k")
    assert_problem(company.api_as(VIEWER).send("delete", f"/api/v1/jobs/{job.pk}/"), 403, "permission_denied")


def test_another_organizations_job_cannot_be_steered(company: Company, new_company: Callable[[], Company]) -> None:
    job = enqueued(company, tasks.write, "k")
    with new_company().scope():
        for steer in (job_cancel, job_retry, job_run_now, lambda job_id: job_discard(job_id=job_id, reason="no")):
            with pytest.raises(NotFound):
                steer(job_id=job.pk)


def test_a_dead_one_is_tried_again_with_other_arguments(company: Company) -> None:
    job = enqueued(company, tasks.write_and_raise, "k")
    change(job, "max_attempts = 1")
    assert run_next() == "dead"
    with company.scope():
        with pytest.raises(Invalid):
            job_retry(job_id=job.pk, arguments={"args": "k"})
        job_retry(job_id=job.pk, arguments={"args": ["other"], "kwargs": {}})
        with pytest.raises(Conflict):
            job_retry(job_id=job.pk)
    change(job, "task = 'tests.notifications.playground.tasks.write'")
    assert run_next() == "succeeded"
    assert (keys(company), reread(company, job).attempts) == (["other"], 2)


def test_one_for_later_runs_now(company: Company) -> None:
    job = enqueued(company, tasks.write, "k", run_after=timezone.now() + timedelta(days=1))
    assert job_claim() is None
    with company.scope():
        job_run_now(job_id=job.pk)
    assert run_next() == "succeeded"
    with company.scope(), pytest.raises(Conflict):
        job_run_now(job_id=job.pk)


def test_a_dead_one_is_discarded_with_a_reason(company: Company) -> None:
    job = enqueued(company, tasks.write_and_refuse, "k")
    with company.scope(), pytest.raises(Conflict):
        job_discard(job_id=job.pk, reason="Too early.")
    assert run_next() == "failed"
    with company.scope():
        with pytest.raises(Invalid):
            job_discard(job_id=job.pk, reason=" ")
        job_discard(job_id=job.pk, reason="The customer has left.")
        with pytest.raises(NotFound):
            job_discard(job_id=uuid4(), reason="None.")
    job = reread(company, job)
    assert (job.status, job.discard_reason) == ("discarded", "The customer has left.")


# --- The API and the admin ----------------------------------------------------------------------------------


def test_a_check_may_be_a_job(company: Company) -> None:
    url = "/api/v1/reorder-tasks/check/"
    assert company.api.send("post", url).status_code == 200
    answer = company.api_as("admin", Prefer="respond-async, wait=10").send("post", url)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    location = answer.headers["Location"]
    assert location.endswith(f"/api/v1/jobs/{answer.json()['job']}/")
    assert company.api.get(location).json()["status"] == "queued"
    run_all()
    done = company.api.get(location).json()
    assert (done["status"], done["result"]) == ("succeeded", {"created": 0})


def test_tracebacks_are_for_platform_staff(company: Company) -> None:
    job = enqueued(company, tasks.write_and_raise, "k")
    assert run_next() == "queued"
    with company.scope():
        [attempt] = JobAttempt.objects.filter(job=job)
        assert "by nothing" in attempt.traceback and "tasks.py" in attempt.traceback
    [shown] = company.api.get("/api/v1/job-attempts/", {"job": str(job.pk)}).json()["results"]
    assert (shown["outcome"], shown["error"], shown["number"]) == ("failed", "ZeroDivisionError: by nothing", 1)
    assert "tasks.py" not in company.api.get("/api/v1/job-attempts/").content.decode()
    page = reverse("admin:notifications_jobattempt_change", args=[attempt.pk])
    assert "tasks.py" not in company.admin.get(page).content.decode()
    user = company.user
    type(user).objects.filter(pk=user.pk).update(is_superuser=True)
    assert "tasks.py" in company.admin.get(page).content.decode()


@pytest.mark.parametrize(("name", "before", "after"), [
    ("cancel", "queued", "cancelled"), ("retry", "dead", "queued"), ("run-now", "queued", "queued"),
])  # fmt: skip
def test_the_admin_steers_a_job(company: Company, name: str, before: str, after: str) -> None:
    job = enqueued(company, tasks.write, "k", run_after=timezone.now() + timedelta(days=1))
    change(job, f"status = '{before}'")
    url = reverse(f"admin:notifications_job_{name.replace('-', '_')}", args=[job.pk])
    assert company.admin_as(VIEWER).post(url).status_code == 403
    assert company.admin.get(url).status_code == 200
    assert statuses(company, job) == [before], "it asks first"
    assert company.admin.post(url).status_code == 302
    assert statuses(company, job) == [after]
    if after == "queued":
        assert job_claim()


def test_the_purge_takes_attempts_before_jobs_and_steps_before_their_whole(company: Company) -> None:
    whole = chained(company, order(long_tasks.give, 1), order(ADD))
    waiting = enqueued(company, tasks.write, "k", run_after=timezone.now() + timedelta(days=100))
    assert run_all() == ["succeeded", "succeeded"]
    assert list(data_classes()).index("job_attempts") < list(data_classes()).index("jobs")
    with time_machine.travel(timezone.now() + timedelta(days=40), tick=True):
        for _ in range(2):
            list(purge(organization_id=company.organization.pk))
    with company.scope():
        assert [job.pk for job in Job.objects.all()] == [waiting.pk]
        assert not JobAttempt.objects.exists()
    assert whole.pk != waiting.pk

"""Two companies' jobs, run by one worker on one connection."""

from collections.abc import Callable

from django.db import connections
from django_tasks import task

from accounts.models import Party
from core.tenancy import scope_is_open
from notifications.models import Job
from notifications.services.jobs import job_claim
from notifications.services.running import job_run
from tests.companies import Company
from tests.factories.accounts import PartyFactory


@task()
def names_of_parties() -> list[str]:
    return [party.name for party in Party.objects.all()]


@task()
def rename_and_break() -> None:
    Party.objects.update(name="half done")
    raise RuntimeError("in the middle")


def run_what_waits() -> None:
    while attempt := job_claim():
        job_run(attempt)
        assert not scope_is_open()


def test_a_job_sees_its_own_organization(new_company: Callable[[], Company]) -> None:
    with connections["worker"].cursor() as cursor:  # what other tests left behind
        cursor.execute("UPDATE notifications_job SET status = 'failed' WHERE status IN ('queued', 'running')")
    jobs = {}
    for name in ("Ours", "Theirs", "Third"):
        company = new_company()
        with company.scope():
            PartyFactory(name=name)
            rename_and_break.using(priority=1).enqueue()
            jobs[name] = company, names_of_parties.enqueue().id
    run_what_waits()
    for name, (company, job) in jobs.items():
        with company.scope():
            assert Job.objects.get(pk=job).result == [name]
            assert Job.objects.count() == 2

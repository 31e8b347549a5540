"""The page Operations: an organization's numbers for its people, all of them for platform staff."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.permissions import MANAGER
from notifications.models import Job, Schedule, ScheduleRun, WorkerSeen
from notifications.services.schedules import Plan, schedules_due, schedules_sync, worker_seen
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.factories.notifications import JobFactory
from tests.notifications.test_relaying import untold

PAGE = "/admin/operations/"
LISBON = Plan("a.morning", "cron(0 5 * * ? *)", "Europe/Lisbon", is_per_zone=True)
type NewCompany = Callable[[], Company]


@pytest.fixture
def company(new_company: NewCompany) -> Iterator[Company]:
    company = new_company()
    schedules_sync([Plan("a.task", "rate(1 hour)"), LISBON])
    yield company
    ScheduleRun.objects.using("worker").all().delete()
    Schedule.objects.using("worker").all().delete()
    WorkerSeen.objects.using("worker").all().delete()
    User.objects.filter(pk=company.user.pk).update(is_superuser=False)
    with company.scope():
        Job.objects.update(status="failed", heartbeat_at=None)


def promoted(company: Company) -> Company:
    User.objects.filter(pk=company.user.pk).update(is_superuser=True)
    return company


def some_work(company: Company) -> None:
    now = timezone.now()
    with company.scope():
        JobFactory.create_batch(3, parent=None, queue="search", run_after=now - timedelta(minutes=10))
        JobFactory(parent=None, queue="search", run_after=now + timedelta(hours=1), waits_for="time")
        JobFactory.create_batch(2, parent=None, status="succeeded", finished_at=now - timedelta(minutes=5))
        JobFactory(parent=None, status="succeeded", finished_at=now - timedelta(hours=2))
        JobFactory(parent=None, status="dead", finished_at=now - timedelta(minutes=5))


def cards(response: Any) -> dict[str, str]:
    assert response.status_code == 200, text(response)[:300]
    return {card.title: card.value for card in response.context["operation_cards"]}


def queue_of(response: Any, name: str) -> list[tuple[str, str]]:
    return [(depth, age) for queue, depth, age in response.context["queues"] if queue.name == name]


def test_shows_an_organization_its_own_numbers(company: Company, new_company: NewCompany) -> None:
    some_work(untold(company))
    response = company.admin.get(PAGE)
    assert cards(response) == {
        "Waiting": "3", "Jobs done": "2", "Dead deliveries": "0", "Dead jobs": "1", "Missed ticks": "0",
    }
    assert queue_of(response, "search") == [("3", "10 min")]
    [jobs, _] = response.context["charts"]
    assert [(minute.done, minute.ended) for minute in jobs["minutes"] if minute.ended] == [(2, 3)]
    assert len(jobs["minutes"]) == 60
    other = new_company().admin.get(PAGE)
    assert queue_of(other, "search") == [("0", "0 s")]
    assert cards(other)["Dead jobs"] == "0"
    assert "Workers of the last day" not in text(other)


def test_shows_platform_staff_all_of_them(company: Company, new_company: NewCompany) -> None:
    some_work(new_company())
    worker_seen(name="a machine 17")
    response = promoted(company).admin.get(PAGE)
    assert queue_of(response, "search") == [("3", "10 min")]
    assert "a machine 17" in text(response)
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET status = 'failed' WHERE queue = 'search'")


def test_time_zones_of_others_are_not_shown(company: Company) -> None:
    for page in (PAGE, "/admin/notifications/schedule/"):
        assert "a.task" in text(company.admin.get(page))
        assert "a.morning" not in text(company.admin.get(page))
    [other_zone] = Schedule.objects.filter(task="a.morning").values_list("pk", flat=True)
    assert company.admin.get(f"/admin/notifications/schedule/{other_zone}/change/").status_code == 302
    staff = promoted(company).admin
    for page in (PAGE, "/admin/notifications/schedule/"):
        assert "a.morning" in text(staff.get(page))


def test_asks_the_same_number_of_statements_however_much_there_is(company: Company) -> None:
    client = company.admin
    client.get(PAGE)
    with statements() as before:
        client.get(PAGE)
    some_work(company)
    with statements() as after:
        client.get(PAGE)
    assert len(after) == len(before) <= 18
    staff = promoted(company).admin
    with CaptureQueriesContext(connections["worker"]) as captured:
        assert staff.get(PAGE).status_code == 200
    assert len(captured) <= 12


def test_says_which_schedule_is_overdue_and_which_ticks_were_missed(company: Company) -> None:
    Schedule.objects.using("worker").filter(task="a.task").update(
        next_run_at=timezone.now() - timedelta(hours=1), missed=3, last_tick=timezone.now() - timedelta(hours=5),
    )
    page = company.admin.get(PAGE)
    assert "overdue" in text(page)
    assert cards(page)["Missed ticks"] == "3"


def test_the_first_page_counts_dead_letters(company: Company) -> None:
    some_work(company)
    shown = {card.title: (card.value, card.url, card.alarming) for card in company.admin.get("/admin/").context["cards"]}
    assert shown["Dead letters"] == ("1", PAGE, True)
    assert f'href="{PAGE}"' in text(company.admin_as(MANAGER).get("/admin/accounts/party/"))


def test_who_may_not_see_jobs_may_not_see_them_here(company: Company) -> None:
    lonely = User.objects.create_user(f"alone@{company.organization.slug}.test", "Correct horse 4", name="Alone", is_staff=True)
    client = company.admin
    client.force_login(lonely)
    assert "You belong to no organization yet" in text(client.get(PAGE))
    assert client.post(PAGE).status_code in (200, 405)


def test_platform_staff_switch_a_schedule_and_let_it_run(company: Company) -> None:
    row = Schedule.objects.get(task="a.task")
    own = f"/admin/notifications/schedule/{row.pk}"
    for verb in ("switch", "run-now"):
        assert company.admin.post(f"{own}/{verb}/").status_code == 403
    row.refresh_from_db()
    assert row.enabled and not row.asked_at
    staff = promoted(company).admin
    assert "Switch on or off" in text(staff.get(f"{own}/change/"))
    assert "Switch this schedule?" in text(staff.get(f"{own}/switch/"))
    assert "is switched off" in text(staff.post(f"{own}/switch/", follow=True))
    assert schedules_due(["a.task"]) == []
    assert "runs when a worker comes by" in text(staff.post(f"{own}/run-now/", follow=True))
    assert [due.is_asked_for for due in schedules_due(["a.task"])] == [True]
    assert "is switched on" in text(staff.post(f"{own}/switch/", follow=True))

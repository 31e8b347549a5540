"""Rows live as long as the organization's policies say, and no longer."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import AuditEntry, RetentionPolicy
from accounts.services import retention
from accounts.services.retention import purge, purge_shared
from core.retention import data_classes, least_id
from notifications.models import Job, NotificationDelivery, OutboxEvent
from notifications.schedules import declared
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.notifications import JobFactory, NotificationDeliveryFactory, OutboxEventFactory


def aged(factory: type, days: float, **values: object) -> None:
    """A row as it would have been written then: its id tells the time as well."""
    moment = timezone.now() - timedelta(days=days)
    row = factory(**values)
    pk = UUID(int=least_id(moment).int | row.pk.int & (1 << 80) - 1)
    type(row).objects.filter(pk=row.pk).update(id=pk, created_at=moment)


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """With an old and a young row of each kind, and an old one that still has something to do."""
    company = new_company()
    with company.scope():
        for days in (31, 29):
            aged(OutboxEventFactory, days, relayed_at=timezone.now())
            aged(NotificationDeliveryFactory, days, status="sent", sent_at=timezone.now())
            aged(JobFactory, days, status="succeeded")
        aged(OutboxEventFactory, 31, relayed_at=None)
        aged(NotificationDeliveryFactory, 31, status="queued")
        aged(JobFactory, 31, status="queued")
    return company


def rows(company: Company) -> list[int]:
    with company.scope():
        return [model.objects.count() for model in (OutboxEvent, NotificationDelivery, Job)]


def purged(company: Company, **options: bool) -> dict[str, int]:
    return {line.data_class: line.rows for line in purge(organization_id=company.organization.pk, **options)}


def test_what_is_old_and_done_goes(company: Company) -> None:
    before = rows(company)
    assert purged(company, dry_run=True) == {"events": 1, "deliveries": 1, "jobs": 1, "privacy-exports": 0}
    assert rows(company) == before
    assert purged(company) == {"events": 1, "deliveries": 1, "jobs": 1, "privacy-exports": 0}
    assert rows(company) == [count - 1 for count in before]
    assert set(purged(company).values()) == {0}


def test_the_organization_says_how_long(company: Company) -> None:
    with company.scope():
        RetentionPolicy.objects.filter(data_class="events").update(keep_days=28)
        RetentionPolicy.objects.filter(data_class="jobs").update(keep_days=40)
    assert purged(company) == {"events": 2, "deliveries": 1, "jobs": 0, "privacy-exports": 0}


def test_a_legal_hold_stops_it(company: Company) -> None:
    with company.scope():
        RetentionPolicy.objects.filter(data_class="events").update(legal_hold_until=timezone.localdate())
        RetentionPolicy.objects.filter(data_class="jobs").update(legal_hold_until=timezone.localdate() - timedelta(days=1))
    out = StringIO()
    call_command("purge", "--organization", company.organization.slug, stdout=out)
    assert "events: held by a legal hold" in out.getvalue() and "jobs: 1 deleted" in out.getvalue()


def test_messages_may_stay_without_their_words(company: Company) -> None:
    with company.scope():
        RetentionPolicy.objects.filter(data_class="deliveries").update(action="pseudonymise")
        before = NotificationDelivery.objects.count()
    assert purged(company)["deliveries"] == 1
    assert purged(company)["deliveries"] == 0
    with company.scope():
        assert NotificationDelivery.objects.count() == before
        [emptied] = NotificationDelivery.objects.filter(address="")
        assert (emptied.subject, emptied.body, emptied.status) == ("", "", "sent")


def test_in_batches(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with company.scope():
        for _ in range(5):
            aged(OutboxEventFactory, 40, relayed_at=timezone.now())
    monkeypatch.setattr(retention, "BATCH", 2)
    assert purged(company)["events"] == 6


def test_the_trail_says_what_was_purged(company: Company) -> None:
    purged(company)
    with company.scope():
        policy = RetentionPolicy.objects.get(data_class="events")
        last = AuditEntry.objects.filter(row_id=policy.pk).latest("id")
    assert policy.purged_rows == 1 and policy.purged_at is not None
    assert last.changes["purged_rows"] == [0, 1] and last.reason == "Retention policy"


def test_another_organization_keeps_its_rows(company: Company, new_company: Callable[[], Company]) -> None:
    other = new_company()
    with other.scope():
        aged(OutboxEventFactory, 31, relayed_at=timezone.now())
        before = OutboxEvent.objects.count()
    purged(company)
    with other.scope():
        assert OutboxEvent.objects.count() == before


def test_expired_sessions_go(company: Company) -> None:
    browser = company.admin
    stale = browser.session
    stale.set_expiry(-5)
    stale.save()
    names = {line.data_class: line.rows for line in purge_shared(dry_run=True)}
    assert names["sessions"] >= 1
    assert {line.data_class for line in purge_shared()} == {"sessions", "sign-ins"}
    assert not stale.exists(stale.session_key)
    assert company.api.get("/api/v1/me/").status_code == 200, "a sign-in whose session lives stays"


def test_a_new_organization_has_a_policy_for_each_class(new_company: Callable[[], Company]) -> None:
    company = new_company()
    listed = company.api.get("/api/v1/retention-policies/?sort=data_class").json()["results"]
    assert {row["data_class"]: row["keep_days"] for row in listed} == {
        one.name: one.keep_days for one in data_classes().values() if not one.shared
    }


def test_only_what_is_possible_can_be_asked_for(acme: Company) -> None:
    [policy] = acme.api.get("/api/v1/retention-policies/?data_class=jobs").json()["results"]
    url = f"/api/v1/retention-policies/{policy['id']}/"
    problem = assert_problem(acme.api.send("patch", url, {"action": "pseudonymise"}), 400)
    assert "can only be deleted" in problem["detail"]
    assert_problem(acme.api.send("patch", url, {"keep_days": 40_000}), 400)
    assert acme.api.send("patch", url, {"keep_days": 90}).json()["keep_days"] == 90


def test_the_clock_calls_it_each_night() -> None:
    assert declared()["notifications.tasks.purge"].expression == "cron(15 2 * * ? *)"
    assert declared()["notifications.tasks.audit_seal"].expression == "cron(45 2 * * ? *)"

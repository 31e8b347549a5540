"""Rows live as long as the organization's policies say, and no longer."""

import os
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Attachment, AuditEntry, Impersonation, Invitation, RetentionPolicy, UserSession
from accounts.services import retention
from accounts.services.attempts import attempt_failed
from accounts.services.retention import purge, purge_everywhere, purge_shared
from core.budget import Budget
from core.files import STAGED, private_files
from core.retention import data_classes, least_id
from core.tenancy import Origin
from notifications.models import Job, NotificationDelivery, OutboxEvent
from notifications.schedules import declared
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.accounts import AttachmentFactory, ImpersonationFactory, InvitationFactory, UserSessionFactory
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


class Questions(Budget):
    def __init__(self, questions: int) -> None:
        super().__init__()
        self.questions = questions

    def left(self) -> float:
        self.questions -= 1
        return self.questions


def rows(company: Company) -> list[int]:
    with company.scope():
        return [model.objects.count() for model in (OutboxEvent, NotificationDelivery, Job)]


def purged(company: Company, **options: Any) -> dict[str, int]:
    """What went, or would: classes without any are left out."""
    return {line.data_class: line.rows for line in purge(organization_id=company.organization.pk, **options) if line.rows}


def test_what_is_old_and_done_goes(company: Company) -> None:
    before = rows(company)
    assert purged(company, dry_run=True) == {"events": 1, "deliveries": 1, "jobs": 1}
    assert rows(company) == before
    assert purged(company) == {"events": 1, "deliveries": 1, "jobs": 1}
    assert rows(company) == [count - 1 for count in before]
    assert purged(company) == {}


def test_the_organization_says_how_long(company: Company) -> None:
    with company.scope():
        RetentionPolicy.objects.filter(data_class="events").update(keep_days=28)
        RetentionPolicy.objects.filter(data_class="jobs").update(keep_days=40)
    assert purged(company) == {"events": 2, "deliveries": 1}


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
    assert "deliveries" not in purged(company)
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
    assert {line.data_class for line in purge_shared()} == {one.name for one in data_classes().values() if one.shared}
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


def test_what_people_leave_behind_goes(company: Company) -> None:
    now = timezone.now()
    with company.scope():
        for days in (400, 1):
            moment = now - timedelta(days=days)
            InvitationFactory(email=f"guest{days}@example.test")
            Invitation.objects.filter(email=f"guest{days}@example.test").update(expires_at=moment)
            UserSessionFactory(user=company.user, ended_at=moment)
            made = ImpersonationFactory(ended_at=moment)
            Impersonation.objects.filter(pk=made.pk).update(created_at=moment - timedelta(hours=1), expires_at=moment)
        InvitationFactory()
        UserSessionFactory(user=company.user, last_seen_at=now, ended_at=None)
    found = purged(company)
    assert {name: found[name] for name in ("invitations", "sign-in-history", "impersonations")} == {
        "invitations": 1, "sign-in-history": 1, "impersonations": 1,
    }
    with company.scope():
        assert (Invitation.objects.count(), Impersonation.objects.count()) == (2, 1)


def test_a_sign_in_that_goes_on_stays_however_old(company: Company) -> None:
    company.api.get("/api/v1/me/")
    with company.scope():
        long_ago = timezone.now() - timedelta(days=900)
        running = UserSession.objects.filter(ended_at=None).update(expires_at=None, last_seen_at=long_ago)
    assert running and "sign-in-history" not in purged(company)


def test_failed_sign_ins_go(commits: None) -> None:
    account = f"{uuid4()}@example.test"
    attempt_failed(account=account, origin=Origin(ip="192.0.2.66"))
    AccessAttempt.objects.filter(username=account).update(attempt_time=timezone.now() - timedelta(days=13))
    assert list(purge_shared()) and AccessAttempt.objects.filter(username=account).exists()
    AccessAttempt.objects.filter(username=account).update(attempt_time=timezone.now() - timedelta(days=15))
    assert {line.data_class: line.rows for line in purge_shared()}["failed-sign-ins"] >= 1
    assert not AccessAttempt.objects.filter(username=account).exists()


def test_archived_attachments_go_with_their_files(company: Company) -> None:
    with company.scope():
        old, young, used = (AttachmentFactory() for _ in range(3))
        for attachment, days in ((old, 31), (young, 29)):
            Attachment.objects.filter(pk=attachment.pk).update(archived_at=timezone.now() - timedelta(days=days))
        RetentionPolicy.objects.filter(data_class="archived-files").update(keep_days=30)
    assert purged(company, dry_run=True)["archived-files"] == 1 and private_files().exists(old.storage_key)
    assert purged(company)["archived-files"] == 1
    assert [private_files().exists(one.storage_key) for one in (old, young, used)] == [False, True, True]
    with company.scope():
        assert set(Attachment.objects.values_list("pk", flat=True)) == {young.pk, used.pk}


def test_staged_uploads_go(commits: None) -> None:
    keys = [f"{STAGED}/{uuid4()}/{uuid4()}" for _ in range(2)]
    for key in keys:
        private_files().save(key, ContentFile(b"half"))
    path = Path(settings.STORAGES["private"]["OPTIONS"]["location"], keys[0])
    os.utime(path, (0, 0))
    assert {line.data_class: line.rows for line in purge_shared(dry_run=True)}["staged-uploads"] == 1
    assert private_files().exists(keys[0])
    assert {line.data_class: line.rows for line in purge_shared()}["staged-uploads"] == 1
    assert [private_files().exists(key) for key in keys] == [False, True]
    private_files().delete(keys[1])


def test_without_time_nothing_goes_and_the_next_purge_goes_on(company: Company) -> None:
    before = rows(company)
    budget = Budget(0)
    assert not any(line.rows for lines in purge_everywhere(budget=budget).values() for line in lines)
    assert budget.ran_out and rows(company) == before
    assert purged(company) == {"events": 1, "deliveries": 1, "jobs": 1}


def test_what_was_purged_when_the_time_was_over_is_noted(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of this budget is the number of questions."""
    with company.scope():
        for _ in range(5):
            aged(OutboxEventFactory, 40, relayed_at=timezone.now())
        RetentionPolicy.objects.exclude(data_class="events").update(legal_hold_until=timezone.localdate())
    monkeypatch.setattr(retention, "BATCH", 2)
    assert purged(company, budget=Questions(2)) == {"events": 2}
    with company.scope():
        assert RetentionPolicy.objects.get(data_class="events").purged_rows == 2
    assert purged(company)["events"] == 4


def test_the_command_says_that_time_was_over(company: Company) -> None:
    out = StringIO()
    call_command("purge", "--organization", company.organization.slug, "--seconds", "0", stdout=out)
    assert "events: 0 deleted" in out.getvalue() and "run it again" in out.getvalue()
    call_command("purge", "--organization", company.organization.slug, stdout=(out := StringIO()))
    assert "events: 1 deleted" in out.getvalue() and "run it again" not in out.getvalue()


def test_the_clock_calls_it_each_night() -> None:
    """Several times, because a tick stops after a while."""
    assert declared()["notifications.tasks.purge"].expression == "cron(15/5 2 * * ? *)"
    assert declared()["notifications.tasks.audit_seal"].expression == "cron(0/5 3 * * ? *)"

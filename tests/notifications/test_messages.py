from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from accounts.models import Membership
from notifications.models import Job, NotificationDelivery, Topic, TopicSubscription
from notifications.services.jobs import job_claim
from notifications.services.messages import DELIVER, notify, topic_ensure
from notifications.services.running import job_run
from tests.companies import Company
from tests.factories.notifications import TopicFactory, TopicSubscriptionFactory
from tests.notifications.mail_server import MailServer, mail_server

type NewCompany = Callable[[], Company]
NEWS = {"topic": "news", "subject": "Buy screws", "body": "Few are left.", "dedupe_key": "event-1"}


def subscribed(company: Company, *addresses: str, **values: Any) -> list[TopicSubscription]:
    with company.scope():
        topic = topic_ensure(key="news", name="News")
        return [TopicSubscriptionFactory(topic=topic, address=address, **values) for address in addresses]


def deliveries(company: Company) -> dict[str, NotificationDelivery]:
    with company.scope():
        return {delivery.address: delivery for delivery in NotificationDelivery.objects.all()}


def told(company: Company, **values: Any) -> int:
    with company.scope():
        return notify(**{**NEWS, **values})


# --- Who is told ------------------------------------------------------------------------------------------


def test_one_delivery_and_one_job_for_each_subscriber_in_one_statement(acme: Company) -> None:
    subscribed(acme, "a@acme.test", "b@acme.test")
    with acme.scope(), CaptureQueriesContext(connection) as queries:
        assert notify(**NEWS) == 2
    assert sum("notifications_notificationdelivery" in query["sql"] for query in queries) == 1
    found = deliveries(acme)
    assert set(found) == {"a@acme.test", "b@acme.test"}
    for row in found.values():
        assert (row.subject, row.body, row.status, row.attempts) == ("Buy screws", "Few are left.", "queued", 0)
    with acme.scope():
        jobs = Job.objects.filter(task=DELIVER)
        assert {job.arguments["args"][0] for job in jobs} == {str(row.pk) for row in found.values()}
        assert {job.origin["request_id"] for job in jobs} == {"req-0"}
    assert import_string(DELIVER).module_path == DELIVER


def test_nobody_is_told_twice(acme: Company) -> None:
    subscribed(acme, "a@acme.test")
    assert told(acme) == 1
    subscribed(acme, "b@acme.test")
    assert (told(acme), told(acme), told(acme, dedupe_key="event-2")) == (1, 0, 2)


@pytest.mark.parametrize(("status", "is_mandatory", "expected"), [
    ("confirmed", False, 1), ("pending", False, 0), ("pending", True, 0), ("unsubscribed", False, 0), ("unsubscribed", True, 1),
])
def test_tells_those_who_confirmed_and_cannot_leave(acme: Company, status: str, is_mandatory: bool, expected: int) -> None:
    with acme.scope():
        TopicSubscriptionFactory(topic=TopicFactory(key="news", is_mandatory=is_mandatory), status=status)
    assert told(acme) == expected


def test_a_member_who_left_is_not_told(acme: Company) -> None:
    [subscription] = subscribed(acme, "a@acme.test")
    with acme.scope():
        Membership.objects.filter(pk=subscription.membership_id).update(status="suspended")
    assert told(acme) == 0


def test_tells_one_organization_alone(acme: Company, bolt: Company) -> None:
    subscribed(acme, "a@acme.test")
    subscribed(bolt, "b@bolt.test")
    assert told(acme) == 1
    assert not deliveries(bolt)


def test_a_subscription_holds_only_its_own_organizations_members(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        stranger = Membership.objects.first()
    with pytest.raises(IntegrityError), acme.scope(), transaction.atomic():
        TopicSubscriptionFactory(membership=None, membership_id=stranger.pk)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_unknown_topic_has_no_subscribers(acme: Company) -> None:
    assert told(acme, topic="nothing") == 0


def test_a_topic_that_exists_stays_as_it_is(acme: Company) -> None:
    with acme.scope():
        first = topic_ensure(key="news", name="News")
        Topic.objects.filter(pk=first.pk).update(name="Our news")
        assert topic_ensure(key="news", name="News").name == "Our news"


def test_a_subject_is_one_line(acme: Company) -> None:
    subscribed(acme, "a@acme.test")
    told(acme, subject=f"Buy\r\nBcc: x@evil.test\n{'x' * 300}")
    subject = deliveries(acme)["a@acme.test"].subject
    assert subject.startswith("Buy Bcc: x@evil.test xxx")
    assert len(subject) == 200


def test_an_address_must_be_one(acme: Company) -> None:
    with acme.scope():
        topic = TopicFactory()
    answer = acme.api.send("post", "/api/v1/topic-subscriptions/", {"topic": str(topic.pk), "address": "nobody"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/address")


# --- Sending ----------------------------------------------------------------------------------------------


@pytest.fixture
def company(new_company: NewCompany) -> Iterator[Company]:
    """Its jobs are the only ones that wait."""
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET status = 'failed' WHERE status IN ('queued', 'running')")
    yield new_company()


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Quartermaster <stock@company.test>"
        yield server


def run_all() -> list[str]:
    outcomes = []
    while attempt := job_claim():
        outcomes.append(job_run(attempt))
    return outcomes


def let_time_pass() -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET run_after = now() WHERE status = 'queued'")


def test_mails_by_smtp(company: Company, server: MailServer) -> None:
    subscribed(company, "a@acme.test")
    told(company)
    assert run_all() == ["succeeded"]
    [message] = server.received_by("a@acme.test")
    row = deliveries(company)["a@acme.test"]
    assert (row.status, row.attempts, row.error) == ("sent", 1, "")
    assert row.sent_at
    assert (message["Subject"], message["From"]) == ("Buy screws", "Quartermaster <stock@company.test>")
    assert message["Message-ID"] == f"<{row.pk}@company.test>"
    assert "Few are left." in message.get_payload()


def test_tries_again_those_that_failed_and_no_others(company: Company, server: MailServer) -> None:
    subscribed(company, "a@acme.test", "b@acme.test", "c@acme.test")
    server.refused["b@acme.test"] = "451 later"
    told(company)
    assert sorted(run_all()) == ["queued", "succeeded", "succeeded"]
    failed = deliveries(company)["b@acme.test"]
    assert (failed.status, failed.attempts, failed.sent_at) == ("queued", 1, None)
    assert "451" in failed.error
    server.refused.clear()
    let_time_pass()
    assert run_all() == ["succeeded"]
    assert sorted(address for address, _ in server.inbox) == ["a@acme.test", "b@acme.test", "c@acme.test"]
    assert {(row.status, row.error) for row in deliveries(company).values()} == {("sent", "")}
    assert deliveries(company)["b@acme.test"].attempts == 2


def test_an_address_that_does_not_exist_is_not_tried_again(company: Company, server: MailServer) -> None:
    subscribed(company, "gone@acme.test")
    server.refused["gone@acme.test"] = "550 no such user"
    told(company)
    assert run_all() == ["succeeded"]
    row = deliveries(company)["gone@acme.test"]
    assert (row.status, row.attempts) == ("failed", 1)
    assert "550" in row.error


def test_gives_up_after_the_last_attempt(company: Company, settings: Any, server: MailServer) -> None:
    subscribed(company, "a@acme.test")
    settings.EMAIL_PORT = 1  # nobody listens there
    told(company)
    outcomes = []
    while found := run_all():
        outcomes += found
        let_time_pass()
    assert outcomes == ["queued"] * 7 + ["succeeded"]
    row = deliveries(company)["a@acme.test"]
    assert (row.status, row.attempts) == ("failed", 8)
    assert "ConnectionRefusedError" in row.error


def test_a_message_that_was_sent_is_not_sent_by_a_second_job(company: Company, server: MailServer) -> None:
    subscribed(company, "a@acme.test")
    told(company)
    with company.scope():
        job = Job.objects.get()
    run_all()
    with company.scope():
        Job.objects.filter(pk=job.pk).update(status="queued")
    assert run_all() == ["succeeded"]
    assert len(server.inbox) == 1


@pytest.mark.parametrize("leaving", ["unsubscribed", "deleted"])
def test_who_leaves_before_it_is_sent_gets_nothing(company: Company, server: MailServer, leaving: str) -> None:
    [subscription] = subscribed(company, "a@acme.test")
    told(company)
    with company.scope():
        if leaving == "deleted":
            subscription.delete()
        else:
            TopicSubscription.objects.update(status=leaving)
    assert run_all() == ["succeeded"]
    assert not server.inbox
    assert deliveries(company)["a@acme.test"].status == "failed"


def test_mails_by_whatever_backend_is_set(company: Company) -> None:
    subscribed(company, "a@acme.test")
    told(company)
    run_all()
    assert [message.to for message in mail.outbox] == [["a@acme.test"]]

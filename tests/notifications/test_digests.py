"""What is held back until its recipient wants it comes once, in one mail."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Membership, User
from notifications.models import Job, NotificationDelivery, NotificationPreference, Topic, TopicSubscription
from notifications.services.digests import digest_make
from notifications.services.messages import About, notify, topic_ensure
from tests.companies import Company
from tests.notifications.at_work import quiet, run_all
from tests.notifications.forks import ended, forks
from tests.notifications.mail_server import MailServer, mail_server

WAIT = "SELECT notifications_wait_until(%s::timestamptz, %s, %s, %s::time, %s, %s::time, %s::time)"
LISBON = "Europe/Lisbon"  # an hour ahead in summer: 2026-03-29 and 2026-10-25 change it at 01:00 UTC


def wait(now: str, mode: str, *, at: str = "08:00", on: int = 1, quiet: tuple[str, str] | None = None, zone: str = LISBON) -> str:
    """In the zone's own time; empty where it goes at once."""
    with connection.cursor() as cursor:
        moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone))
        cursor.execute(WAIT, [moment, zone, mode, at, on, *(quiet or (None, None))])
        [due] = cursor.fetchone()
    return f"{due.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %z}" if due else ""


NIGHT, LUNCH = ("22:00", "07:00"), ("12:00", "13:30")


@pytest.mark.parametrize(("now", "options", "expected"), [
    ("2026-06-03 12:10", {"mode": "instant"}, ""),
    ("2026-06-03 12:10", {"mode": "hourly"}, "Wed 2026-06-03 13:00 +0100"),
    ("2026-06-03 07:59", {"mode": "daily"}, "Wed 2026-06-03 08:00 +0100"),
    ("2026-06-03 08:00", {"mode": "daily"}, "Thu 2026-06-04 08:00 +0100"),
    ("2026-06-03 12:10", {"mode": "weekly", "on": 1}, "Mon 2026-06-08 08:00 +0100"),
    ("2026-06-03 12:10", {"mode": "weekly", "on": 3}, "Wed 2026-06-10 08:00 +0100"),
    ("2026-06-03 07:10", {"mode": "weekly", "on": 3}, "Wed 2026-06-03 08:00 +0100"),
    # Quiet hours, over midnight and within a day.
    ("2026-06-03 21:59", {"mode": "instant", "quiet": NIGHT}, ""),
    ("2026-06-03 22:00", {"mode": "instant", "quiet": NIGHT}, "Thu 2026-06-04 07:00 +0100"),
    ("2026-06-03 06:59", {"mode": "instant", "quiet": NIGHT}, "Wed 2026-06-03 07:00 +0100"),
    ("2026-06-03 07:00", {"mode": "instant", "quiet": NIGHT}, ""),
    ("2026-06-03 12:30", {"mode": "instant", "quiet": LUNCH}, "Wed 2026-06-03 13:30 +0100"),
    ("2026-06-03 20:10", {"mode": "daily", "at": "23:00", "quiet": NIGHT}, "Thu 2026-06-04 07:00 +0100"),
    ("2026-06-03 21:10", {"mode": "hourly", "quiet": NIGHT}, "Thu 2026-06-04 07:00 +0100"),
    # The nights in which the clock changes.
    ("2026-03-28 23:00", {"mode": "instant", "quiet": NIGHT}, "Sun 2026-03-29 07:00 +0100"),
    ("2026-10-24 23:00", {"mode": "instant", "quiet": NIGHT}, "Sun 2026-10-25 07:00 +0000"),
    ("2026-03-28 09:00", {"mode": "daily", "at": "01:30"}, "Sun 2026-03-29 02:30 +0100"),  # an hour that there is not
    ("2026-10-24 09:00", {"mode": "daily", "at": "01:30"}, "Sun 2026-10-25 01:30 +0000"),  # the second of two
    ("2026-03-28 09:00", {"mode": "daily"}, "Sun 2026-03-29 08:00 +0100"),
    ("2026-10-24 09:00", {"mode": "daily"}, "Sun 2026-10-25 08:00 +0000"),
])
def test_until_when_a_message_waits(now: str, options: dict[str, Any], expected: str, db: None) -> None:
    assert wait(now, **options) == expected


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """Its Manager reads the topic by mail."""
    quiet()
    made = new_company()
    with made.scope():
        topic = topic_ensure(key="news", name="News", category="operations")
        TopicSubscription.objects.create(topic=topic, address=address(made), membership_id=reader(made), status="confirmed")
    return made


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def manager(company: Company) -> User:
    return company.members["manager"].user


def address(company: Company) -> str:
    return manager(company).email


def reader(company: Company) -> Any:
    return Membership.objects.values_list("pk", flat=True).get(user=manager(company))


def prefers(company: Company, mode: str, **values: Any) -> None:
    with company.scope():
        NotificationPreference.objects.create(membership_id=reader(company), channel="email", mode=mode, **values)


def tell(company: Company, subject: str, key: str, severity: str = "info") -> int:
    with company.scope():
        return notify(topic="news", subject=subject, body=f"All of {subject}.", dedupe_key=key, about=About(severity))


def statuses(company: Company) -> list[tuple[str, str]]:
    with company.scope():
        return sorted(NotificationDelivery.objects.values_list("subject", "status"))


def its_time_comes(company: Company) -> None:
    with company.scope():
        NotificationDelivery.objects.filter(status="held").update(not_before=timezone.now() - timedelta(seconds=1))
        Job.objects.filter(task="notifications.tasks.digest").update(run_after=timezone.now())


def test_what_came_meanwhile_is_one_mail(company: Company, server: MailServer) -> None:
    prefers(company, "daily")
    assert (tell(company, "Screws", "1"), tell(company, "Nuts", "2"), tell(company, "Nuts", "2")) == (1, 1, 0)
    assert run_all() == []
    assert statuses(company) == [("Nuts", "held"), ("Screws", "held")]
    its_time_comes(company)
    assert run_all() == ["succeeded", "succeeded"]
    [message] = server.received_by(address(company))
    assert message["Subject"] == "2 messages: News"
    text = message.get_payload()
    assert text.index("All of Screws.") < text.index("All of Nuts.") and "/admin/my-notifications/" in text
    assert statuses(company) == [("2 messages: News", "sent"), ("Nuts", "sent"), ("Screws", "sent")]
    with company.scope():
        whole = NotificationDelivery.objects.get(kind="digest")
        assert whole.window_start < whole.window_end and whole.parts.count() == 2


def test_one_that_waited_alone_comes_as_it_is(company: Company, server: MailServer) -> None:
    prefers(company, "hourly", category="operations")
    tell(company, "Screws", "1")
    its_time_comes(company)
    run_all()
    assert [message["Subject"] for message in server.received_by(address(company))] == ["Screws"]


def test_what_is_critical_and_what_nobody_leaves_does_not_wait(company: Company, server: MailServer) -> None:
    prefers(company, "off", category="operations")
    prefers(company, "weekly")  # of all other categories
    assert tell(company, "Screws", "1") == 0
    with company.scope():
        Topic.objects.filter(key="news").update(category="")
    assert (tell(company, "Nuts", "2"), tell(company, "Fire", "3", "critical")) == (1, 1)
    with company.scope():
        Topic.objects.filter(key="news").update(category="operations", is_mandatory=True)
    assert tell(company, "Recall", "4") == 1
    run_all()
    assert [message["Subject"] for message in server.received_by(address(company))] == ["Fire", "Recall"]


@pytest.mark.parametrize("leaving", ["unsubscribed", "deleted", "suspended"])
def test_who_leaves_meanwhile_gets_nothing(leaving: str, company: Company, server: MailServer) -> None:
    prefers(company, "daily")
    tell(company, "Screws", "1")
    tell(company, "Nuts", "2")
    with company.scope():
        own = TopicSubscription.objects.filter(topic__key="news")
        if leaving == "suspended":
            Membership.objects.filter(user=manager(company)).update(status="suspended")
        elif leaving == "deleted":
            own.get().delete()
        else:
            own.update(status=leaving)
    its_time_comes(company)
    run_all()
    assert not server.inbox
    assert statuses(company) == [("Nuts", "failed"), ("Screws", "failed")]


def test_two_at_the_same_time_make_one_digest(company: Company) -> None:
    prefers(company, "daily")
    for number in range(20):
        tell(company, f"News {number}", str(number))
    its_time_comes(company)
    with company.scope():
        member = reader(company)

    def work() -> None:
        with company.scope():
            digest_make(membership_id=member, channel="email")

    with forks() as fork:
        ended([fork(work), fork(work)])
    with company.scope():
        assert [row.parts.count() for row in NotificationDelivery.objects.filter(kind="digest")] == [20]
        assert Job.objects.filter(task="notifications.tasks.deliver").count() == 1

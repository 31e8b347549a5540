"""Who watches something is told when it happens: at 06:00 by mail, at 05:00 in a digest, and once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.permissions import MANAGER, VIEWER
from accounts.services.retention import purge
from notifications.models import (
    ExternalCacheEntry,
    Job,
    Notification,
    NotificationDelivery,
    NotificationPreference,
    OutboxEvent,
    Schedule,
    ScheduleRun,
    TopicSubscription,
    Watch,
    WatchHit,
)
from notifications.services.watching import checks_begin, has_happened, number, watched_compare
from notifications.services.watching_mail import digests_begin, hits_tell
from notifications.tasks import daily_digests, watch_checks
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.notifications import (
    ExternalCacheEntryFactory,
    NotificationDeliveryFactory,
    NotificationPreferenceFactory,
    TopicSubscriptionFactory,
    WatchFactory,
    WatchHitFactory,
)
from tests.notifications.at_work import change, quiet, reread, run_all, run_next
from tests.notifications.mail_server import MailServer, mail_server
from tests.notifications.receiver import Receiver, Reply
from tests.notifications.source_kit import ask, hits, member, priced, said, source, subject, watch

type NewCompany = Callable[[], Company]
URL = "/api/v1/watches/"
DAY = "2026-11-27"


@pytest.fixture
def company(new_company: NewCompany) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def seen(value: Any, minute: int = 0, *, found: bool = True, of: str = "copper") -> dict[str, Any]:
    return {"found": found, "value": value, "of": of, "at": datetime(2026, 11, 27, 6, minute, tzinfo=UTC).isoformat()}


def compare(company: Company, made: Watch, now: dict[str, Any]) -> list[str]:
    with company.scope():
        return watched_compare(seen={str(made.pk): now})


# --- What has happened --------------------------------------------------------------------------------------

NEW, GONE = (None, None), (False, None)


@pytest.mark.parametrize(("condition", "before", "now", "happened"), [
    ("changed", NEW, 1, False), ("changed", (True, 1), 1, False), ("changed", (True, 1), 2, True),
    ("changed", (True, 1), None, True), ("changed", GONE, 2, True), ("changed", GONE, None, False),
    ("appears", NEW, 1, True), ("appears", NEW, None, False), ("appears", GONE, 1, True), ("appears", (True, 1), 2, False),
    ("disappears", NEW, None, True), ("disappears", NEW, 1, False), ("disappears", (True, 1), None, True),
    ("disappears", GONE, None, False),
])  # fmt: skip
def test_conditions(condition: str, before: tuple[Any, Any], now: Any, happened: bool) -> None:
    made = Watch(organization_id=None, condition=condition, last_found=before[0], last_value=before[1])
    assert has_happened(made, found=now is not None, value=now) is happened


@pytest.mark.parametrize(("before", "now", "direction", "happened"), [
    (12, 12.5, "both", True), (12, "12.50", "up", True), (12, 12.5, "down", False), (12.5, 13, "both", False),
    (12.5, 12.49, "down", True), (12.5, 12.49, "up", False), (12, 12.4, "both", False), (14, 12.5, "both", False),
])  # fmt: skip
def test_a_threshold_is_crossed(before: Any, now: Any, direction: str, happened: bool) -> None:
    made = Watch(
        organization_id=None, condition="crosses", threshold=Decimal("12.5"), direction=direction, last_found=True,
        last_value=before,
    )  # fmt: skip
    assert has_happened(made, found=True, value=now) is happened


@pytest.mark.parametrize("value", [True, None, "", "12,5", "NaN", "Infinity", [1], {"a": 1}])
def test_what_is_no_number(value: Any) -> None:
    assert number(value) is None


def test_a_change_is_found_once(acme: Company, listener: Receiver) -> None:
    made = watch(acme, subject(acme, source(acme, listener)))
    assert compare(acme, made, seen(1)) == []
    assert len(compare(acme, made, seen(2, 1))) == 1
    assert compare(acme, made, seen(2, 1)) == compare(acme, made, seen(2, 2)) == []
    assert compare(acme, made, seen(1, 0)) == []  # a check that read before
    assert len(compare(acme, made, seen(1, 3))) == len(compare(acme, made, seen(2, 4))) == 1
    assert [(hit.before, hit.after) for hit in hits(acme)] == [(1, 2), (2, 1), (1, 2)]
    with acme.scope():
        told = OutboxEvent.objects.filter(type="watch.hit").order_by("seq")
        assert [(one.payload["before"], one.payload["after"]) for one in told] == [(1, 2), (2, 1), (1, 2)]
        assert {one.aggregate_id for one in told} == {made.pk}


def test_another_subject_begins_anew(acme: Company, listener: Receiver) -> None:
    made = watch(acme, subject(acme, source(acme, listener)))
    compare(acme, made, seen(1))
    assert compare(acme, made, seen(2, 1, of="tin")) == []
    assert len(compare(acme, made, seen(3, 2, of="tin"))) == 1


def test_a_fault_is_said_and_keeps_what_was_known(acme: Company, listener: Receiver) -> None:
    of = subject(acme, source(acme, listener))
    made = watch(acme, of, "crosses", threshold=Decimal("12.5"))
    compare(acme, made, seen(12))
    for now, says in (
        (seen("dear", 1), 'The value is no number: "dear".'), (seen(None, 2, found=False), "There is no value: the source"),
        ({"error": "It answered 500."}, "It answered 500."),
    ):
        assert compare(acme, made, now) == []
        with acme.scope():
            made.refresh_from_db()
        assert made.last_error.startswith(says) and made.last_value == 12
    assert len(compare(acme, made, seen(13, 5))) == 1
    with acme.scope():
        made.refresh_from_db()
    assert (made.last_error, made.last_value) == ("", 13)


# --- The chain ----------------------------------------------------------------------------------------------


def test_whoever_watches_is_mailed_and_everybody_else_is_not(company: Company, listener: Receiver, mails: MailServer) -> None:
    made, manager = source(company, listener), member(company)
    copper, part = subject(company, made), subject(company, made, "P-7", kind="recall")
    watch(company, copper, "crosses", threshold=Decimal("12.5"), membership=manager, name="Copper is dear")
    watch(company, part, "appears", membership=manager)
    watch(company, copper, "crosses", threshold=Decimal(20), membership=member(company, VIEWER))
    price, recalls = [12.0], [{"part": "P-1", "reason": "burns"}]
    listener.answer = lambda request: priced(price[0]) if "price" in request.path else said({"recalls": recalls})
    checked(company, DAY)
    assert not mails.inbox
    price[0], recalls[:] = 12.6, [{"part": "P-7", "reason": "leaks"}]
    checked(company, "2026-11-28")
    [mail] = mails.received_by(manager.user.email)
    assert len(mails.inbox) == 1
    text = str(mail.get_payload())
    assert "Copper is dear: Copper crossed 12.5: 12.0 -> 12.6 (Feed 1)" in text
    assert "P-7 appeared: nothing -> leaks (Feed 1)" in text and "List-Unsubscribe" in mail
    assert {hit.notification_id for hit in hits(company)} == {sent(company).pk}


def checked(company: Company, day: str) -> None:
    """As at 06:00 of that day, each chain to its end."""
    with company.scope():
        checks_begin(day=day)
    assert set(run_all()) <= {"succeeded"}


def sent(company: Company) -> NotificationDelivery:
    with company.scope():
        return NotificationDelivery.objects.get(status="sent")


def test_a_check_is_three_steps_once_a_member_and_day(company: Company, listener: Receiver) -> None:
    of = subject(company, source(company, listener))
    for _ in range(3):
        watch(company, of, membership=member(company))
    watch(company, of, membership=member(company, VIEWER))
    watch(company, of, membership=member(company, "admin"), is_active=False)
    listener.answer = lambda request: priced(1)
    with company.scope():
        assert (checks_begin(day=DAY), checks_begin(day=DAY)) == (2, 0)
    run_all()
    with company.scope():
        chains = Job.objects.filter(task="Watch check")
        assert [chain.status for chain in chains] == ["succeeded"] * 2
        steps = Job.objects.filter(parent__in=chains).order_by("parent", "step").values_list("step", "queue", "task")
        names = [(step, queue, task.rpartition(".")[2]) for step, queue, task in steps]
        assert names == [(1, "watch", "read_watched"), (2, "watch", "compare_watched"), (3, "watch", "tell_hits")] * 2
        assert checks_begin(day="2026-11-28") == 2


def test_a_source_that_is_down_is_asked_again_and_then_the_rest_is_told(company: Company, listener: Receiver) -> None:
    broken = source(company, listener, base_url=f"http://127.0.0.1:{listener.port}/broken")
    bad, good = watch(company, subject(company, broken)), watch(company, subject(company, source(company, listener)), "appears")
    listener.answer = lambda request: Reply(500) if "broken" in request.path else priced(1)
    with company.scope():
        Watch.objects.update(membership=member(company))
        checks_begin(day=DAY)
    assert run_all() == ["succeeded", "queued"]
    for _ in range(2):
        with company.scope():
            [reader] = Job.objects.filter(task__endswith="read_watched")
        change(reader, "run_after = now(), waits_for = ''")
        outcomes = run_all()
    assert outcomes == ["succeeded"] * 4
    assert [hit.watch_id for hit in hits(company)] == [good.pk]
    with company.scope():
        bad.refresh_from_db()
    assert bad.last_error == "It answered 500." and [one.path for one in listener.received].count("/v1/prices/copper") == 1


def test_a_reader_with_little_time_rests_and_goes_on(company: Company, listener: Receiver) -> None:
    made = source(company, listener)
    for name in ("copper", "tin", "zinc"):
        watch(company, subject(company, made, name), "appears", membership=member(company))
    listener.answer = lambda request: priced(1)
    with company.scope():
        checks_begin(day=DAY)
    assert run_next() == "succeeded"
    with company.scope():
        [reader] = Job.objects.filter(task__endswith="read_watched")
    change(reader, "time_limit = 20")
    run_all()
    assert reread(company, reader).continuations == 2
    assert (len(listener.received), len(hits(company))) == (3, 3)


def test_who_left_the_topic_gets_no_more(acme: Company, listener: Receiver) -> None:
    made = watch(acme, subject(acme, source(acme, listener)), membership=member(acme))
    compare(acme, made, seen(1))
    first = compare(acme, made, seen(2, 1))
    with acme.scope():
        assert (hits_tell(hits=first), hits_tell(hits=first)) == (1, 0)
        own = TopicSubscription.objects.get(topic__key="watches")
        assert (own.address, own.membership_id) == (acme.members[MANAGER].user.email, made.membership_id)
        TopicSubscription.objects.update(status="unsubscribed")
    later = compare(acme, made, seen(3, 2))
    with acme.scope():
        assert hits_tell(hits=later) == 0 and NotificationDelivery.objects.count() == 1
        number = {"channel": "sms", "address": "+351912345678", "membership": own.membership}
        TopicSubscriptionFactory(topic=own.topic, **number)
        assert hits_tell(hits=later) == 1
        assert [one.address for one in NotificationDelivery.objects.order_by("pk")] == [own.address, "+351912345678"]


def test_hits_wait_and_come_as_the_member_prefers(acme: Company, listener: Receiver) -> None:
    made = watch(acme, subject(acme, source(acme, listener)), membership=member(acme))
    compare(acme, made, seen(1))
    found = compare(acme, made, seen(2, 1))
    with acme.scope():
        NotificationPreferenceFactory(membership=made.membership, category="watches", channel="email", mode="daily")
        assert hits_tell(hits=found) == 1
        own = NotificationDelivery.objects.get()
        assert own.status == "held", "it waits for the day's mail"
        TopicSubscriptionFactory(topic=own.subscription.topic, channel="inbox", address="", membership=made.membership)
        NotificationPreference.objects.update(mode="off")
    later = compare(acme, made, seen(3, 2))
    with acme.scope():
        assert hits_tell(hits=later) == 1
        assert list(NotificationDelivery.objects.exclude(pk=own.pk).values_list("channel", flat=True)) == ["inbox"]
        assert Notification.objects.get(recipient=made.membership).link == "/admin/notifications/watch/"


# --- The digest ---------------------------------------------------------------------------------------------


def test_a_digest_tells_what_is_new_and_what_is_so_once_a_day(company: Company, listener: Receiver, mails: MailServer) -> None:
    made = source(company, listener, kinds={"rank": {"path": "/board", "value": "rows[driver={id}].rating"}})
    listener.answer = lambda request: said({"rows": [{"driver": "ann", "rating": 4711}, {"driver": "bob", "rating": 12}]})
    ann, bob = (subject(company, made, name, kind="rank") for name in ("ann", "bob"))
    first = watch(company, ann, membership=member(company))
    watch(company, bob, membership=member(company))
    watch(company, ann, membership=member(company, VIEWER))
    with company.scope():
        WatchHitFactory(watch=first, before=4000, after=4711)
        assert (digests_begin(day=DAY), digests_begin(day=DAY)) == (1, 0)
    assert set(run_all()) == {"succeeded"}
    [mail] = mails.received_by(company.members[MANAGER].user.email)
    assert mail["Subject"] == "What you watch, 2026-11-27" and len(mails.inbox) == 1
    text = str(mail.get_payload())
    assert "Ann changed: 4000 -> 4711" in text and "Ann: 4711" in text and "Bob: 12" in text
    with company.scope():
        assert digests_begin(day="2026-11-28") == 0
        assert {job.queue for job in Job.objects.filter(parent__task="Daily digest")} == {"scheduler"}


# --- When ---------------------------------------------------------------------------------------------------


def test_digests_at_five_and_checks_at_six_of_each_zone(new_company: NewCompany) -> None:
    quiet()
    azores, tokyo = new_company(), new_company()
    for one, zone in ((azores, "Atlantic/Azores"), (tokyo, "Asia/Tokyo")):
        with connections["owner"].cursor() as cursor:
            cursor.execute("UPDATE accounts_organization SET timezone = %s WHERE id = %s", [zone, one.organization.pk])
        with one.scope():
            WatchHitFactory(watch=WatchFactory(membership=member(one)))
    begun: list[set[tuple[str, str]]] = []
    for table in (ScheduleRun, Schedule):
        table.objects.using("worker").all().delete()
    # Of UTC: before all of it, 05:00 and 06:00 in Tokyo, then 05:00 and 06:00 on the Azores.
    for day, hour in ((26, 19), (26, 20), (26, 21), (27, 6), (27, 7)):
        with time_machine.travel(datetime(2026, 11, day, hour, 0, 5, tzinfo=UTC), tick=False):
            for schedule in (daily_digests, watch_checks):
                schedule(None, None)
        begun.append(begun_by(azores, "Azores") | begun_by(tokyo, "Tokyo"))
    quiet()
    digest, check = "notifications.tasks.begin_digests 2026-11-27", "notifications.tasks.begin_checks 2026-11-27"
    news = [now - before for before, now in pairwise(begun)]
    assert news == [{("Tokyo", digest)}, {("Tokyo", check)}, {("Azores", digest)}, {("Azores", check)}]


def begun_by(company: Company, name: str) -> set[tuple[str, str]]:
    with company.scope():
        keys = Job.objects.filter(task__in=["notifications.tasks.begin_digests", "notifications.tasks.begin_checks"])
        return {(name, key) for key in keys.values_list("dedupe_key", flat=True) if "2026-11-27" in key}


# --- What is kept -------------------------------------------------------------------------------------------


def test_hits_go_after_their_time_and_messages_stay_as_long_as_they(company: Company) -> None:
    with company.scope():
        hit = WatchHitFactory(notification=NotificationDeliveryFactory(status="failed"))
        ExternalCacheEntryFactory()
    counted = [(1, 1, 1)]
    for days in (40, 100):
        with time_machine.travel(timezone.now() + timedelta(days=days), tick=True):
            for _ in range(2):
                list(purge(organization_id=company.organization.pk))
        with company.scope():
            kept = WatchHit, NotificationDelivery, ExternalCacheEntry
            counted.append(tuple(model.objects.count() for model in kept))  # type: ignore[arg-type]
    assert counted == [(1, 1, 1), (1, 1, 0), (0, 0, 0)]
    with company.scope():
        assert Watch.objects.filter(pk=hit.watch_id).exists()


def test_another_organization_asks_and_sees_for_itself(acme: Company, bolt: Company, listener: Receiver) -> None:
    ours = source(acme, listener, default_ttl=600)
    listener.answer = lambda request: priced(1)
    ask(acme, ours)
    with acme.scope():
        WatchHitFactory(watch__subject__source=ours)
    for prefix in ("external-sources", "external-subjects", "external-cache-entries", "watches", "watch-hits"):
        assert acme.api.get(f"/api/v1/{prefix}/").json()["results"]
        assert bolt.api.get(f"/api/v1/{prefix}/").json()["results"] == []
    url = f"/api/v1/external-sources/{ours.pk}/search/"
    assert_problem(bolt.api.send("post", url, {"kind": "price", "query": "copper"}), 404)
    theirs = source(bolt, listener, default_ttl=600)
    ask(bolt, theirs)
    assert len(listener.received) == 2


def test_comparing_costs_five_statements_for_many_watches(acme: Company, listener: Receiver) -> None:
    of = subject(acme, source(acme, listener))
    many = [watch(acme, of, "appears") for _ in range(4)]
    with acme.scope(), CaptureQueriesContext(connection) as queries:
        assert len(watched_compare(seen={str(one.pk): seen(1) for one in many})) == 4
    assert len([one for one in queries if "SAVEPOINT" not in one["sql"]]) == 5

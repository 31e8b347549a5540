"""An organization sends by a mail server or an account of its own, within its cap, and reaches no private network by it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.db import connection
from django.utils import timezone
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from accounts.models import Membership
from notifications.models import ChannelConfig, Job, Notification, NotificationDelivery, TopicSubscription
from notifications.services.messages import OPS_CRITICAL, notify, topic_ensure
from notifications.services.sending import sent_today
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.moto_server import moto_server
from tests.notifications.at_work import quiet, run_all
from tests.notifications.mail_server import MailServer, mail_server

URL = "/api/v1/channel-configs/"
OWN = {"channel": "email", "provider": "smtp", "from_address": "shop@own.test", "security": "none", "host": "127.0.0.1"}
AUDITED = "SELECT string_agg(changes::text, '') FROM accounts_auditentry WHERE table_name = 'notifications_channelconfig'"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    quiet()
    return new_company()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def make(company: Company, status: int = 201, **values: Any) -> Any:
    answer = company.api.send("post", URL, {**OWN, **values})
    assert answer.status_code == status, answer.json()
    return answer.json()


def tell(company: Company, *addresses: str) -> None:
    with company.scope():
        topic = topic_ensure(key="news", name="News")
        for address in addresses:
            TopicSubscription.objects.create(topic=topic, address=address, status="confirmed")
        notify(topic="news", subject="Buy screws", body="Few are left.", dedupe_key="1")


def test_mail_goes_by_the_organizations_own_server(company: Company, server: MailServer) -> None:
    made = make(company, port=server.port, secret="hidden words")
    assert "secret" not in made
    tell(company, "a@acme.test")
    assert run_all() == ["succeeded"]
    [message] = server.received_by("a@acme.test")
    assert message["From"] == "shop@own.test" and message["Message-ID"].endswith("@own.test>")
    with company.scope(), connection.cursor() as cursor:
        assert b"hidden words" not in bytes(ChannelConfig.objects.get().secret)
        cursor.execute(AUDITED)
        assert "hidden" not in cursor.fetchone()[0]


def test_switched_off_the_installation_sends(company: Company, server: MailServer, mailoutbox: list[Any]) -> None:
    row = make(company, port=server.port)
    assert company.api.send("patch", f"{URL}{row['id']}/", {"is_active": False}).status_code == 200
    tell(company, "a@acme.test")
    run_all()
    assert (len(mailoutbox), server.inbox) == (1, [])


def test_over_the_cap_messages_wait_for_the_next_day_and_that_is_said(company: Company, server: MailServer) -> None:
    make(company, port=server.port, daily_cap=2)
    with company.scope():
        operators = topic_ensure(key=OPS_CRITICAL, name="Trouble")
        member = Membership.objects.get(user_id=company.user.pk)
        TopicSubscription.objects.create(topic=operators, channel="inbox", address="a", membership=member, status="confirmed")
    tell(company, "a@acme.test", "b@acme.test", "c@acme.test")
    assert run_all() == ["succeeded"] * 3
    with company.scope():
        [waiting] = NotificationDelivery.objects.filter(status="queued", channel="email")
        assert "The daily cap of 2 is reached" in waiting.error and waiting.not_before > timezone.now()
        assert (len(server.inbox), sent_today("email")) == (2, 2)
        assert [row.title for row in Notification.objects.all()] == ["The daily cap of E-mail is reached"]
        job = Job.objects.get(status="queued")
        assert job.run_after == waiting.not_before
        # The next day.
        yesterday = timezone.now() - timedelta(days=1)
        NotificationDelivery.objects.filter(status="sent").update(sent_at=yesterday, counted_at=yesterday)
        Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    assert run_all() == ["succeeded"]
    assert len(server.inbox) == 3


def test_no_more_leave_than_the_cap_though_many_are_under_way(company: Company, server: MailServer) -> None:
    make(company, port=server.port, daily_cap=2)
    tell(company, *(f"{name}@acme.test" for name in "abcdefgh"))
    assert [outcome for outcomes in at_once(8, lambda _: run_all()) for outcome in outcomes] == ["succeeded"] * 8
    with company.scope():
        waiting = NotificationDelivery.objects.filter(status="queued", channel="email")
        assert (len(server.inbox), sent_today("email"), waiting.filter(not_before__gt=timezone.now()).count()) == (2, 2, 6)


def test_what_does_not_leave_gives_its_place_back(company: Company, server: MailServer) -> None:
    make(company, port=server.port, daily_cap=1)
    server.refused["a@acme.test"] = "550 no such user"
    tell(company, "a@acme.test", "b@acme.test")
    run_all()
    assert [address for address, _ in server.inbox] == ["b@acme.test"]


def test_whose_place_was_taken_goes_after_a_crash(company: Company, server: MailServer) -> None:
    """It is in nobody else's way, nor in its own."""
    make(company, port=server.port, daily_cap=1)
    tell(company, "a@acme.test")
    with company.scope():
        NotificationDelivery.objects.update(counted_at=timezone.now())  # and no more was written
    tell(company, "b@acme.test")
    run_all()
    assert [address for address, _ in server.inbox] == ["a@acme.test"]


def test_a_test_message_leaves_or_says_why_not(company: Company, server: MailServer) -> None:
    row = make(company, port=server.port)
    send = company.api.send
    assert send("post", f"{URL}{row['id']}/test/", {"address": "me@own.test"}).json() == {"sent_today": 0}
    assert [message["Subject"] for message in server.received_by("me@own.test")] == ["A test of your sender"]
    server.refused["no@own.test"] = "550 no such user"
    refused = send("post", f"{URL}{row['id']}/test/", {"address": "no@own.test"})
    assert (refused.status_code, "no such user" in refused.json()["detail"]) == (409, True)
    assert send("post", f"{URL}{row['id']}/test/", {"address": "nobody"}).status_code == 400
    assert company.api_as("manager").send("post", f"{URL}{row['id']}/test/", {"address": "me@own.test"}).status_code == 403


@pytest.mark.parametrize("host", [
    "127.0.0.1", "10.0.0.7", "169.254.169.254", "localhost", "relay.internal", "::1", "a.example.com/x",
])
def test_a_private_host_is_refused(host: str, acme: Company, settings: Any) -> None:
    settings.SENDER_ALLOWED_NETWORKS = []
    answer = make(acme, 400, host=host)
    assert answer["errors"][0]["pointer"] == "/host"


def test_a_port_of_something_else_is_refused(acme: Company, settings: Any) -> None:
    settings.SENDER_ALLOWED_NETWORKS = []
    assert make(acme, 400, host="smtp.example.com", port=6379)["errors"][0]["pointer"] == "/port"
    make(acme, host="smtp.example.com", port=465)


def test_a_name_that_leads_into_a_private_network_is_not_connected_to(acme: Company, settings: Any, server: MailServer) -> None:
    """It may have been another address when it was written."""
    row = make(acme, host="127.0.0.1", port=server.port)
    settings.SENDER_ALLOWED_NETWORKS = []
    answer = acme.api.send("post", f"{URL}{row['id']}/test/", {"address": "me@own.test"})
    assert (answer.status_code, "does not lead to an address of the open internet" in answer.json()["detail"]) == (409, True)
    assert not server.inbox


def test_a_password_is_not_handed_to_another_server(acme: Company) -> None:
    row = make(acme, host="smtp.example.com", secret="hidden")
    url = f"{URL}{row['id']}/"
    answer = acme.api.send("patch", url, {"host": "smtp.evil.example"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/secret")
    assert acme.api.send("patch", url, {"host": "smtp.example.org", "secret": "other"}).status_code == 200
    assert acme.api.send("patch", url, {"daily_cap": 5}).status_code == 200


@pytest.mark.parametrize("values", [
    {"provider": "sns"}, {"channel": "sms"}, {"from_address": ""}, {"host": ""}, {"provider": "ses", "region": "eu-west-1"},
    {"provider": "ses", "region": "evil.example/", "username": "AKIA", "secret": "x"},
])
def test_what_does_not_fit_is_refused(values: dict[str, str], acme: Company) -> None:
    make(acme, 400, **values)


def test_two_senders_of_a_channel_are_not_switched_on(acme: Company) -> None:
    make(acme)
    assert "switched on" in make(acme, 400)["detail"] + str(make(acme, 400)["errors"])
    make(acme, is_active=False)


def test_the_admin_makes_a_sender_changes_it_and_tries_it(acme: Company, server: MailServer) -> None:
    page = "/admin/notifications/channelconfig/"
    empty = dict.fromkeys(("region", "username", "daily_cap"), "")
    form = {**OWN, **empty, "port": server.port, "is_active": "on", "given_secret": "hidden"}
    assert acme.admin.post(f"{page}add/", form).status_code == 302
    with acme.scope():
        row = ChannelConfig.objects.get()
    assert b"hidden" not in bytes(row.secret)
    kept = {**form, "given_secret": ""}
    moved = acme.admin.post(f"{page}{row.pk}/change/", {**kept, "host": "::1"})
    assert (moved.status_code, "Give the secret again" in moved.content.decode()) == (200, True)
    assert acme.admin.post(f"{page}{row.pk}/change/", {**kept, "daily_cap": "9"}).status_code == 302
    assert acme.admin.get(page).status_code == 200
    assert acme.admin.post(f"{page}{row.pk}/send-test/", {"address": "me@own.test"}).status_code == 302
    assert len(server.received_by("me@own.test")) == 1
    with acme.scope():
        after = ChannelConfig.objects.get()
    assert (after.daily_cap, bytes(after.secret)) == (9, bytes(row.secret))


def test_by_an_account_at_amazon_of_ones_own(company: Company, settings: Any) -> None:
    region = "eu-north-1"  # moto keeps what it was told, by region, and other tests count it
    with moto_server() as endpoint:
        settings.SES_ENDPOINT_URL = settings.SMS_ENDPOINT_URL = endpoint
        keys = {"region": region, "username": "AKIAOWN", "secret": "of the key", "host": ""}
        own = {"region_name": region, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        boto3.client("sesv2", endpoint_url=endpoint, **own).create_email_identity(EmailIdentity="shop@own.test")
        mail = make(company, provider="ses", **keys)
        sms = make(company, channel="sms", provider="sns", from_address="", **keys)
        for row, address in ((mail, "me@own.test"), (sms, "+351912345678")):
            answer = company.api.send("post", f"{URL}{row['id']}/test/", {"address": address})
            assert answer.status_code == 200, answer.json()
    [sent] = ses_backends[DEFAULT_ACCOUNT_ID][region].sent_messages
    [(number, *_)] = sns_backends[DEFAULT_ACCOUNT_ID][region].sms_messages.values()
    assert (sent.source, set(sent.destinations), number) == ("shop@own.test", {"me@own.test"}, "+351912345678")

"""Messages to phones: by Amazon SNS, as moto's server takes it, to numbers whose owner has told us the code."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from inventory.handlers import REORDER_REMINDERS
from inventory.tasks import reorder_check
from notifications import sms
from notifications.models import NotificationDelivery, Topic, TopicSubscription
from notifications.services.messages import notify
from notifications.worker import Worker
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.notifications import TopicFactory
from tests.inventory.goods import Goods
from tests.moto_server import moto_server
from tests.notifications.at_work import quiet, run_all

REGION = "eu-central-1"
URL = "/api/v1/topic-subscriptions/"
NUMBER = "+351912345678"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def by_sns(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    def use(address: str) -> None:
        settings.SMS_SENDER, settings.SMS_ENDPOINT_URL, settings.SMS_REGION = "notifications.sms.send_by_sns", address, REGION
        sms._client.cache_clear()

    yield use
    sms._client.cache_clear()


@pytest.fixture
def phone(by_sns: Callable[[str], None], moto: str) -> Callable[[], list[str]]:
    """What arrived at the number since it was last asked."""
    by_sns(moto)

    def arrived() -> list[str]:
        run_all()
        inbox = sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages
        texts = [text for number, text in inbox.values() if number == NUMBER]
        inbox.clear()
        return texts

    return arrived


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()


@pytest.fixture
def topic(company: Company) -> Topic:
    with company.scope():
        return TopicFactory(key="news", name="News")


def subscribe(company: Company, topic: Topic, address: str = NUMBER) -> Any:
    return company.api.send("post", URL, {"topic": str(topic.pk), "channel": "sms", "address": address})


def confirm(company: Company, made: Any, code: str) -> Any:
    return company.api.send("post", f"{URL}{made.json()['id']}/confirm/", {"code": code})


def later(company: Company, **values: Any) -> None:
    with company.scope():
        TopicSubscription.objects.update(**values)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_a_number_confirms_by_a_code_and_is_told(company: Company, topic: Topic, phone: Callable[[], list[str]]) -> None:
    made = subscribe(company, topic)
    assert (made.status_code, made.json()["status"]) == (201, "pending")
    [text] = phone()
    code = text[:6]
    assert text[6:] == f" is your code for News of {company.organization.name}. It counts for 15 minutes. Not yours? Do nothing."
    assert code.isdecimal() and code not in str(company.api.get("/api/v1/notification-deliveries/").json())
    assert "code_hash" not in made.json()

    assert_problem(confirm(company, made, other_than(code)), 400, "code_wrong")
    assert confirm(company, made, code).json()["status"] == "confirmed"
    assert confirm(company, made, code).status_code == 200
    with company.scope():
        assert notify(topic="news", subject="Low", body="Few screws are left. " * 40, dedupe_key="event-1") == 1
    [text] = phone()
    assert text.startswith("Low\nFew screws are left.") and text.endswith("...") and len(text) <= 300


def test_a_code_is_guessed_five_times_and_no_more(company: Company, topic: Topic, phone: Callable[[], list[str]]) -> None:
    made = subscribe(company, topic)
    code = phone()[0][:6]
    for _ in range(5):
        assert_problem(confirm(company, made, other_than(code)), 400, "code_wrong")
    assert_problem(confirm(company, made, code), 409, "code_used_up")
    later(company, asked_at=timezone.now() - timedelta(minutes=1))
    assert company.api.send("post", f"{URL}{made.json()['id']}/resend/").status_code == 200
    newer = phone()[0][:6]
    later(company, code_expires_at=timezone.now())
    assert_problem(confirm(company, made, newer), 409, "code_expired")
    later(company, code_expires_at=timezone.now() + timedelta(minutes=1))
    assert confirm(company, made, newer).status_code == 200


def test_the_code_is_entered_in_the_admin(company: Company, topic: Topic, phone: Callable[[], list[str]]) -> None:
    page = f"/admin/notifications/topicsubscription/{subscribe(company, topic).json()['id']}/enter-code/"
    code = phone()[0][:6]
    assert "This is not the code" in company.admin.post(page, {"code": other_than(code)}).content.decode()
    assert f"{NUMBER} is confirmed." in company.admin.post(page, {"code": code}, follow=True).content.decode()


@pytest.mark.parametrize("number", ["912345678", "+0351912345678", "+351 912 345 678", "+12345", "+1234567890123456", "a@b.test"])
def test_a_number_has_its_country(company: Company, topic: Topic, phone: Callable[[], list[str]], number: str) -> None:
    answer = subscribe(company, topic, number)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/address")


def test_without_a_sender_nobody_subscribes_by_sms(company: Company, topic: Topic) -> None:
    answer = subscribe(company, topic)
    assert_problem(answer, 400, "no_sms")
    assert answer.json()["errors"][0]["pointer"] == "/channel"
    form = {"topic": str(topic.pk), "channel": "sms", "address": NUMBER, "membership": "", "status": "pending"}
    page = company.admin.post("/admin/notifications/topicsubscription/add/", form)
    assert page.status_code == 200 and "This installation sends no SMS" in page.content.decode()


def test_what_sns_refuses_for_good_is_not_tried_again(
    company: Company, topic: Topic, by_sns: Callable[[str], None],
) -> None:
    answers = [(500, "InternalError"), (400, "InvalidParameter")]

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # its name
            self.rfile.read(int(self.headers["Content-Length"]))
            status, code = answers.pop(0)
            body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    by_sns(f"http://127.0.0.1:{server.server_port}")
    made = subscribe(company, topic)
    assert run_all() == ["queued"]
    later(company, asked_at=timezone.now() - timedelta(minutes=1))
    assert company.api.send("post", f"{URL}{made.json()['id']}/resend/").status_code == 200
    assert run_all() == ["succeeded"]
    server.shutdown()
    server.server_close()
    with company.scope():
        found = list(NotificationDelivery.objects.order_by("id"))
        assert [(one.status, one.error.split("(")[1].split(")")[0]) for one in found] == [
            ("queued", "InternalError"), ("failed", "InvalidParameter"),
        ]


def test_what_is_low_is_told_by_mail_and_by_sms(company: Company, phone: Callable[[], list[str]]) -> None:
    with company.scope():
        goods = Goods.create()
        goods.receive(2)
        goods.rule(minimum=5)
        topic = Topic.objects.get(key=REORDER_REMINDERS)
    made = subscribe(company, topic)
    assert confirm(company, made, phone()[0][:6]).status_code == 200
    company.api.send("post", URL, {"topic": str(topic.pk), "address": company.user.email})
    reorder_check({"time": "2020-01-01T07:00:00Z"}, None)
    Worker().drain()
    [text] = phone()
    assert text.startswith(f"{company.organization.name}: 1 item to reorder") and "BOLT" in text
    assert [letter.subject for letter in mail.outbox if letter.to == [company.user.email]] == [text.split("\n")[0]]

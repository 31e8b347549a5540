"""Nobody is told anything who did not say yes, and who has enough leaves by a link."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.permissions import ADMIN, MANAGER, VIEWER
from notifications.models import NotificationDelivery, Topic, TopicSubscription
from notifications.services.topic_subscriptions import topic_subscription_create
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.notifications import TopicFactory, TopicSubscriptionFactory
from tests.notifications.at_work import quiet, run_all

V1 = "/api/v1/"
ANN = "ann@elsewhere.test"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()


@pytest.fixture
def topic(company: Company) -> Topic:
    with company.scope():
        return TopicFactory(key="news", name="News")


def subscribe(company: Company, topic: Topic, address: str = ANN, role: str = MANAGER, **values: Any) -> dict[str, Any]:
    answer = company.api_as(role).send(
        "post", f"{V1}topic-subscriptions/", {"topic": str(topic.pk), "address": address, **values},
    )
    assert answer.status_code == 201, answer.json()
    return answer.json()  # type: ignore[no-any-return]


def row_url(made: dict[str, Any], verb: str = "") -> str:
    return f"{V1}topic-subscriptions/{made['id']}/{verb}"


def change(company: Company, made: dict[str, Any], **values: Any) -> Any:
    return company.api.send("patch", row_url(made), values)


def state(company: Company, made: dict[str, Any]) -> str:
    with company.scope():
        return str(TopicSubscription.objects.get(pk=made["id"]).status)


def later(company: Company) -> None:
    """A minute after the address was asked."""
    with company.scope():
        TopicSubscription.objects.update(asked_at=timezone.now() - timedelta(minutes=1))


def last_mail(address: str = ANN) -> Any:
    run_all()
    return [letter for letter in mail.outbox if letter.to == [address]][-1]


def link_in(text: str) -> str:
    found = re.findall(r"http://127\.0\.0\.1:8000(/subscriptions/\S+)", text)
    return str(found[-1]).rstrip(">")


def asked(company: Company, topic: Topic, **values: Any) -> tuple[dict[str, Any], str]:
    made = subscribe(company, topic, **values)
    return made, link_in(last_mail().body)


def send(company: Company, topic: Topic, **values: Any) -> Any:
    body = {"subject": "Closed on Monday", "body": "We count.", **values}
    return company.api_as(MANAGER).send("post", f"{V1}topics/{topic.pk}/send/", body)


# --- Saying yes -------------------------------------------------------------------------------------------


def test_an_address_is_told_once_its_owner_has_pressed_the_button(company: Company, topic: Topic) -> None:
    made, link = asked(company, topic)
    assert (made["status"], made["confirmed_at"], bool(made["asked_at"])) == ("pending", None, True)
    assert last_mail().subject == f"Please confirm: News of {company.organization.name}"
    assert "List-Unsubscribe" not in last_mail().extra_headers
    assert send(company, topic).json() == {"told": 0}

    stranger = Client(enforce_csrf_checks=True)
    for look in (stranger.get, stranger.head):  # as mail scanners do
        assert look(link).status_code == 200
        assert state(company, made) == "pending"
    page = stranger.get(link).content.decode()
    assert f"News of {company.organization.name}, to ann@elsewhere.test" in page and "Confirm</button>" in page
    answer = stranger.post(link)
    assert "gets the messages of News from now on" in answer.content.decode()
    assert "no-cache" in answer.headers["Cache-Control"] and not answer.cookies
    assert stranger.post(link).status_code == 200, "twice is once"
    shown = company.api.get(row_url(made)).json()
    assert shown["status"] == "confirmed" and shown["confirmed_at"]
    assert send(company, topic).json() == {"told": 1}
    assert last_mail().body.startswith("We count.")


def test_nobody_reads_the_link_but_whoever_has_the_mail(company: Company, topic: Topic) -> None:
    _, link = asked(company, topic)
    answer = company.api.get(f"{V1}notification-deliveries/", {"status": "sent"}).json()["results"]
    assert [one["kind"] for one in answer] == ["confirmation"]
    assert link not in str(answer) and "/subscriptions/" not in str(answer)


@pytest.mark.parametrize("values", [{"address": "ann@new.test"}, {"address": "ann@new.test", "status": "pending"}])
def test_a_changed_address_is_asked_itself_and_voids_the_links_of_the_old_one(
    company: Company, topic: Topic, values: dict[str, str],
) -> None:
    made, link = asked(company, topic)
    Client().post(link)
    send(company, topic)
    leave = link_in(last_mail().body)
    later(company)
    assert change(company, made, **values).json()["status"] == "pending"
    assert [Client().post(old).status_code for old in (link, leave)] == [400, 400]
    assert state(company, made) == "pending"
    Client().post(link_in(last_mail("ann@new.test").body))
    assert state(company, made) == "confirmed"


def test_links_that_are_old_cut_or_for_something_else_do_nothing(company: Company, topic: Topic) -> None:
    made, link = asked(company, topic)
    token = link.removeprefix("/subscriptions/confirm/")
    for wrong in (token[:-3], token[3:], "x", "a:b:c", token.replace(":", "")):
        answer = Client().post(f"/subscriptions/confirm/{wrong.rstrip('/')}/")
        assert answer.status_code == 400 and "not whole" in answer.content.decode()
    assert Client().post(f"/subscriptions/leave/{token}").status_code == 400, "a link that confirms ends nothing"
    with patch("django.core.signing.time.time", return_value=timezone.now().timestamp() + 3 * 86400 + 60):
        assert "ask for another" in Client().post(link).content.decode()
    assert state(company, made) == "pending"
    company.api.delete(row_url(made))
    assert "is gone" in Client().get(link).content.decode()


def test_who_left_is_not_brought_back_by_an_older_link(company: Company, topic: Topic) -> None:
    made, link = asked(company, topic)
    change(company, made, status="unsubscribed")
    assert Client().post(link).status_code == 400
    assert state(company, made) == "unsubscribed"
    later(company)
    assert change(company, made, address="b@new.test").json()["status"] == "pending", "another address has not answered"


# --- Who need not be asked --------------------------------------------------------------------------------


def test_members_subscribe_their_own_verified_address_at_once(company: Company, topic: Topic) -> None:
    own = company.members[MANAGER].user
    made = subscribe(company, topic, address=own.email)
    assert made["status"] == "confirmed" and made["membership"] and made["confirmed_at"]
    assert subscribe(company, topic, address=company.members[VIEWER].user.email)["status"] == "pending"
    admin = company.members[ADMIN].user
    User.objects.filter(pk=admin.pk).update(email_verified_at=None)
    assert subscribe(company, topic, address=admin.email, role=ADMIN)["status"] == "pending"


@pytest.mark.parametrize("who", ["api_key_id", "impersonator_id"])
def test_who_acts_for_a_member_does_not_have_their_address(company: Company, topic: Topic, who: str) -> None:
    with company.scope(**{who: uuid4()}):
        assert topic_subscription_create(topic=topic, address=company.user.email).status == "pending"


def test_saying_yes_for_others_needs_its_permission(company: Company, topic: Topic) -> None:
    needed = ("view", "add", "change")
    api = company.api_by_key(*(f"notifications.{verb}_topicsubscription" for verb in needed))
    body = {"topic": str(topic.pk), "address": ANN}
    refused = api.send("post", f"{V1}topic-subscriptions/", {**body, "status": "confirmed"})
    assert_problem(refused, 403)
    assert refused.json()["missing_permission"] == "notifications.confirm_topicsubscription"
    made = api.send("post", f"{V1}topic-subscriptions/", body).json()
    for answer in ("confirmed", "unsubscribed"):  # to whom a mandatory topic goes
        assert_problem(api.send("patch", row_url(made), {"status": answer}), 403)
    assert change(company, made, status="confirmed").json()["status"] == "confirmed"
    assert api.send("patch", row_url(made), {"status": "confirmed"}).status_code == 200, "nothing changes"
    assert_problem(api.send("patch", row_url(made), {"status": "confirmed", "address": "b@new.test"}), 403)
    assert api.send("patch", row_url(made), {"status": "unsubscribed"}).status_code == 200
    rows = [{**body, "address": "b@new.test", "status": "confirmed"}]
    assert_problem(api.send("post", f"{V1}topic-subscriptions/bulk/", {"rows": rows}), 400)


def test_asking_again_within_a_minute_is_refused(company: Company, topic: Topic) -> None:
    made, first = asked(company, topic)
    again = company.api.send("post", row_url(made, "resend/"))
    assert_problem(again, 429, "asked_already")
    assert 0 < int(again.headers["Retry-After"]) <= 60
    assert_problem(change(company, made, address="b@new.test"), 429, "asked_already")
    later(company)
    assert company.api.send("post", row_url(made, "resend/")).status_code == 200
    Client().post(link_in(last_mail().body))
    assert state(company, made) == "confirmed"
    assert_problem(company.api.send("post", row_url(made, "resend/")), 409, "not_pending")
    assert Client().get(first).status_code == 200


# --- Leaving ----------------------------------------------------------------------------------------------


def test_one_click_of_the_mail_program_ends_it(company: Company, topic: Topic) -> None:
    with company.scope():
        row = TopicSubscriptionFactory(topic=topic, address=ANN, membership=None)
    send(company, topic)
    letter = last_mail()
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = link_in(letter.extra_headers["List-Unsubscribe"])
    assert link == link_in(letter.body) and "No more messages of News: http" in letter.body
    made = {"id": row.pk}
    stranger = Client(enforce_csrf_checks=True)
    assert "Stop these messages?" in stranger.get(link).content.decode()
    assert state(company, made) == "confirmed"
    clicked = stranger.post(link, ONE_CLICK)
    assert clicked.status_code == 200
    assert '"sender"' in clicked.headers["RateLimit-Policy"], "one mail provider may click for many people"
    assert state(company, made) == "unsubscribed"
    assert send(company, topic).json() == {"told": 0}
    entry = company.api.get(f"{V1}audit-entries/", {"row_id": str(row.pk), "limit": 1}).json()["results"][0]
    assert entry["reason"] == "A link in a mail"


def test_nobody_leaves_a_mandatory_topic(company: Company, topic: Topic) -> None:
    with company.scope():
        row = TopicSubscriptionFactory(topic=topic, address=ANN, membership=None)
    send(company, topic)
    link = link_in(last_mail().body)
    with company.scope():
        Topic.objects.update(is_mandatory=True)
    send(company, topic)
    assert "List-Unsubscribe" not in last_mail().extra_headers and "/subscriptions/" not in last_mail().body
    answer = Client().post(link, ONE_CLICK)
    assert answer.status_code == 400 and "nobody leaves it" in answer.content.decode()
    assert state(company, {"id": row.pk}) == "confirmed"


# --- Sending ----------------------------------------------------------------------------------------------


def test_a_message_of_ones_own_goes_to_each_subscriber_once_for_a_key(company: Company, topic: Topic) -> None:
    with company.scope():
        TopicSubscriptionFactory.create_batch(2, topic=topic)
        TopicSubscriptionFactory(topic=topic, status="pending")
    assert send(company, topic, dedupe_key="monday").json() == {"told": 2}
    assert send(company, topic, dedupe_key="monday").json() == {"told": 0}
    assert send(company, topic).json() == {"told": 2}
    again = {"headers": {"Idempotency-Key": str(uuid4())}}
    url, body = f"{V1}topics/{topic.pk}/send/", {"subject": "Once", "body": "Only."}
    answers = [company.api.send("post", url, body, **again) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"told": 2}, {"told": 2}]
    with company.scope():
        assert NotificationDelivery.objects.filter(subject="Once").count() == 2
    assert_problem(company.api_as(VIEWER).send("post", url, body), 403)
    assert_problem(company.api.send("post", url, {"subject": "No body"}), 400)


# --- In the admin -----------------------------------------------------------------------------------------


def test_the_admin_asks_asks_again_and_sends(company: Company, topic: Topic) -> None:
    browser = company.admin_as(MANAGER)
    base = "/admin/notifications/topicsubscription/"
    form = {"topic": str(topic.pk), "channel": "email", "address": ANN, "membership": "", "status": "pending"}
    wrong = browser.post(f"{base}add/", {**form, "address": "nobody"})
    assert wrong.status_code == 200 and "valid email address" in wrong.content.decode()
    assert browser.post(f"{base}add/", form).status_code == 302
    with company.scope():
        row = TopicSubscription.objects.get(address=ANN)
    again = browser.post(f"{base}{row.pk}/resend/", follow=True)
    assert "was asked a moment ago" in again.content.decode()
    Client().post(link_in(last_mail().body))
    assert state(company, {"id": row.pk}) == "confirmed"
    page = f"/admin/notifications/topic/{topic.pk}/send/"
    assert "Subject" in browser.get(page).content.decode()
    sent = browser.post(page, {"subject": "Closed", "body": "We count."}, follow=True)
    assert "It goes to 1 subscriber." in sent.content.decode()
    assert last_mail().subject == "Closed"
    assert company.admin_as(VIEWER).get(page).status_code == 403


def test_a_line_of_the_topics_page_is_asked_too(company: Company, topic: Topic) -> None:
    line = {"id": "", "channel": "email", "address": ANN, "membership": "", "status": "pending"}
    counts = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    form = {"key": "news", "name": "News", "category": ""}
    form |= {f"subscriptions-{name}": value for name, value in counts.items()}
    form |= {f"subscriptions-0-{name}": value for name, value in line.items()}
    assert company.admin.post(f"/admin/notifications/topic/{topic.pk}/change/", form).status_code == 302
    assert "Open this link" in last_mail().body

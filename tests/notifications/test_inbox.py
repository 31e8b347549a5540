"""What a topic tells reaches the inbox of its subscribers, who work through it: each through their own."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from notifications.models import Notification, NotificationDelivery, Topic, TopicSubscription
from notifications.services.messages import About, delivery_send, notify, topic_ensure
from tests.companies import Company
from tests.factories.notifications import NotificationDeliveryFactory

INBOX = "/api/v1/my/notifications/"
COUNT = f"{INBOX}unread-count/"


def member_of(company: Company, role: str = "admin") -> Membership:
    return Membership.objects.get(user_id=company.members[role].user.pk)


def subscribe(company: Company, *roles: str) -> Topic:
    with company.scope():
        topic = topic_ensure(key="news", name="News", category="operations")
        pk = {role: str(member_of(company, role).pk) for role in roles}
    for role in roles:
        body = {"topic": str(topic.pk), "channel": "inbox", "membership": pk[role]}
        answer = company.api.send("post", "/api/v1/topic-subscriptions/", body)
        assert (answer.status_code, answer.json()["status"]) == (201, "confirmed"), answer.json()
    return topic


def tell(company: Company, subject: str = "Buy screws", *, key: str = "1", about: About = About()) -> int:  # noqa: B008
    with company.scope():
        return notify(topic="news", subject=subject, body="Few are left.", dedupe_key=key, about=about)


def listed(company: Company, role: str = "admin", **query: Any) -> list[dict[str, Any]]:
    answer = company.api_as(role).get(INBOX, query)
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def unread(company: Company, role: str = "admin") -> int:
    return company.api_as(role).get(COUNT).json()["unread"]


def test_a_message_reaches_the_inbox_at_once_and_each_subscribers_alone(acme: Company, bolt: Company) -> None:
    subscribe(acme, "admin", "viewer")
    subscribe(bolt, "admin")
    assert tell(acme, about=About("critical", "/admin/")) == 2
    [mine], [theirs] = listed(acme), listed(acme, "viewer")
    assert (mine["title"], mine["body"]) == ("Buy screws", "Few are left.")
    assert (mine["category"], mine["severity"]) == ("operations", "critical")
    assert mine["id"] != theirs["id"]
    assert not listed(acme, "manager") and not listed(bolt)
    for company, role in ((acme, "manager"), (bolt, "admin")):
        for method, verb in (("get", ""), ("post", "read/"), ("post", "archive/")):
            assert company.api_as(role).send(method, f"{INBOX}{mine['id']}/{verb}").status_code == 404
    with acme.scope():
        assert {row.status for row in NotificationDelivery.objects.filter(channel="inbox")} == {"sent"}
        assert Notification.objects.get(pk=mine["id"]).read_at is None


def test_it_is_worked_through(acme: Company) -> None:
    subscribe(acme, "admin")
    for number in range(3):
        tell(acme, f"News {number}", key=str(number))
    assert [row["title"] for row in listed(acme)] == ["News 2", "News 1", "News 0"]
    first, second, third = (row["id"] for row in listed(acme))
    post = acme.api.send
    assert post("post", f"{INBOX}{first}/read/").json()["read_at"]
    assert (unread(acme), [row["id"] for row in listed(acme, **{"is": "unread"})]) == (2, [second, third])
    assert post("post", f"{INBOX}{first}/read/", {"is_read": False}).json()["read_at"] is None
    post("post", f"{INBOX}{first}/archive/")
    until = timezone.now() + timedelta(hours=1)
    post("post", f"{INBOX}{second}/snooze/", {"until": until.isoformat()})
    assert (unread(acme), [row["id"] for row in listed(acme)]) == (1, [third])
    assert [row["id"] for row in listed(acme, **{"is": "snoozed"})] == [second]
    assert [row["id"] for row in listed(acme, **{"is": "archived"})] == [first]
    assert post("post", f"{INBOX}read-all/").json() == {"read": 1}
    with acme.scope():
        Notification.objects.filter(pk=second).update(snoozed_until=timezone.now() - timedelta(seconds=1))
    assert (unread(acme), [row["id"] for row in listed(acme)]) == (1, [third, second][::-1])


def test_one_open_message_about_a_thing(acme: Company) -> None:
    subscribe(acme, "admin")
    tell(acme, "It burns", key="1", about=About(key="fire"))
    [row] = listed(acme)
    acme.api.send("post", f"{INBOX}{row['id']}/read/")
    tell(acme, "It is out", key="2", about=About(key="fire"))
    [again] = listed(acme)
    assert (again["id"], again["title"], again["read_at"]) == (row["id"], "It is out", None)
    acme.api.send("post", f"{INBOX}{row['id']}/archive/")
    tell(acme, "It burns again", key="3", about=About(key="fire"))
    assert [one["title"] for one in listed(acme)] == ["It burns again"]


def test_a_message_that_was_written_for_one_subscriber_comes_there_too(acme: Company, mailoutbox: list[Any]) -> None:
    topic = subscribe(acme, "admin")
    with acme.scope():
        own = TopicSubscription.objects.get(topic=topic)
        row = NotificationDeliveryFactory(subscription=own, channel="inbox", address=own.address, subject="For you")
        assert delivery_send(delivery_id=row.pk, is_last_attempt=False, commit=lambda: None) == "sent"
    assert ([one["title"] for one in listed(acme)], mailoutbox) == (["For you"], [])


def test_pages_go_by_a_cursor(acme: Company) -> None:
    subscribe(acme, "admin")
    for number in range(5):
        tell(acme, f"News {number}", key=str(number))
    seen, url = [], f"{INBOX}?limit=2"
    while url:
        page = acme.api.get(url).json()
        seen += [row["title"] for row in page["results"]]
        url = page["next"]
    assert seen == [f"News {number}" for number in range(4, -1, -1)]


def test_the_count_is_one_cheap_statement_and_knows_when_nothing_changed(acme: Company) -> None:
    subscribe(acme, "admin")
    tell(acme)
    with CaptureQueriesContext(connection) as queries:
        answer = acme.api.get(COUNT)
    assert sum("notifications_notification" in query["sql"] for query in queries) == 1
    again = acme.api.get(COUNT, headers={"If-None-Match": answer.headers["ETag"]})
    assert (answer.json(), again.status_code) == ({"unread": 1}, 304)
    tell(acme, key="2")
    assert acme.api.get(COUNT, headers={"If-None-Match": answer.headers["ETag"]}).json() == {"unread": 2}


@pytest.mark.parametrize(("body", "pointer"), [
    ({"channel": "inbox"}, "/membership"),
    ({"channel": "email"}, "/address"),
    ({"channel": "inbox", "membership": "01a21f13-a535-763a-97c2-49bbe39dd1dd"}, "/membership"),
])
def test_an_inbox_is_a_members(body: dict[str, str], pointer: str, acme: Company) -> None:
    with acme.scope():
        topic = topic_ensure(key="news", name="News")
    answer = acme.api.send("post", "/api/v1/topic-subscriptions/", {"topic": str(topic.pk), **body})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_a_key_has_no_inbox_and_a_time_gone_by_is_no_snooze(acme: Company) -> None:
    key = acme.api_by_key("notifications.view_notification")
    assert "sign in as a person" in key.get(INBOX).json()["detail"]
    subscribe(acme, "admin")
    tell(acme)
    [row] = listed(acme)
    answer = acme.api.send("post", f"{INBOX}{row['id']}/snooze/", {"until": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/until")
    assert acme.api.get(INBOX, {"is": "lost"}).status_code == 400


# --- The pages --------------------------------------------------------------------------------------------
def test_the_page_reads_archives_and_puts_off(acme: Company) -> None:
    subscribe(acme, "admin")
    for number in range(3):
        tell(acme, f"News {number}", key=str(number), about=About(link="/admin/inbox/"))
    page = acme.admin.get("/admin/inbox/")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'aria-label="Inbox, 3 unread"' in text and text.index("News 2") < text.index("News 0")
    first, second, third = (row["id"] for row in listed(acme))
    assert acme.admin.get(f"/admin/inbox/{first}/").headers["Location"] == "/admin/inbox/"
    acme.admin.post("/admin/inbox/", {"do": "archive", "id": second})
    acme.admin.post("/admin/inbox/", {"do": "tomorrow", "id": third})
    assert (unread(acme), [row["id"] for row in listed(acme)]) == (0, [first])
    acme.admin.post("/admin/inbox/", {"do": "unread", "id": first})
    acme.admin.post("/admin/inbox/", {"do": "read-all"})
    assert unread(acme) == 0
    assert acme.admin_as("viewer").post("/admin/inbox/", {"do": "archive", "id": first}).status_code == 404
    assert acme.admin.get(f"/admin/inbox/{third}/").status_code == 302


def test_a_page_costs_one_statement_more_for_the_bell(acme: Company) -> None:
    acme.admin.get("/admin/my-notifications/")
    admin = acme.admin
    with CaptureQueriesContext(connection) as queries:
        admin.get("/admin/my-notifications/")
    assert sum("notifications_notification AS n" in query["sql"] for query in queries) == 1


def test_the_bell_of_an_open_page_asks_for_what_is_new(acme: Company) -> None:
    subscribe(acme, "admin")
    tell(acme)
    bell, admin = "/admin/inbox/bell/", acme.admin
    assert 'aria-label="Inbox, 1 unread"' in admin.get(f"{bell}?shown=0").content.decode()
    with CaptureQueriesContext(connection) as queries:
        assert admin.get(f"{bell}?shown=1").status_code == 204
    asked = [query["sql"] for query in queries if not re.search("SAVEPOINT|set_config", query["sql"])]
    assert len(asked) == 4 and "notifications_notification AS n" in asked[-1], "session, person, scope; and the number"
    assert acme.admin_as("viewer").get(f"{bell}?shown=0").status_code == 204, "each their own"
    assert Client().get(bell).status_code == 302


def test_people_choose_topics_and_how_often(acme: Company) -> None:
    topic = subscribe(acme)
    page = "/admin/my-notifications/"
    assert acme.admin.get(page).status_code == 200
    acme.admin.post(page, {"do": "on", "topic": str(topic.pk), "channel": "inbox"})
    acme.admin.post(page, {"do": "on", "topic": str(topic.pk), "channel": "email"})
    tell(acme)
    assert [row["title"] for row in listed(acme)] == ["Buy screws"]
    acme.admin.post(page, {"do": "off", "topic": str(topic.pk), "channel": "email"})
    with acme.scope():
        assert dict(TopicSubscription.objects.filter(topic=topic).values_list("channel", "status")) == {
            "inbox": "confirmed", "email": "unsubscribed",
        }
    form = {
        "do": "add", "category": "operations", "channel": "email", "mode": "daily", "send_at": "07:30", "send_on": "1",
        "quiet_from": "", "quiet_to": "",
    }
    assert acme.admin.post(page, form).status_code == 302
    assert acme.admin.post(page, {**form, "mode": "weekly"}).status_code == 302
    preferences = acme.api.get("/api/v1/my/notification-preferences/").json()["results"]
    assert [(row["category"], row["mode"], row["send_at"]) for row in preferences] == [("operations", "weekly", "07:30:00")]
    assert not acme.api_as("viewer").get("/api/v1/my/notification-preferences/").json()["results"]
    refused = acme.admin.post(page, {**form, "quiet_from": "22:00"})
    assert (refused.status_code, "Quiet hours" in refused.content.decode()) == (200, True)
    acme.admin.post(page, {"do": "forget", "id": preferences[0]["id"]})
    assert not acme.api.get("/api/v1/my/notification-preferences/").json()["results"]


def test_preferences_are_each_persons_own(acme: Company) -> None:
    url = "/api/v1/my/notification-preferences/"
    made = acme.api_as("viewer").send("post", url, {"channel": "email", "mode": "daily"})
    assert made.status_code == 201, made.json()
    row = f"{url}{made.json()['id']}/"
    assert acme.api.get(row).status_code == 404
    for method in ("patch", "delete"):
        assert acme.api.send(method, row, {"mode": "off"}).status_code == 404
    assert acme.api_as("viewer").send("patch", row, {"mode": "off"}).json()["mode"] == "off"
    assert acme.api_as("viewer").send("delete", row).status_code == 204
    for body in ({"channel": "sms", "mode": "daily"}, {"channel": "email", "quiet_from": "22:00:00"}):
        assert acme.api.send("post", url, body).status_code == 400



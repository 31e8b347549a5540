"""Rules watch numbers: what lasts opens one alert, which is told, answered, and resolves itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from notifications.measuring import Wanted, measure, metrics
from notifications.models import Alert, AlertRule, Job, Notification, OutboxEvent, Topic, TopicSubscription
from notifications.services.alerting import alerts_evaluate, alerts_evaluate_everywhere
from tests.companies import Company
from tests.factories.notifications import JobFactory
from tests.notifications.at_work import quiet
from tests.notifications.forks import ended, forks

RULES, ALERTS = "/api/v1/alert-rules/", "/api/v1/alerts/"


@pytest.fixture
def company(acme: Company) -> Company:
    """Its Admin reads the topic in the inbox."""
    with acme.scope():
        topic = Topic.objects.create(key="trouble", name="Trouble", category="operations")
        member = Membership.objects.get(user_id=acme.user.pk)
        TopicSubscription.objects.create(topic=topic, channel="inbox", address="a", membership=member, status="confirmed")
        Job.objects.filter(status__in=["dead", "failed"]).update(status="cancelled")
    return acme


def rule(company: Company, **values: Any) -> str:
    with company.scope():
        topic = Topic.objects.get(key="trouble")
    body = {"name": "Dead letters", "metric": "dead_letters", "topic": str(topic.pk), "severity": "critical", **values}
    answer = company.api.send("post", RULES, body)
    assert answer.status_code == 201, answer.json()
    return answer.json()["id"]


def break_jobs(company: Company, number: int = 1) -> None:
    with company.scope():
        JobFactory.create_batch(number, status="dead", finished_at=timezone.now(), parent=None)


def mend(company: Company) -> None:
    with company.scope():
        Job.objects.filter(status="dead").update(status="cancelled")


def evaluate(company: Company) -> int:
    with company.scope():
        return alerts_evaluate()


def alerts(company: Company) -> list[Alert]:
    with company.scope():
        return list(Alert.objects.order_by("id"))


def told(company: Company) -> list[str]:
    with company.scope():
        return [f"{row.title}" for row in Notification.objects.filter(archived_at=None, read_at=None)]


def events(company: Company) -> list[str]:
    with company.scope():
        return list(OutboxEvent.objects.filter(type__startswith="alert.").order_by("seq").values_list("type", flat=True))


def pass_minutes(company: Company, minutes: int) -> None:
    """For what is there."""
    with company.scope():
        for alert in Alert.objects.exclude(status="resolved"):
            for name in ("created_at", "opened_at", "told_at", "silenced_until"):
                if moment := getattr(alert, name):
                    Alert.objects.filter(pk=alert.pk).update(**{name: moment - timedelta(minutes=minutes)})


def test_an_alert_opens_is_told_once_and_resolves_itself(company: Company) -> None:
    rule(company)
    assert evaluate(company) == 0
    break_jobs(company, 3)
    assert (evaluate(company), evaluate(company)) == (1, 0)
    [alert] = alerts(company)
    assert (alert.status, alert.title, alert.value, alert.times_told) == ("open", "Dead letters: above 0", 3, 1)
    assert told(company) == ["Critical: Dead letters: above 0"]
    mend(company)
    assert (evaluate(company), evaluate(company)) == (1, 0)
    [alert] = alerts(company)
    assert alert.status == "resolved" and alert.resolved_at
    assert told(company) == ["Resolved: Dead letters: above 0"]
    assert events(company) == ["alert.opened", "alert.resolved"]
    break_jobs(company)
    assert evaluate(company) == 1
    assert [row.status for row in alerts(company)] == ["resolved", "open"]


def test_what_flaps_opens_nothing_and_what_lasts_does(company: Company) -> None:
    rule(company, for_minutes=10)
    for _ in range(3):
        break_jobs(company)
        assert evaluate(company) == 0
        pass_minutes(company, 6)
        mend(company)
        assert evaluate(company) == 0
    assert (alerts(company), told(company), events(company)) == ([], [], [])
    break_jobs(company)
    evaluate(company)
    assert [row.status for row in alerts(company)] == ["pending"]
    pass_minutes(company, 10)
    assert evaluate(company) == 1
    assert [row.status for row in alerts(company)] == ["open"]


def test_it_is_told_again_until_somebody_is_at_it(company: Company) -> None:
    rule(company, renotify_minutes=60)
    break_jobs(company)
    evaluate(company)
    pass_minutes(company, 59)
    evaluate(company)
    assert alerts(company)[0].times_told == 1
    pass_minutes(company, 1)
    evaluate(company)
    assert alerts(company)[0].times_told == 2
    url = f"{ALERTS}{alerts(company)[0].pk}/"
    answer = company.api.send("post", f"{url}acknowledge/", {"note": "On it"}).json()
    assert (answer["status"], answer["note"], bool(answer["acknowledged_by"])) == ("acknowledged", "On it", True)
    pass_minutes(company, 600)
    evaluate(company)
    assert alerts(company)[0].times_told == 2
    mend(company)
    assert evaluate(company) == 1
    refused = company.api.send("post", f"{url}acknowledge/")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")


def test_silenced_it_says_nothing_and_comes_back(company: Company) -> None:
    rule(company)
    break_jobs(company)
    evaluate(company)
    url = f"{ALERTS}{alerts(company)[0].pk}/silence/"
    until = timezone.now() + timedelta(hours=2)
    assert company.api.send("post", url, {"until": until.isoformat()}).json()["status"] == "silenced"
    pass_minutes(company, 60)
    evaluate(company)
    assert (alerts(company)[0].status, alerts(company)[0].times_told) == ("silenced", 1)
    pass_minutes(company, 60)
    evaluate(company)
    assert (alerts(company)[0].status, alerts(company)[0].times_told) == ("open", 2)
    company.api.send("post", url, {"until": until.isoformat()})
    company.api.send("post", "/api/v1/my/notifications/read-all/")
    mend(company)
    assert evaluate(company) == 1
    assert told(company) == []
    for wrong in (timezone.now() - timedelta(hours=1), timezone.now() + timedelta(days=31)):
        assert company.api.send("post", url, {"until": wrong.isoformat()}).status_code == 400


@pytest.mark.parametrize("change", [{"is_active": False}, None])
def test_a_rule_that_goes_takes_its_alert_along(company: Company, change: dict[str, Any] | None) -> None:
    made = rule(company)
    break_jobs(company)
    evaluate(company)
    assert company.api.send("patch" if change else "delete", f"{RULES}{made}/", change).status_code in (200, 204)
    assert evaluate(company) == 1
    assert [row.status for row in alerts(company)] == ["resolved"]


def test_a_share_needs_something_to_be_a_share_of(company: Company) -> None:
    made = rule(company, metric="jobs_failed_percent", comparator="gte", threshold="25", window_minutes=30)
    with company.scope():
        Job.objects.update(finished_at=None)
    assert company.api.get(f"{RULES}{made}/value/").json() == {"value": None}
    assert evaluate(company) == 0
    with company.scope():
        JobFactory.create_batch(3, status="succeeded", finished_at=timezone.now(), parent=None)
        JobFactory(status="failed", finished_at=timezone.now(), parent=None)
        JobFactory(status="failed", finished_at=timezone.now() - timedelta(minutes=31), parent=None)
    assert company.api.get(f"{RULES}{made}/value/").json() == {"value": "25.000000"}
    assert evaluate(company) == 1


def test_every_metric_is_measured_in_one_statement(company: Company) -> None:
    wanted = {Wanted(key, 60) for key in metrics()} | {Wanted("jobs_failed", 5)}
    with company.scope(), CaptureQueriesContext(connection) as queries:
        found = measure(wanted)
    assert len(queries) == 1 and set(found) == wanted
    assert {"dead_letters", "low_stock", "orders_stuck", "lines_below_cost"} <= metrics().keys()


def test_a_tick_costs_four_statements_however_many_rules(company: Company) -> None:
    assert company.api.send("post", f"{RULES}add-presets/").status_code == 200
    evaluate(company)
    with company.scope(), CaptureQueriesContext(connection) as queries:
        alerts_evaluate()
    assert len([one for one in queries if "SAVEPOINT" not in one["sql"]]) == 4


def test_presets_by_one_call(company: Company) -> None:
    made = company.api.send("post", f"{RULES}add-presets/").json()["results"]
    assert {"Dead letters", "Orders stand still", "Sold below cost"} <= {row["name"] for row in made}
    assert company.api.send("post", f"{RULES}add-presets/").json() == {"results": []}
    assert company.api_as("viewer").send("post", f"{RULES}add-presets/").status_code == 403
    known = company.api.get("/api/v1/alert-metrics/").json()["results"]
    assert {row["metric"] for row in made} <= {row["key"] for row in known}


def test_a_metric_that_there_is_not_is_refused(company: Company) -> None:
    with company.scope():
        topic = Topic.objects.get(key="trouble")
    answer = company.api.send("post", RULES, {"name": "x", "metric": "happiness", "topic": str(topic.pk)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/metric")
    assert "dead_letters" in answer.json()["errors"][0]["detail"]


def test_alerts_are_of_one_organization(company: Company, bolt: Company) -> None:
    rule(company)
    break_jobs(company)
    evaluate(company)
    assert len(company.api.get(ALERTS).json()["results"]) == 1
    assert not bolt.api.get(ALERTS).json()["results"]
    assert bolt.api.send("post", f"{ALERTS}{alerts(company)[0].pk}/acknowledge/").status_code == 404
    assert company.api_as("viewer").send("post", f"{ALERTS}{alerts(company)[0].pk}/acknowledge/").status_code == 403


def test_two_evaluators_at_once_open_one_alert(new_company: Callable[[], Company]) -> None:
    quiet()
    made = new_company()
    with made.scope():
        topic = Topic.objects.get(key="ops-critical")
        for number in range(10):
            AlertRule.objects.create(name=f"Rule {number}", metric="dead_letters", topic=topic)
    break_jobs(made)

    def work() -> None:
        for _ in range(5):
            with made.scope():
                alerts_evaluate()

    with forks() as fork:
        ended([fork(work) for _ in range(3)])
    assert [(row.status, row.times_told) for row in alerts(made)] == [("open", 1)] * 10
    assert events(made) == ["alert.opened"] * 10


def test_every_organization_is_looked_at_by_the_clock(new_company: Callable[[], Company]) -> None:
    quiet()
    made, silent = new_company(), new_company()
    with made.scope():
        AlertRule.objects.create(name="Dead letters", metric="dead_letters", topic=Topic.objects.get(key="ops-critical"))
    for one in (made, silent):
        break_jobs(one)
    assert alerts_evaluate_everywhere() >= 1
    assert [row.status for row in alerts(made)] == ["open"]
    assert alerts(silent) == []


# --- The pages --------------------------------------------------------------------------------------------
def test_the_admin_adds_presets_and_answers(company: Company) -> None:
    page = "/admin/notifications/alertrule/"
    assert company.admin.get(f"{page}add/").status_code == 200
    assert company.admin.post(f"{page}add-presets/").status_code == 302
    break_jobs(company)
    assert evaluate(company) >= 1
    alert = next(row for row in alerts(company) if row.title.startswith("Dead letters"))
    url = f"/admin/notifications/alert/{alert.pk}/"
    assert company.admin.get(f"{url}change/").status_code == 200
    assert company.admin.get(f"{url}silence/").status_code == 200
    assert company.admin.post(f"{url}acknowledge/", {"note": "On it"}).status_code == 302
    assert company.admin.post(f"{url}silence/", {"note": "", "hours": "2"}).status_code == 302
    [after] = [row for row in alerts(company) if row.pk == alert.pk]
    assert (after.status, after.note) == ("silenced", "On it")

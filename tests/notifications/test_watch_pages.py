"""Sources and watches as people and programs handle them: the API and the admin."""

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse

from accounts.permissions import MANAGER
from notifications.models import ExternalSource
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.notifications.at_work import quiet, run_all
from tests.notifications.receiver import Receiver
from tests.notifications.source_kit import hits, member, priced, source, subject, watch

URL = "/api/v1/watches/"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def test_one_watches_for_oneself_and_checks_at_once(company: Company, listener: Receiver) -> None:
    of = subject(company, source(company, listener, default_ttl=600))
    api = company.api_as(MANAGER)
    answer = api.send("post", URL, {"subject": str(of.pk), "condition": "appears"})
    assert answer.status_code == 201 and answer.json()["membership"] == str(member(company).pk)
    listener.answer = lambda request: priced(12.5)
    url = f"{URL}{answer.json()['id']}/"
    for _ in range(2):
        begun = api.send("post", f"{url}check/")
        assert begun.status_code == 202
        run_all()
        assert api.get(begun.headers["Location"]).json()["status"] == "succeeded"
    assert len(listener.received) == 2  # though the first answer is fresh
    shown = api.get(url).json()
    assert (shown["last_found"], shown["last_value"], shown["last_error"]) == (True, 12.5, "")
    [hit] = api.get("/api/v1/watch-hits/", {"watch": shown["id"]}).json()["results"]
    assert (hit["before"], hit["after"], bool(hit["notification"])) == (None, 12.5, True)
    assert api.send("patch", url, {"name": "Copper"}).status_code == 200


def test_what_is_wrong_is_said(acme: Company, listener: Receiver) -> None:
    of = subject(acme, source(acme, listener))
    problem = assert_problem(acme.api.send("post", URL, {"subject": str(of.pk), "condition": "crosses"}), 400)
    assert "has a threshold" in str(problem)
    key = acme.api_by_key("notifications.add_watch")
    assert_problem(key.send("post", URL, {"subject": str(of.pk)}), 403, "no_member")
    body = {"source": str(of.source_id), "kind": "map", "external_id": "x", "label": "X"}
    problem = assert_problem(acme.api.send("post", "/api/v1/external-subjects/", body), 400, "unknown_kind")
    assert pointers(problem) == {"/kind"} and "Known: price, recall" in problem["detail"]
    body |= {"kind": "price", "external_id": ".."}
    assert pointers(assert_problem(acme.api.send("post", "/api/v1/external-subjects/", body), 400)) == {"/external_id"}


def test_a_source_is_entered_and_a_watch_checked_in_the_admin(company: Company, listener: Receiver) -> None:
    add = {
        "name": "Feed", "adapter": "http_json", "base_url": f"http://127.0.0.1:{listener.port}", "timeout": "10",
        "kinds": '{"price": {"path": "/p/{id}", "value": "price"}}', "credential_header": "X-Key", "given_credential": "k-1",
        "default_ttl": "0", "stale_seconds": "60", "is_active": "on",
    }  # fmt: skip
    page = company.admin.post(reverse("admin:notifications_externalsource_add"), add)
    assert page.status_code == 302, page.content
    with company.scope():
        made = ExternalSource.objects.get()
    change_page = reverse("admin:notifications_externalsource_change", args=[made.pk])
    assert company.admin.post(change_page, {**add, "given_credential": "", "timeout": "5"}).status_code == 302
    shown = company.admin.get(change_page).content.decode()
    assert "k-1" not in shown and "Answers" in shown
    wrong = {"source": str(made.pk), "kind": "map", "external_id": "x", "label": "X", "attributes": "{}"}
    refused = company.admin.post(reverse("admin:notifications_externalsubject_add"), wrong)
    assert refused.status_code == 200 and "has no kind" in refused.content.decode()
    listener.answer = lambda request: priced(1)
    row = watch(company, subject(company, made), "appears", membership=member(company))
    begun = company.admin.post(reverse("admin:notifications_watch_check_now", args=[row.pk]))
    assert begun.status_code == 302
    run_all()
    assert len(hits(company)) == 1 and listener.received[0].headers["x-key"] == "k-1"

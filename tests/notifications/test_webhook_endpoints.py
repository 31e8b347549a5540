"""Endpoints by the API and in the admin: what is shown once, and what is done to them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import AuditEntry
from core.sealing import unseal
from notifications.models import WebhookEndpoint, WebhookHealth
from notifications.models.webhooks import validate_webhook_url
from notifications.services.webhooks import PURPOSE
from tests.admin.pages import text
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.notifications import DeliveryAttemptFactory
from tests.notifications.receiver import Receiver
from tests.notifications.webhook_kit import deliver, endpoint, verified

ENDPOINTS, ADMIN = "/api/v1/webhook-endpoints/", "/admin/notifications/webhookendpoint/"
URL = "https://receiver.example.test/hooks"


def act(company: Company, made: Any, action: str, body: Any = None, role: str = "admin") -> Any:
    return company.api_as(role).send("post", f"{ENDPOINTS}{made.row.pk}/{action}/", body)


def test_the_secret_is_shown_once_and_kept_sealed(acme: Company) -> None:
    response = acme.api.send("post", ENDPOINTS, {"name": "Shop", "url": URL})
    assert response.status_code == 201 and response.headers["Cache-Control"] == "no-store"
    made = response.json()
    assert made["secret"].startswith("whsec_") and len(made["secret"]) == len("whsec_") + 44
    assert response.headers["Location"].endswith(f"{ENDPOINTS}{made['id']}/")
    shown = acme.api.get(f"{ENDPOINTS}{made['id']}/").json()
    assert "secret" not in shown and {**shown, "secret": made["secret"]} == made
    with acme.scope():
        row = WebhookEndpoint.objects.get()
        assert unseal(row.secret, purpose=PURPOSE).decode() == made["secret"]
        trail = str(list(AuditEntry.objects.filter(row_id=row.pk).values_list("changes", flat=True)))
    assert made["secret"][6:] not in trail and bytes(row.secret).hex() not in trail


def test_a_rotation_shows_the_new_secret_once(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    response = act(acme, made, "rotate-secret", {"overlap_hours": 2})
    assert response.status_code == 200 and response.headers["Cache-Control"] == "no-store"
    new = response.json()
    left = datetime.fromisoformat(new["previous_secret_until"]) - timezone.now()
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)
    deliver(acme, made)
    assert verified(listener.received[0], made.secret) == verified(listener.received[0], new["secret"])
    with acme.scope():
        entry = AuditEntry.objects.filter(row_id=made.row.pk, action="update").get()
    assert "secret" in entry.changes and new["secret"][6:] not in str(entry.changes)


def test_a_rotation_without_overlap_ends_the_former_secret(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    new = act(acme, made, "rotate-secret", {"overlap_hours": 0}).json()
    deliver(acme, made)
    assert listener.received[0].headers["webhook-signature"].count("v1,") == 1
    assert verified(listener.received[0], new["secret"]) and new["previous_secret_until"] is None


@pytest.mark.parametrize("hours", [-1, 721, "x", None])
def test_refuses_another_overlap(hours: Any, acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    assert pointers(assert_problem(act(acme, made, "rotate-secret", {"overlap_hours": hours}), 400)) == {"/overlap_hours"}


@pytest.mark.parametrize("url", [
    "http://example.com/", "https://10.0.0.1/", "https://me:x@example.com/", "https://intranet/", "x",
])  # fmt: skip
def test_an_address_that_is_none_of_ours_is_refused(url: str, acme: Company, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS, settings.WEBHOOKS_BY_HTTP = [], False
    response = acme.api.send("post", ENDPOINTS, {"name": "Shop", "url": url})
    assert pointers(assert_problem(response, 400)) == {"/url"}
    response = acme.admin.post(f"{ADMIN}add/", {"name": "Shop", "url": url, "max_attempts": 8})
    assert response.status_code == 200 and response.context["adminform"].form.errors["url"]
    with acme.scope():
        assert not WebhookEndpoint.objects.exists()


def test_http_is_for_tests_on_loopback(settings: Any) -> None:
    validate_webhook_url("http://127.0.0.1:9000/hooks")
    settings.WEBHOOKS_BY_HTTP = False
    with pytest.raises(ValidationError):
        validate_webhook_url("http://127.0.0.1:9000/hooks")


def test_the_test_event_says_how_it_went(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    listener.reply(200, body=b"thanks")
    found = act(acme, made, "test").json()
    assert (found["is_taken"], found["status_code"], found["response_excerpt"], found["error"]) == (True, 200, "thanks", "")
    [request] = listener.received
    assert request.id == found["message_id"]
    sent = verified(request, made.secret)
    assert sent["type"] == "webhook.test" and sent["id"] == found["message_id"] and sent["aggregate_id"] == str(made.row.pk)
    listener.reply(500, body=b"no")
    found = act(acme, made, "test").json()
    assert (found["is_taken"], found["status_code"], found["response_excerpt"]) == (False, 500, "no")
    with acme.scope():
        assert not WebhookHealth.objects.exists()  # a test is nobody's failure


def test_is_disabled_and_enabled(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    assert_problem(act(acme, made, "enable"), 409)
    shown = act(acme, made, "disable", {"reason": "They move."}).json()
    assert shown["disabled_at"] and shown["disabled_reason"] == "They move."
    assert deliver(acme, made).status == "dead" and not listener.received
    assert acme.api.get(f"{ENDPOINTS}{made.row.pk}/health/").json()["state"] == "disabled"
    assert act(acme, made, "test").json()["is_taken"]
    shown = act(acme, made, "enable").json()
    assert (shown["disabled_at"], shown["disabled_reason"]) == (None, "")
    assert deliver(acme, made).status == "delivered"


def test_health_is_told_and_forgotten_with_the_address(acme: Company, listener: Receiver, settings: Any) -> None:
    settings.WEBHOOK_CIRCUIT_FAILURES = 2
    made, api = endpoint(acme, listener.url), acme.api
    health = f"{ENDPOINTS}{made.row.pk}/health/"
    assert api.get(health).json() == {
        "state": "healthy", "failures": 0, "failing_since": None, "closed_until": None,
        "disabled_at": None, "disabled_reason": "",
    }
    listener.reply(500, 500)
    deliver(acme, made)
    assert api.get(health).json()["state"] == "failing"
    deliver(acme, made)
    found = api.get(health).json()
    assert (found["state"], found["failures"]) == ("circuit_open", 2) and found["closed_until"]
    api.send("patch", f"{ENDPOINTS}{made.row.pk}/", {"name": "Market"})
    assert api.get(health).json()["state"] == "circuit_open"
    api.send("patch", f"{ENDPOINTS}{made.row.pk}/", {"url": f"{listener.url}/new"})
    assert api.get(health).json()["state"] == "healthy"


@pytest.mark.parametrize("action", ["rotate-secret", "test", "enable", "disable"])
def test_where_events_go_is_for_an_admin_to_say(action: str, acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    for role in ("manager", "viewer"):
        assert_problem(act(acme, made, action, role=role), 403)
    assert not listener.received


def test_an_endpoint_of_another_organization_is_not_found(acme: Company, bolt: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    for action in ("rotate-secret", "test", "enable", "disable"):
        assert_problem(act(bolt, made, action), 404)
    assert_problem(bolt.api.get(f"{ENDPOINTS}{made.row.pk}/health/"), 404)
    assert not listener.received


def test_attempts_are_listed_by_delivery(acme: Company) -> None:
    with acme.scope():
        one, _ = DeliveryAttemptFactory.create_batch(2)
    [found] = acme.api.get("/api/v1/delivery-attempts/", {"delivery": str(one.delivery_id)}).json()["results"]
    assert found["id"] == str(one.pk) and found["status_code"] == 500


# --- The admin --------------------------------------------------------------------------------------------


def test_the_admin_shows_the_secret_once(acme: Company) -> None:
    client = acme.admin
    response = client.post(f"{ADMIN}add/", {"name": "Shop", "url": URL, "max_attempts": 8, "max_per_second": ""})
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    secret = response.context["secret"]
    assert secret.startswith("whsec_") and secret in text(response)
    with acme.scope():
        row = WebhookEndpoint.objects.get()
    page = text(client.get(f"{ADMIN}{row.pk}/change/"))
    assert secret[6:] not in page and "Healthy" in page
    rotate = f"{ADMIN}{row.pk}/rotate/"
    assert "Make a new secret?" in text(client.get(rotate))
    with acme.scope():
        assert WebhookEndpoint.objects.get().previous_secret is None  # a link alone does nothing
    rotated = client.post(rotate)
    assert rotated.context["secret"] != secret and rotated.context["secret"] in text(rotated)
    with acme.scope():
        assert unseal(WebhookEndpoint.objects.get().previous_secret, purpose=PURPOSE).decode() == secret


def test_the_admin_tests_disables_and_enables(acme: Company, listener: Receiver) -> None:
    made, client = endpoint(acme, listener.url), acme.admin
    page = f"{ADMIN}{made.row.pk}/"
    assert "Send an event webhook.test" in text(client.get(f"{page}test/")) and not listener.received
    listener.reply(503, body=b"busy")
    assert "It answered 503." in text(client.post(f"{page}test/", follow=True))
    assert "Shop is disabled" in text(client.post(f"{page}disable/", follow=True))
    assert "Disabled: Somebody disabled it." in text(client.get(ADMIN))
    assert "Shop is enabled" in text(client.post(f"{page}enable/", follow=True))
    assert "not disabled" in text(client.post(f"{page}enable/", follow=True))


def test_the_admin_shows_the_latest_attempts(acme: Company) -> None:
    with acme.scope():
        one = DeliveryAttemptFactory(error="It answered 418.")
    page = text(acme.admin.get(f"{ADMIN}{one.delivery.subscription.endpoint_id}/change/"))
    assert "It answered 418." in page and f"/admin/notifications/deliveryattempt/{one.pk}/change/" in page

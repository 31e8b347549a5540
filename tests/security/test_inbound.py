"""Attacks on the one address where strangers may write."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from notifications.models import InboundWebhook, Job
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.contracts.test_addresses import ADDRESSES, url_of
from tests.notifications.senders import hexadecimal, sender, stripe, webhooks


def test_nothing_else_lies_where_no_credentials_are_looked_for() -> None:
    assert [name for name in ADDRESSES if url_of(name).startswith(settings.INBOUND)] == ["inbound"]
    assert settings.INBOUND in settings.OUTSIDE_ORGANIZATIONS


@pytest.mark.parametrize("rest", [
    "../parties/", "%2e%2e/parties/", "..%2fparties%2f", "/parties/", "x/../../parties/", "?a=/parties/",
])  # fmt: skip
def test_no_path_leads_out_of_it(rest: str, acme: Company) -> None:
    for method in ("get", "post", "delete"):
        assert_problem(acme.api.send(method, f"{settings.INBOUND}{rest}"), 404, "unknown_address")


def test_a_secret_of_another_organization_opens_nothing(acme: Company, bolt: Company) -> None:
    one, foreign = sender(acme, secret="the secret of acme"), sender(bolt, secret="the secret of bolt")
    raw = b'{"id": "evt_1"}'
    assert_problem(one.send(raw, stripe(foreign.secret, raw)), 401)
    assert foreign.send(raw).status_code == 202
    assert [row.status for row in webhooks(acme)] == ["rejected"]
    assert [row.external_id for row in webhooks(bolt)] == ["evt_1"]
    assert acme.api.get(f"/api/v1/inbound-webhooks/{webhooks(bolt)[0].pk}/").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_other_methods_do_not_say_whether_a_source_is_there(method: str, acme: Company) -> None:
    urls = (sender(acme).url, f"{settings.INBOUND}00000000-0000-0000-0000-000000000000/")
    assert {Api().send(method, url).status_code for url in urls} == {405}


def test_a_flood_of_signatures_is_not_tried_to_its_end(acme: Company) -> None:
    """The right one among a thousand does not count, and the wrong ones cost little."""
    one = sender(acme)
    raw = b"{}"
    moment, right = stripe(one.secret, raw)["Stripe-Signature"].split(",v0=")[0], hexadecimal(one.secret, b"")
    flood = ",".join([moment, *[f"v1={right}"] * 1000])
    assert_problem(one.send(raw, {"Stripe-Signature": flood}), 401)


def test_a_secret_that_cannot_be_opened_loses_nothing_and_tells_nothing(acme: Company, settings: Any) -> None:
    """After a change of SECRET_KEY: the sender is to try again."""
    one = sender(acme)
    settings.SECRET_KEY = "another key, of fifty characters or more than that"
    problem = assert_problem(one.send({"id": "evt_1"}), 500)
    assert one.secret not in json.dumps(problem) and webhooks(acme) == []


def test_placeholders_in_a_body_stay_what_they_are(acme: Company) -> None:
    one = sender(acme, "hmac", signed_template="{method}{body}", external_id_from="body:id")
    raw = b'{"id": "{body}{timestamp}"}'
    assert one.send(raw, {"X-Signature": hexadecimal(one.secret, b"POST" + raw)}).status_code == 202
    assert webhooks(acme)[0].external_id == "{body}{timestamp}"


def test_what_a_sender_writes_is_text_in_the_admin(acme: Company) -> None:
    one = sender(acme)
    evil = "<script>alert(1)</script>"
    assert one.send({"id": evil, "type": evil, "a": evil}).status_code == 202
    [row] = webhooks(acme)
    for url in ("", f"{row.pk}/change/"):
        page = acme.admin.get(f"/admin/notifications/inboundwebhook/{url}")
        assert page.status_code == 200 and evil not in page.content.decode()


def test_turned_away_a_thousand_times_leaves_a_row(acme: Company) -> None:
    one = sender(acme)
    for number in range(50):
        assert one.send({"id": number}, {"Stripe-Signature": f"t={number},v1=0", "X-Long": "x" * 5000}).status_code == 401
    assert [(row.repeats, row.headers) for row in webhooks(acme)] == [(49, {})]
    with acme.scope():
        assert Job.objects.filter(task__contains="inbound").count() == 0


def spoken(server: str, text: bytes) -> bytes:
    address = urlsplit(server)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("length", [b"999999999", b"262145", b"-1", b"x"])
def test_a_length_that_is_not_true_is_nobodys_crash(length: bytes, server: str, new_company: Any) -> None:
    company = new_company()
    one = sender(company)
    head = f"POST {one.url} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n".encode()
    answer = spoken(server, head + b"Content-Length: " + length + b"\r\n\r\n{}")
    assert answer[9:12] in (b"400", b"401", b"413"), answer
    with company.scope():
        assert InboundWebhook.objects.exclude(status="rejected").count() == 0

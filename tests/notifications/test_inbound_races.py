"""Webhooks over HTTP, by processes that send at once and workers that are killed: each has one effect."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections, transaction

from notifications.models import InboundWebhook, Job, Topic
from notifications.services.inbound import inbound_webhook_process
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.notifications.processes import PROJECT, begin_together, eventually, worker
from tests.notifications.senders import Sender, sender

pytestmark = pytest.mark.once

type NewCompany = Callable[[], Company]

EXPIRE = "UPDATE notifications_job SET heartbeat_at = now() - interval '1 hour' WHERE organization_id = %s AND status = 'running'"


def over_http(server: str, one: Sender, body: Any) -> tuple[int, dict[str, Any]]:
    raw = json.dumps(body).encode()
    connection = HTTPConnection(urlsplit(server).netloc, timeout=60)
    connection.request("POST", one.url, raw, {"Content-Type": "application/json", **one.signed(raw)})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


@contextmanager
def http_server() -> Iterator[tuple[str, int]]:
    """A real one, and the group of processes to kill."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = {
        "DJANGO_SETTINGS_MODULE": "tests.notifications.worker_settings",
        "WORKER_TEST_DATABASE": str(connections["worker"].settings_dict["NAME"]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}", "--workers", "1"],
        cwd=PROJECT, env=os.environ | names, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: answers(port))
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        killed(process.pid)
        process.wait(60)


def answers(port: int) -> bool:
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def killed(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def webhooks(company: Company) -> list[InboundWebhook]:
    with company.scope():
        return list(InboundWebhook.objects.order_by("id"))


def written(company: Company) -> list[str]:
    with company.scope():
        return sorted(Topic.objects.filter(key__startswith="evt").values_list("key", flat=True))


def job_count(company: Company) -> int:
    with company.scope():
        return Job.objects.filter(task="notifications.tasks.process_inbound").count()


def test_ten_that_arrive_at_once_are_one(server: str, new_company: NewCompany) -> None:
    company = new_company()
    one = sender(company)
    answers = at_once(10, lambda number: over_http(server, one, {"id": "evt_1"}))
    [webhook] = webhooks(company)
    assert Counter(status for status, _ in answers) == {202: 1, 200: 9}
    assert {body["id"] for _, body in answers} == {str(webhook.pk)}
    assert (webhook.repeats <= 9, job_count(company)) == (True, 1)


def test_a_recording_with_other_ids_has_no_second_effect(server: str, new_company: NewCompany) -> None:
    """GitHub does not sign the id: whoever sends a recording again may write any into it."""
    company = new_company()
    one = sender(company, "github")
    raw = b'{"action": "opened"}'

    def send(number: int) -> int:
        connection = HTTPConnection(urlsplit(server).netloc, timeout=60)
        headers = {"Content-Type": "application/json", **one.signed(raw, id=f"id-{number}")}
        connection.request("POST", one.url, raw, headers)
        return connection.getresponse().status

    assert Counter(at_once(6, send)) == {202: 1, 200: 5}
    assert (len(webhooks(company)), job_count(company)) == (1, 1)


def test_two_that_process_one_take_turns(new_company: NewCompany) -> None:
    company = new_company()
    with company.scope():
        one = sender(company)
    assert one.send({"id": "evt_1"}).status_code == 202
    [webhook] = webhooks(company)

    def process(number: int) -> str:
        with company.scope():
            return inbound_webhook_process(webhook_id=webhook.pk, is_last_attempt=False)

    assert at_once(4, process) == ["processed"] * 4
    assert webhooks(company)[0].attempts == 1


def test_what_comes_again_does_not_wait_for_a_receiver(server: str, new_company: NewCompany) -> None:
    company = new_company()
    one = sender(company)
    assert over_http(server, one, {"id": "evt_1"})[0] == 202
    with company.scope():
        InboundWebhook.objects.select_for_update().get()
        # In another process, because this one's server shares nothing with the transaction that holds the row.
        assert over_http(server, one, {"id": "evt_1"})[0] == 200
    assert webhooks(company)[0].repeats == 0


def test_a_worker_that_is_killed_while_it_processes_leaves_it_to_the_next(new_company: NewCompany, tmp_path: Path) -> None:
    """Kept and answered; the worker dies in the middle of a receiver, and what that wrote is gone with it."""
    company = new_company()
    one = sender(company, "hmac", key="playground", external_id_from="body:id")
    assert one.send({"id": "evt-1", "folder": str(tmp_path)}).status_code == 202
    with worker() as first:
        eventually((tmp_path / "started").exists)
        first.process.kill()
        first.process.wait()
    assert (webhooks(company)[0].status, webhooks(company)[0].attempts, written(company)) == ("received", 0, [])
    (tmp_path / "go").touch()
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(EXPIRE, [company.organization.pk])
        assert cursor.rowcount == 1
    with worker("--once") as second:
        assert second.wait() == 0, second.said
    [webhook] = webhooks(company)
    assert (webhook.status, webhook.attempts, written(company)) == ("processed", 1, ["evt-1"])


def test_two_workers_give_each_webhook_to_its_receiver_once(new_company: NewCompany, tmp_path: Path) -> None:
    company = new_company()
    one = sender(company, "hmac", key="playground", external_id_from="body:id")
    (tmp_path / "go").touch()
    for number in range(20):
        assert one.send({"id": f"evt-{number:02}", "folder": str(tmp_path)}).status_code == 202
    with worker("--once") as first, worker("--once") as second:
        begin_together("notifications_job")
        assert (first.wait(), second.wait()) == (0, 0), first.said + second.said
    assert written(company) == [f"evt-{number:02}" for number in range(20)]
    assert {row.status for row in webhooks(company)} == {"processed"}


def test_a_server_that_is_killed_has_answered_for_what_it_kept_alone(new_company: NewCompany) -> None:
    """Senders send again what was not answered; in the end each webhook is there once."""
    company = new_company()
    one = sender(company)
    answered: set[str] = set()
    for life in range(3):
        with http_server() as (address, group):
            for number in range(8):
                if number == 2 + life:
                    killed(group)
                try:
                    status, _ = over_http(address, one, {"id": f"evt_{number}"})
                except (OSError, HTTPException):
                    break
                assert status in (200, 202)
                answered.add(f"evt_{number}")
    assert answered <= {row.external_id for row in webhooks(company)}
    assert len(answered) >= 4 and job_count(company) == len(webhooks(company))

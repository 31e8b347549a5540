"""What AWS calls, with events as AWS sends them, and messages through a real queue of moto's server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests
from django.db import OperationalError, connections, transaction
from django.utils import timezone
from moto.server import ThreadedMotoServer

from core.tenancy import scope_is_open
from notifications import aws
from notifications.models import Job, OutboxEvent, Schedule, ScheduleRun, Topic
from notifications.services.events import publish
from tests.companies import Company
from tests.notifications.playground import tasks
from tests.notifications.playground.events import ThingHappened
from tests.notifications.test_relaying import untold

type NewCompany = Callable[[], Company]

EVENTS = Path(__file__).parent / "events"


class Context:
    """Of Lambda, as far as it is used."""

    def __init__(self, *milliseconds: int) -> None:
        self._left = list(milliseconds) or [30_000]

    def get_remaining_time_in_millis(self) -> int:
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def messages(*bodies: str) -> Any:
    """The example's records, as many as there are bodies."""
    [example, *_] = event("sqs_ok")["Records"]
    return {"Records": [{**example, "messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def asked(company: Company, key: str = "k", task: Any = tasks.write) -> str:
    with company.scope():
        return str(task.enqueue(key).id)


def bell(*ids: str) -> str:
    return json.dumps({"jobs": ids})


def status(company: Company) -> list[str]:
    with company.scope():
        return list(Job.objects.order_by("id").values_list("status", flat=True))


@pytest.fixture
def no_schedules(commits: None) -> Iterator[None]:
    yield
    ScheduleRun.objects.using("worker").all().delete()
    Schedule.objects.using("worker").all().delete()


@pytest.fixture
def calm(new_company: NewCompany) -> None:
    """Nothing waits from other tests."""
    aws.sweep({}, Context(600_000))


def test_a_message_runs_its_jobs_and_one_that_comes_twice_nothing(new_company: NewCompany) -> None:
    company = new_company()
    first, second, third = (asked(company, key) for key in ("a", "b", "c"))
    batch = messages(bell(first, second), bell(third))
    assert aws.queue(batch, Context()) == {"batchItemFailures": []}
    assert status(company) == ["succeeded"] * 3
    assert aws.queue(batch, Context()) == {"batchItemFailures": []}
    with company.scope():
        assert set(Job.objects.values_list("attempts", flat=True)) == {1}


def test_a_job_that_fails_is_tried_again_by_its_row_not_by_the_message(new_company: NewCompany) -> None:
    company = new_company()
    failing = asked(company, task=tasks.write_and_raise)
    assert aws.queue(messages(bell(failing)), Context()) == {"batchItemFailures": []}
    with company.scope():
        job = Job.objects.get()
        assert (job.status, job.attempts) == ("queued", 1)
        assert job.run_after > timezone.now()
        Job.objects.update(status="failed")


@pytest.mark.parametrize("body", [
    "", "a", "boom", "[]", "{}", '"relay"', '{"jobs": "x"}', '{"jobs": ["not-an-id"]}', '{"jobs": [1]}', '{"other": true}',
    "null", "\x00",
])
def test_a_message_that_nobody_understands_is_dropped(commits: None, body: str, capsys: Any, settings: Any, caplog: Any) -> None:
    settings.METRICS = "emf"
    assert aws.queue(messages(body), Context()) == {"batchItemFailures": []}
    assert "Dropped the message m0" in caplog.text
    assert json.loads(capsys.readouterr().out)["MalformedMessages"] == 1


def test_the_examples_bodies_are_dropped(commits: None) -> None:
    for name in ("sqs_ok", "sqs_boom"):
        assert aws.queue(event(name), Context()) == {"batchItemFailures": []}


def test_what_there_is_no_time_for_comes_again(new_company: NewCompany) -> None:
    company = new_company()
    waiting = asked(company)
    answer = aws.queue(messages("nonsense", bell(waiting), '{"relay": true}'), Context(int(aws.RESERVE * 1000)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert status(company) == ["queued"]
    assert aws.queue(messages(bell(waiting)), Context()) == {"batchItemFailures": []}
    assert status(company) == ["succeeded"]


def test_without_a_database_the_messages_come_again(new_company: NewCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    company = new_company()
    waiting = asked(company)

    def away(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly\nmore")

    with monkeypatch.context() as patched:
        patched.setattr("notifications.services.running.job_run", away)
        answer = aws.queue(messages("nonsense", bell(waiting)), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    with company.scope():
        Job.objects.update(status="failed", heartbeat_at=None)


def test_the_relay_relays_until_nothing_is_left(new_company: NewCompany, calm: None) -> None:
    company = untold(new_company())
    with company.scope():
        for number in range(250):
            publish(ThingHappened(n=number), aggregate_id=uuid4())
    assert aws.relay({}, Context(int(aws.RESERVE * 1000))) == {"relayed": 0}, "its time is over"
    assert aws.relay({}, Context()) == {"relayed": 250}
    with company.scope():
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()
        publish(ThingHappened(), aggregate_id=uuid4())
    assert aws.relay(messages('{"relay": true}'), Context()) == {"batchItemFailures": []}
    with company.scope():
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()


def test_the_clock_runs_what_is_due_once_and_what_bells_did_not_bring(new_company: NewCompany, no_schedules: None) -> None:
    company = new_company()
    asked(company)
    with company.scope():
        publish(ThingHappened(), aggregate_id=uuid4())
    aws._clock.look_up()
    Schedule.objects.using("worker").filter(task="notifications.tasks.dead_letters").update(next_run_at=timezone.now())
    runs = ScheduleRun.objects.using("worker")
    for _ in range(2):
        assert aws.clock(event("sched"), Context()) == {"complete": True}
        assert [run.outcome for run in runs.filter(schedule__task="notifications.tasks.dead_letters")] == ["succeeded"]
    with company.scope():
        assert Topic.objects.filter(key="k").exists()
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()


def test_a_rule_of_a_schedule_of_its_own_names_the_tick(no_schedules: None) -> None:
    scheduled = event("sched")
    for _ in range(2):
        tasks.hourly(scheduled, Context())
    assert ScheduleRun.objects.using("worker").get().tick.isoformat() == "2026-11-21T03:00:00+00:00"


def test_an_entry_leaves_nothing_open_and_keeps_what_is_warm(commits: None) -> None:
    aws.sweep({}, Context())
    before = connections["worker"].connection
    aws.sweep({}, Context())
    assert connections["worker"].connection is before
    assert not scope_is_open()

    @aws.entry
    def leaves_a_transaction(event: Any, budget: Any) -> None:
        transaction.atomic("worker").__enter__()

    leaves_a_transaction({}, None)
    assert not connections["worker"].in_atomic_block
    assert aws.sweep({}, Context()) == {"complete": True}


def test_an_error_that_zappa_would_take_for_other_arguments_is_another(commits: None) -> None:
    @aws.entry
    def broken(event: Any, budget: Any) -> None:
        raise TypeError("takes 1 positional argument but 2 were given")

    with pytest.raises(aws.EntryFailed, match="broken"):
        broken({}, None)


def test_through_a_real_queue(new_company: NewCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent, received as Lambda's poller does it, deleted but for what is to come again."""
    company = new_company()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    try:
        client = boto3.client(
            "sqs", region_name="eu-west-1", endpoint_url=address, aws_access_key_id="testing", aws_secret_access_key="testing",
        )
        url = client.create_queue(QueueName="quartermaster-jobs", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
        for body in (bell(asked(company, "a")), "nonsense", '{"relay": true}', bell(asked(company, "b"))):
            client.send_message(QueueUrl=url, MessageBody=body)
        out_of_time = polled(client, url, Context(int(aws.RESERVE * 1000)))
        assert (out_of_time, status(company)) == (3, ["queued", "queued"]), "all but the nonsense come again"
        assert polled(client, url, Context()) == 0
        assert status(company) == ["succeeded", "succeeded"]
        assert "Messages" not in client.receive_message(QueueUrl=url)
    finally:
        requests.post(f"{address}/moto-api/reset", timeout=10)
        server.stop()


def polled(client: Any, url: str, context: Context) -> int:
    """What Lambda does with a batch; how many messages stay in the queue."""
    received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    [example, *_] = event("sqs_ok")["Records"]
    records = [
        {**example, "messageId": got["MessageId"], "receiptHandle": got["ReceiptHandle"], "body": got["Body"]} for got in received
    ]
    answer = aws.queue({"Records": records}, context)
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for record in records:
        if record["messageId"] not in failed:
            client.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
    return len(failed)



"""The doorbell where workers do not listen: SQS, by moto's server."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.db import transaction

from core.budget import Budget
from notifications import doorbell
from notifications.aws import read
from notifications.services.events import publish
from notifications.services.ringing import ring, ring_away
from notifications.services.running import jobs_run_ids
from tests.companies import Company
from tests.moto_server import moto_server
from tests.notifications.at_work import enqueued, quiet, statuses
from tests.notifications.playground import tasks
from tests.notifications.playground.events import Happened


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def queue(aws: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[list[str]]]]:
    """The jobs that each message names, or that it asks for the relay, of those that came since the last call."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    sqs = boto3.client("sqs", endpoint_url=aws)
    url = sqs.create_queue(QueueName=f"jobs-{uuid4()}")["QueueUrl"]
    settings.JOBS_QUEUE_URL, settings.JOBS_QUEUE_ENDPOINT_URL = url, aws
    doorbell._sqs.cache_clear()

    def received() -> list[list[str]]:
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bell = read(message["Body"])
                found.append([str(one) for one in bell.jobs] or ["relay"] * bell.relay)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    yield received
    doorbell._sqs.cache_clear()


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def test_rings_once_for_a_transaction_when_it_has_committed(company: Company, queue: Callable[[], list[list[str]]]) -> None:
    with company.scope():
        ids = [tasks.write.enqueue(f"k{n}").id for n in range(12)]
        assert queue() == []
    messages = queue()
    assert sorted(map(len, messages)) == [2, 10]
    assert sorted(chain.from_iterable(messages)) == sorted(ids)


def test_does_not_ring_for_what_was_rolled_back(company: Company, queue: Callable[[], list[list[str]]]) -> None:
    with company.scope():
        kept = tasks.write.enqueue("kept").id
        try:
            with transaction.atomic():
                tasks.write.enqueue("lost")
                raise ValueError
        except ValueError:
            pass
    assert queue() == [[kept]]
    with company.scope():
        tasks.write.enqueue("lost")
        transaction.set_rollback(True)
    assert queue() == []


def test_a_message_runs_its_jobs_and_rings_for_what_it_frees(company: Company, queue: Callable[[], list[list[str]]]) -> None:
    first, second = (enqueued(company, tasks.write, key, lock_key="k") for key in "ab")
    queue()
    assert jobs_run_ids([second.pk], Budget(60)) == []
    assert statuses(company, second) == ["queued"]
    assert jobs_run_ids([first.pk], Budget(60)) == []
    assert queue() == [[str(second.pk)]]


def test_jobs_that_sql_makes_ring_too(company: Company, queue: Callable[[], list[list[str]]]) -> None:
    ids = [uuid4() for _ in range(3)]
    with company.scope():
        ring(ids[:2])
        ring(ids[2:])
    assert queue() == [[str(one) for one in ids]]


def test_without_a_transaction_it_rings_at_once(company: Company, queue: Callable[[], list[list[str]]]) -> None:
    job_id = uuid4()
    ring_away([job_id])
    assert queue() == [[str(job_id)]]


def test_what_is_published_rings_for_the_relay_once(company: Company, queue: Callable[[], list[list[str]]]) -> None:
    with company.scope():
        for key in ("a", "b"):
            publish(Happened(key=key), aggregate_id=uuid4())
    assert queue() == [["relay"]]


def test_a_bell_that_does_not_ring_harms_nothing(
    company: Company, queue: Callable[[], list[list[str]]], settings: Any, caplog: pytest.LogCaptureFixture,
) -> None:
    settings.JOBS_QUEUE_URL += "-gone"
    job = enqueued(company, tasks.write, "k")
    assert "did not ring" in caplog.text
    assert statuses(company, job) == ["queued"]


def test_a_message_of_somebody_else_is_refused() -> None:
    for body in ("{}", "[]", '{"jobs": "x"}', '{"jobs": ["x"]}', "nonsense"):
        with pytest.raises(ValueError):
            read(body)

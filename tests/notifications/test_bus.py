"""Events on an EventBridge bus: moto's server, and a server that refuses some."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.db import connections

from core.budget import Budget
from notifications import bus
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.moto_server import moto_server
from tests.notifications.test_relaying import relay_all, told, untold

type NewCompany = Callable[[], Company]
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as address:
        yield address


class Refusing:
    """A bus of ours: it keeps each call and refuses what `refuses` says."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.refuses: Callable[[dict[str, Any]], bool] = lambda entry: False
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # its name
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(outer.answer(body["Entries"])).encode()
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls.append(entries)
        if self.status != 200:
            return {"__type": "InternalException"}
        refused = [self.refuses(json.loads(entry["Detail"])) for entry in entries]
        found = [{"ErrorCode": "ThrottlingException"} if no else {"EventId": str(uuid4())} for no in refused]
        return {"FailedEntryCount": sum(refused), "Entries": found}

    @property
    def taken(self) -> list[Any]:
        details = [json.loads(entry["Detail"]) for call in self.calls for entry in call]
        return [detail["payload"]["n"] for detail in details if not self.refuses(detail)]


def nothing_waits() -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_outboxevent SET awaits_bus = false WHERE awaits_bus")


@pytest.fixture
def to_bus(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Nothing of others awaits the bus."""
    relay_all()
    nothing_waits()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(bus, "_resting_until", 0.0)

    def use(address: str) -> None:
        settings.EVENT_BUS_NAME, settings.EVENT_BUS_ENDPOINT_URL, settings.EVENT_BUS_REGION = "quartermaster", address, REGION
        bus._client.cache_clear()

    yield use
    nothing_waits()
    bus._client.cache_clear()


@pytest.fixture
def refusing(to_bus: Callable[[str], None]) -> Iterator[Refusing]:
    server = Refusing()
    to_bus(f"http://127.0.0.1:{server.server.server_port}")
    yield server
    server.server.shutdown()
    server.server.server_close()


def put() -> int:
    bus._resting_until = 0.0
    return bus.bus_put(Event())


def waiting(company: Company) -> int:
    with company.scope():
        return int(OutboxEvent.objects.filter(awaits_bus=True).count())


def test_eventbridge_gets_the_envelope(new_company: NewCompany, to_bus: Callable[[str], None], moto: str) -> None:
    company = untold(new_company())
    to_bus(moto)
    options = {"endpoint_url": moto, "region_name": REGION}
    events, sqs = boto3.client("events", **options), boto3.client("sqs", **options)
    events.create_event_bus(Name="quartermaster")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="quartermaster", EventPattern=json.dumps({"source": ["quartermaster"]}))
    events.put_targets(Rule="all", EventBusName="quartermaster", Targets=[{"Id": "1", "Arn": arn}])
    event = told(company, payload={"n": 1})
    relay_all()
    assert waiting(company) == 1
    assert (put(), put(), waiting(company)) == (1, 0, 0)
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    heard = json.loads(message["Body"])
    assert (heard["source"], heard["detail-type"]) == ("quartermaster", "thing.happened")
    assert (heard["detail"]["id"], heard["detail"]["payload"], heard["detail"]["position"]) == (str(event), {"n": 1}, 1)


def test_without_a_bus_nothing_waits_for_one(new_company: NewCompany) -> None:
    company = untold(new_company())
    told(company)
    relay_all()
    assert waiting(company) == 0 and put() == 0


def test_ten_go_into_a_call_and_one_of_each_aggregate(new_company: NewCompany, refusing: Refusing) -> None:
    company, aggregate = untold(new_company()), uuid4()
    for n in range(23):
        told(company, payload={"n": n})
    for n in (100, 101, 102):
        told(company, aggregate_id=aggregate, payload={"n": n})
    relay_all()
    assert put() == 26
    assert [len(call) for call in refusing.calls] == [10, 10, 4, 1, 1]
    assert [n for n in refusing.taken if n >= 100] == [100, 101, 102]
    for call in refusing.calls:
        ids = [json.loads(entry["Detail"])["aggregate_id"] for entry in call]
        assert len(ids) == len(set(ids))


def test_an_entry_has_the_trace_as_aws_writes_it(new_company: NewCompany, refusing: Refusing) -> None:
    company = untold(new_company())
    told(company, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    told(company)
    relay_all()
    assert put() == 2
    [[traced, other]] = refusing.calls
    assert traced["TraceHeader"] == "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
    assert "TraceHeader" not in other


def test_begins_no_call_that_might_not_end_in_time(new_company: NewCompany, refusing: Refusing) -> None:
    company = untold(new_company())
    told(company, payload={"n": 0})
    relay_all()
    assert bus.bus_put(Event(), Budget(5)) == 0
    assert (refusing.calls, waiting(company)) == ([], 1)
    assert bus.bus_put(Event(), Budget(60)) == 1


def test_what_follows_a_refused_event_of_its_aggregate_waits(new_company: NewCompany, refusing: Refusing) -> None:
    company, bad, good = untold(new_company()), uuid4(), uuid4()
    for n in range(3):
        told(company, aggregate_id=bad, payload={"n": f"bad {n}"})
        told(company, aggregate_id=good, payload={"n": f"good {n}"})
    relay_all()
    refusing.refuses = lambda detail: detail["payload"]["n"] == "bad 1"
    assert put() == 4
    assert waiting(company) == 2
    assert refusing.taken == ["bad 0", "good 0", "good 1", "good 2"]
    refusing.calls.clear()
    refusing.refuses = lambda detail: False
    assert put() == 2
    assert refusing.taken == ["bad 1", "bad 2"]


def test_after_a_failure_there_is_a_pause(new_company: NewCompany, refusing: Refusing) -> None:
    company = untold(new_company())
    told(company)
    relay_all()
    refusing.status = 500
    assert put() == 0
    calls = len(refusing.calls)
    assert calls and bus.bus_put(Event()) == 0 and len(refusing.calls) == calls
    refusing.status = 200
    assert (put(), waiting(company)) == (1, 0)


def test_a_call_stays_within_256_kilobytes(new_company: NewCompany, refusing: Refusing) -> None:
    company = untold(new_company())
    for n in range(4):
        told(company, payload={"n": n, "text": "é" * 50_000})
    relay_all()
    assert put() == 4
    assert [len(call) for call in refusing.calls] == [2, 2]


def test_an_event_that_is_too_large_goes_as_a_reference(new_company: NewCompany, refusing: Refusing) -> None:
    company = untold(new_company())
    event = told(company, payload={"n": 1, "text": "x" * 300_000})
    relay_all()
    assert put() == 1
    [[entry]] = refusing.calls
    detail = json.loads(entry["Detail"])
    assert (detail["payload"], detail["payload_omitted"], detail["id"]) == (None, f"/api/v1/events/{event}/", str(event))
    assert company.api.get(detail["payload_omitted"]).json()["payload"]["n"] == 1


def test_one_puts_at_a_time(new_company: NewCompany, refusing: Refusing) -> None:
    company = untold(new_company())
    told(company)
    relay_all()
    other = connections["worker"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [bus.MINE])
            assert (put(), refusing.calls) == (0, [])
            cursor.execute("SELECT pg_advisory_unlock(%s)", [bus.MINE])
    finally:
        other.close()
    assert put() == 1

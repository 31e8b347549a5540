import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from core.tenancy import NoOrganization
from notifications.models import Job, OutboxEvent, Topic
from notifications.services.events import BATCH, Handler, events_relay, publish, publish_from
from tests.companies import Company
from tests.notifications.processes import begin_together, worker

WRITE = "tests.notifications.playground.tasks.write"
type NewCompany = Callable[[], Company]


def told(company: Company, **values: Any) -> Any:
    with company.scope():
        facts = {"type": "thing.happened", "aggregate_type": "thing", "aggregate_id": uuid4(), "payload": {"n": 1}, **values}
        return publish(**facts)


def jobs_of(company: Company) -> list[Job]:
    with company.scope():
        return list(Job.objects.order_by("created_at", "pk"))


def relay_all(*handlers: Handler) -> None:
    while events_relay(handlers).events:
        pass


# --- Publishing -------------------------------------------------------------------------------------------


def test_publishes_in_one_statement(acme: Company) -> None:
    aggregate = uuid4()
    with acme.scope(request_id="req-7"), CaptureQueriesContext(connection) as queries:
        found = publish(type="stock.low", aggregate_type="variant", aggregate_id=aggregate, payload={"n": Decimal("1.500")})
    assert [query["sql"].split()[0] for query in queries if "notifications_outboxevent" in query["sql"]] == ["INSERT"]
    with acme.scope():
        event = OutboxEvent.objects.get(pk=found)
    assert (event.type, event.aggregate_id, event.payload) == ("stock.low", aggregate, {"n": "1.500"})
    assert (event.correlation_id, event.relayed_at, event.schema_version) == ("req-7", None, 1)


def test_needs_an_organization(db: None) -> None:
    with pytest.raises(NoOrganization):
        publish(type="stock.low", aggregate_type="variant", aggregate_id=uuid4(), payload={})


def test_numbers_the_events_of_an_aggregate_in_their_order(acme: Company) -> None:
    aggregate = uuid4()
    events = [told(acme, aggregate_id=aggregate) for _ in range(5)]
    with acme.scope():
        found = OutboxEvent.objects.filter(aggregate_id=aggregate).order_by("seq").values_list("pk", flat=True)
        assert list(found) == events


def test_a_rollback_publishes_nothing(new_company: NewCompany) -> None:
    company = new_company()
    with pytest.raises(ZeroDivisionError), company.scope():
        publish(type="thing.happened", aggregate_type="thing", aggregate_id=uuid4(), payload={})
        raise ZeroDivisionError
    with company.scope():
        assert not OutboxEvent.objects.exists()


def set_based(source: str) -> str:
    return publish_from(
        source, type="thing.counted", aggregate_type="organization", aggregate_id="organization_id",
        payload="jsonb_build_object('number', number)",
    )


def test_the_worker_publishes_for_many_organizations_in_one_statement(new_company: NewCompany) -> None:
    companies = [new_company(), new_company()]
    ids = [company.organization.pk for company in companies]
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            f"WITH told AS (SELECT * FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (organization_id, number)), "
            f"published AS ({set_based('told')}) SELECT count(*) FROM told", [ids],
        )
    for number, company in enumerate(companies, start=1):
        with company.scope():
            event = OutboxEvent.objects.get()
        assert (event.type, event.aggregate_id, event.payload) == ("thing.counted", company.organization.pk, {"number": number})


def test_the_app_publishes_for_its_own_organization_alone(acme: Company, bolt: Company) -> None:
    source = f"(SELECT '{bolt.organization.pk}'::uuid AS organization_id, 1 AS number) AS told"
    with pytest.raises(ProgrammingError, match="row-level security"), acme.scope(), connection.cursor() as cursor:
        cursor.execute(set_based(source))


def test_refuses_an_event_type_that_is_no_word() -> None:
    with pytest.raises(ValueError, match="no event type"):
        publish_from("told", type="it's", aggregate_type="thing", aggregate_id="id", payload="'{}'")


# --- Relaying ---------------------------------------------------------------------------------------------


def test_makes_one_job_for_each_event_and_handler(new_company: NewCompany) -> None:
    company, aggregate = new_company(), uuid4()
    event = told(company, aggregate_id=aggregate, payload={"key": "k"})
    told(company, type="nobody.listens")
    with company.scope():
        expected = OutboxEvent.objects.get(pk=event)
    handlers = [Handler("thing.happened", WRITE, "default", 0), Handler("thing.happened", "another.task", "mail", 5)]
    relay_all(*handlers)
    relay_all(*handlers)
    jobs = {job.task: job for job in jobs_of(company)}
    assert set(jobs) == {WRITE, "another.task"}
    assert (jobs["another.task"].queue, jobs["another.task"].priority) == ("mail", 5)
    assert jobs[WRITE].origin == {"request_id": "req-0", "reason": "thing.happened"}
    [argument] = jobs[WRITE].arguments["args"]
    assert argument.pop("occurred_at") and expected.relayed_at is None
    assert argument == {
        "id": str(event), "type": "thing.happened", "schema_version": 1, "aggregate_type": "thing",
        "aggregate_id": str(aggregate), "payload": {"key": "k"},
    }
    with company.scope():
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()


def test_a_relay_that_dies_before_its_commit_loses_nothing_and_doubles_nothing(new_company: NewCompany) -> None:
    company = new_company()
    told(company)
    handler = Handler("thing.happened", WRITE, "default", 0)
    with transaction.atomic("worker"):
        relay_all(handler)
        transaction.set_rollback(True, "worker")
    assert not jobs_of(company)
    relay_all(handler)
    assert len(jobs_of(company)) == 1


def test_a_handler_that_has_its_job_gets_no_second_one(new_company: NewCompany) -> None:
    company = new_company()
    event = told(company)
    relay_all(Handler("thing.happened", WRITE, "default", 0))
    with company.scope():
        OutboxEvent.objects.filter(pk=event).update(relayed_at=None)
    relay_all(Handler("thing.happened", WRITE, "default", 0))
    assert len(jobs_of(company)) == 1


def test_relays_in_batches_from_the_oldest_on(new_company: NewCompany) -> None:
    company = new_company()
    relay_all()
    with company.scope():
        events = [
            publish(type="thing.happened", aggregate_type="thing", aggregate_id=uuid4(), payload={}) for _ in range(BATCH + 1)
        ]
    assert events_relay([]).events == BATCH
    with company.scope():
        assert OutboxEvent.objects.get(relayed_at=None).pk == events[-1]
    assert events_relay([]).events == 1


def test_two_workers_share_events_and_jobs_without_doubling_any(new_company: NewCompany) -> None:
    relay_all()
    companies = [new_company(), new_company()]
    keys = {f"k-{number}" for number in range(3 * BATCH)}
    for company in companies:
        with company.scope():
            for key in keys:
                publish(type="playground.happened", aggregate_type="thing", aggregate_id=uuid4(), payload={"key": key})
    with worker("--once") as first, worker("--once") as second:
        begin_together("notifications_outboxevent")
        assert (first.wait(), second.wait()) == (0, 0), first.said + second.said
    relayed = [sum(map(int, re.findall(r"Relayed (\d+) events", process.said))) for process in (first, second)]
    assert min(relayed) > 0, "they did not share"
    assert sum(relayed) == len(companies) * len(keys)
    for company in companies:
        with company.scope():
            # Each key is unique: a job that ran twice would have failed.
            assert set(Topic.objects.exclude(key__in=["reorder-reminders", "ops-critical"]).values_list("key", flat=True)) == keys
            assert Job.objects.count() == Job.objects.filter(status="succeeded", attempts=1).count() == len(keys)

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connection, connections
from django.test.utils import CaptureQueriesContext

from core.tenancy import NoOrganization
from notifications.models import OutboxEvent
from notifications.services.events import publish, publish_from
from tests.companies import Company

type NewCompany = Callable[[], Company]


def told(company: Company, **values: Any) -> Any:
    with company.scope():
        facts = {"type": "thing.happened", "aggregate_type": "thing", "aggregate_id": uuid4(), "payload": {"n": 1}, **values}
        return publish(**facts)


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

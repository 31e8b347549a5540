from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import ProgrammingError, connection, connections
from django.test.utils import CaptureQueriesContext

from core.tenancy import NoOrganization
from notifications.event_types import Undeclared, event_type
from notifications.models import OutboxEvent
from notifications.services.events import publish, publish_from
from tests.companies import Company
from tests.notifications.playground.events import Counted, Happened

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
type NewCompany = Callable[[], Company]


@event_type("test.measured", aggregate="thing", version=3, bus="slow", example={})
class Measured:
    """Of all kinds of values."""

    at: datetime
    amount: Decimal
    of: UUID
    note: str | None = None


class Undeclarable:
    pass


# --- Publishing -------------------------------------------------------------------------------------------


def test_publishes_in_one_statement(acme: Company) -> None:
    aggregate = uuid4()
    with acme.scope(request_id="req-7"), CaptureQueriesContext(connection) as queries:
        found = publish(Measured(at=NOON, amount=Decimal("1.500"), of=aggregate), aggregate_id=aggregate)
    assert [query["sql"].partition("_")[0] for query in queries if "test.measured" in query["sql"]] == ["SELECT kept"]
    with acme.scope():
        event = OutboxEvent.objects.get(pk=found)
    assert (event.type, event.aggregate_type, event.aggregate_id, event.bus) == ("test.measured", "thing", aggregate, "slow")
    assert event.payload == {"at": "2026-11-26T12:00:00Z", "amount": 1.5, "of": str(aggregate), "note": None}
    assert (event.correlation_id, event.relayed_at, event.schema_version) == ("req-7", None, 3)


def test_amounts_keep_all_of_their_digits(acme: Company) -> None:
    with acme.scope(), connection.cursor() as cursor:
        found = publish(Measured(at=NOON, amount=Decimal("1234567890123.456789"), of=uuid4()), aggregate_id=uuid4())
        cursor.execute("SELECT payload ->> 'amount' FROM notifications_outboxevent WHERE id = %s", [found])
        assert cursor.fetchone() == ("1234567890123.456789",)
        with pytest.raises(TypeError):
            publish(Measured(at=NOON, amount=Decimal("NaN"), of=uuid4()), aggregate_id=uuid4())


def test_needs_an_organization(db: None) -> None:
    with pytest.raises(NoOrganization):
        publish(Happened(key="k"), aggregate_id=uuid4())


def test_numbers_the_events_of_an_aggregate_in_their_order(acme: Company) -> None:
    aggregate = uuid4()
    with acme.scope():
        events = [publish(Happened(key="k"), aggregate_id=aggregate) for _ in range(5)]
        found = OutboxEvent.objects.filter(aggregate_id=aggregate).order_by("seq").values_list("pk", flat=True)
        assert list(found) == events


def test_a_rollback_publishes_nothing(new_company: NewCompany) -> None:
    company = new_company()
    with pytest.raises(ZeroDivisionError), company.scope():
        publish(Happened(key="k"), aggregate_id=uuid4())
        raise ZeroDivisionError
    with company.scope():
        assert not OutboxEvent.objects.filter(type="playground.happened").exists()


@pytest.mark.parametrize("event", [{"type": "stock.low"}, object(), Undeclarable(), OutboxEvent])
def test_what_is_not_declared_cannot_be_published(acme: Company, event: object) -> None:
    with pytest.raises(Undeclared), acme.scope():
        publish(event, aggregate_id=uuid4())


SET_BASED = publish_from(Counted, "told", aggregate_id="organization_id", number="number", amount="0.5")


def test_the_worker_publishes_for_many_organizations_in_one_statement(new_company: NewCompany) -> None:
    companies = [new_company(), new_company()]
    ids = [company.organization.pk for company in companies]
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            f"WITH told AS (SELECT * FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (organization_id, number)), "
            f"published AS ({SET_BASED}) SELECT count(*) FROM told", [ids],
        )
    for number, company in enumerate(companies, start=1):
        with company.scope():
            event = OutboxEvent.objects.get(type="playground.counted")
        assert (event.aggregate_id, event.schema_version) == (company.organization.pk, 2)
        assert event.payload == {"number": number, "amount": 0.5}


def test_the_app_publishes_for_its_own_organization_alone(acme: Company, bolt: Company) -> None:
    source = f"(SELECT '{bolt.organization.pk}'::uuid AS organization_id, 1 AS number) AS told"
    sql = publish_from(Counted, source, aggregate_id="organization_id", number="number", amount="0")
    with pytest.raises(ProgrammingError, match="row-level security"), acme.scope(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_set_is_published_with_all_the_fields_of_its_type() -> None:
    with pytest.raises(TypeError, match=r"playground\.counted has other fields; look at amount, numbr\."):
        publish_from(Counted, "told", aggregate_id="id", number="1", numbr="2")
    with pytest.raises(Undeclared):
        publish_from(OutboxEvent, "told", aggregate_id="id")


@pytest.mark.parametrize(("name", "says"), [("it's", "small letters"), ("Big.word", "small"), ("playground.happened", "already")])
def test_a_type_has_a_name_of_its_own_in_small_letters(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        event_type(name, aggregate="thing", example={})(type("Named", (), {}))

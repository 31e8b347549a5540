"""Old events go with their deliveries, and not before these have ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.services.retention import purge
from core.retention import least_id
from notifications.models import EventDelivery, OutboxEvent
from tests.companies import Company
from tests.factories.notifications import EventDeliveryFactory, OutboxEventFactory
from tests.notifications.test_relaying import untold

OLD = timezone.now() - timedelta(days=31)


def old_id() -> UUID:
    return UUID(int=least_id(OLD).int | OutboxEventFactory.build().pk.int & (1 << 80) - 1)


def old_event(**values: Any) -> OutboxEvent:
    return OutboxEventFactory(**{"id": old_id(), "created_at": OLD, "relayed_at": OLD, **values})


def left(company: Company) -> tuple[int, int]:
    with company.scope():
        return OutboxEvent.objects.count(), EventDelivery.objects.count()


@pytest.mark.parametrize(("status", "expected"), [
    ("delivered", (0, 0)), ("dead", (0, 0)), ("discarded", (0, 0)), ("pending", (1, 1)), ("retrying", (1, 1)),
])
def test_an_old_event_goes_with_the_deliveries_that_ended(
    new_company: Callable[[], Company], status: str, expected: tuple[int, int],
) -> None:
    company = untold(new_company())
    with company.scope():
        EventDeliveryFactory(id=old_id(), created_at=OLD, event=old_event(), status=status)
    found = {one.data_class: one.rows for one in purge(organization_id=company.organization.pk) if one.rows}
    assert left(company) == expected
    assert found == ({} if expected[0] else {"event_deliveries": 1, "events": 1})


def test_an_old_event_waits_for_a_young_replay_and_for_the_bus(new_company: Callable[[], Company]) -> None:
    company = untold(new_company())
    with company.scope():
        event = old_event()
        first = EventDeliveryFactory(id=old_id(), created_at=OLD, event=event, status="delivered")
        EventDeliveryFactory(event=event, subscription=first.subscription, status="delivered", replay_no=1)
        old_event(awaits_bus=True)
    list(purge(organization_id=company.organization.pk))
    assert left(company) == (2, 1)

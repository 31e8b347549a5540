"""The demo's month is in the charts from its first day on, and the books agree."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from core.invariants import broken
from inventory.models import StockMove, ValueEntry
from inventory.queries.valuation import Question, inventory_value
from inventory.services.demo_dates import ledger_date_back
from inventory.services.snapshots import snapshots_make
from tests.companies import Company
from tests.inventory.worth import Worth


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    yield new_company()
    connections["owner"].close()


def test_what_happened_earlier_was_written_then(company: Company) -> None:
    now = timezone.now()
    with company.scope():
        worth = Worth.create()
        worth.receive(10, "2", occurred_at=now - timedelta(days=5))
        worth.issue(4, occurred_at=now - timedelta(days=2))
        worth.receive(1, "3", occurred_at=now - timedelta(days=3))  # noted after what came later
        worth.receive(2, "2")
    assert ledger_date_back(company.organization.pk) == 3
    with company.scope():
        values = [inventory_value(Question(as_of=now - timedelta(days=days, hours=-1))).value for days in (6, 5, 3, 2, 0)]
        assert values == [0, 20, 20, 15, 19]
        assert worth.value() == Decimal(19)
        written = list(StockMove.objects.order_by("seq").values_list("created_at", flat=True))
        assert written == sorted(written)
        snapshots_make(through=(now - timedelta(days=4)).date())
        assert not [row for _, rows in broken() for row in rows]
    assert ledger_date_back(company.organization.pk) == 0, "what is photographed stays as it is"
    for model in (StockMove, ValueEntry):
        with pytest.raises(DatabaseError), company.scope(), transaction.atomic():
            model.objects.update(created_at=now)

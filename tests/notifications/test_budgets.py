"""Deliveries where the time of the process is short, as a function's is."""

from threading import Event
from typing import Any

from core.budget import Budget
from notifications.deliveries import deliver_due
from notifications.draining import drain
from tests.companies import Company
from tests.notifications.playground import senders
from tests.notifications.test_delivering import company as company
from tests.notifications.test_delivering import stand_in as stand_in
from tests.notifications.test_delivering import subscribed
from tests.notifications.test_relaying import deliveries_of, relay_all, told


def test_begins_nothing_that_might_not_end_in_time(company: Company) -> None:
    subscribed(company)
    told(company)
    relay_all()
    assert deliver_due(Event(), 1000, Budget(5)) == 0, "a receiver may take longer"
    budget = Budget(5)
    assert not drain(budget), "not all of it is done"
    assert not budget.ran_out, "which would keep jobs from their turn"
    [delivery] = deliveries_of(company)
    assert (delivery.status, delivery.attempts) == ("pending", 0)
    assert deliver_due(Event(), 1000, Budget(60)) == 1


def test_begins_no_more_once_the_time_is_short(company: Company, settings: Any) -> None:
    class Short(Budget):
        def left(self) -> float:
            return 5 if senders.told else 60

    subscribed(company)
    for _ in range(3):
        told(company)
    relay_all()
    settings.DELIVERY_THREADS = 1
    assert deliver_due(Event(), 1000, Short()) == 1
    found = sorted((one.status, one.attempts) for one in deliveries_of(company))
    assert found == [("delivered", 1), ("pending", 0), ("pending", 0)]

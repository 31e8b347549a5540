"""/metrics, for Prometheus: what it says, and to whom."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as product
from django.test import Client

from notifications.event_types import event_types
from tests.companies import Company

HERE, ELSEWHERE = "127.0.0.1", "203.0.113.7"


@pytest.fixture
def scraped(settings: Any, commits: None) -> None:
    settings.METRICS, settings.METRICS_TOKEN = "prometheus", "of-the-scraper"


def asked(address: str = HERE, **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).get("/metrics", headers=headers)


def test_it_counts_requests_and_says_how_things_are(scraped: None, new_company: Callable[[], Company]) -> None:
    company = new_company()
    company.api.get("/api/v1/parties/nobody/")
    found = asked()
    assert found.headers["Content-Type"].startswith("text/plain")
    numbers = dict(re.findall(r"^(\S+) ([\d.e+-]+)$", found.text, re.M))
    assert float(numbers['quartermaster_requests_total{method="GET",route="/api/v1/parties/{pk}/",status="404"}']) >= 1
    assert float(numbers['quartermaster_request_seconds_count{route="/api/v1/parties/{pk}/"}']) >= 1
    assert float(numbers['quartermaster_queue_depth{queue="mail"}']) >= 0
    assert {"quartermaster_orders_placed_last_minute", "quartermaster_dead_letters"} <= numbers.keys()
    assert str(company.organization.pk) not in found.text


@pytest.mark.parametrize(("address", "headers", "status"), [
    (HERE, {}, 200), ("::1", {}, 200), (ELSEWHERE, {"Authorization": "Bearer of-the-scraper"}, 200),
    (ELSEWHERE, {}, 404), ("", {}, 404), (ELSEWHERE, {"Authorization": "Bearer of-somebody"}, 404),
    (ELSEWHERE, {"Authorization": "Basic of-the-scraper"}, 404), (HERE, {"X-Forwarded-For": "203.0.113.7"}, 404),
    (HERE, {"X-Forwarded-Proto": "https"}, 404), (HERE, {"Via": "1.1 proxy"}, 404),
    (HERE, {"X-Forwarded-Proto": "https", "Authorization": "Bearer of-the-scraper"}, 200),
])  # fmt: skip
def test_to_this_machine_or_for_the_token(address: str, headers: dict[str, str], status: int, scraped: None) -> None:
    assert asked(address, **headers).status_code == status


def test_without_a_token_no_token_opens_it(settings: Any, db: None) -> None:
    settings.METRICS = "prometheus"
    assert asked(ELSEWHERE, Authorization="Bearer ").status_code == 404


def test_unless_it_is_wanted_nothing_is_there(settings: Any, db: None) -> None:
    settings.METRICS_TOKEN = "of-the-scraper"
    assert asked(Authorization="Bearer of-the-scraper").status_code == 404


def test_every_event_that_is_counted_is_declared() -> None:
    assert product.METRICS_OF_EVENTS.keys() <= event_types().keys()

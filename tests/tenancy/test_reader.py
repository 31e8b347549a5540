"""Reports from a second server, played by a second connection to the same one: it sees what is committed, as a reader does."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.utils import InternalError
from django.test.utils import CaptureQueriesContext

from config.settings import base
from core.reader import READER, on_the_reader
from core.tenancy import NoOrganization
from inventory.models import Category
from tests.companies import Company
from tests.inventory.goods import Goods

REPORTS = (
    "/api/v1/analytics/inventory/", "/api/v1/analytics/value/", "/api/v1/inventory-value/", "/api/v1/analytics/orders/revenue/",
)  # fmt: skip


@pytest.fixture
def reader(commits: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Its settings."""
    settings = {**connections.settings["default"]}
    monkeypatch.setitem(connections.settings, READER, settings)
    yield settings
    connections[READER].close()
    del connections[READER]


def test_reports_are_read_there_and_nothing_else(new_company: Callable[[], Company], reader: dict[str, Any]) -> None:
    ours, theirs = new_company(), new_company()
    for company, quantity in ((ours, 10), (theirs, 3)):
        with company.scope():
            Goods.create().receive(quantity)
    there: dict[str, Any] = {}
    for url in REPORTS:
        with CaptureQueriesContext(connections[READER]) as read:
            answer = ours.api.get(url)
        assert answer.status_code == 200, answer.content
        there[url] = answer.json()
        assert "transaction_read_only" in read[1]["sql"]
        assert len(read) > 3, f"{url} is asked there, between BEGIN and COMMIT"
    with CaptureQueriesContext(connections[READER]) as read:
        assert ours.api.get("/api/v1/products/").status_code == 200
    assert len(read) == 0
    assert float(there["/api/v1/analytics/inventory/"]["on_hand"]) == 10, "behind the same wall"
    assert connections["default"] is not connections[READER]


def test_why_stock_is_worth_it_is_read_there(new_company: Callable[[], Company], reader: dict[str, Any]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(10)
    url = f"/api/v1/inventory-value/history/?variant={goods.bolt.pk}&warehouse={goods.warehouse.pk}"
    with CaptureQueriesContext(connections[READER]) as read:
        assert float(company.api.get(url).json()["quantity"]) == 10
    assert len(read) > 3


def test_the_answers_are_the_same_without_one(new_company: Callable[[], Company], reader: dict[str, Any]) -> None:
    company = new_company()
    with company.scope():
        Goods.create().receive(10)
    by_the_reader = [company.api.get(url).json() for url in REPORTS]
    del connections.settings[READER]
    assert [company.api.get(url).json() for url in REPORTS] == by_the_reader
    connections.settings[READER] = reader


def test_nothing_is_written_there(new_company: Callable[[], Company], reader: dict[str, Any]) -> None:
    with new_company().scope():
        with pytest.raises(InternalError, match="read-only transaction"), on_the_reader():
            Category.objects.create(name="Bolts", slug="bolts")
        Category.objects.create(name="Bolts", slug="bolts")
        assert Category.objects.count() == 1, "and afterwards all is as before"


def test_it_sees_what_is_committed(new_company: Callable[[], Company], reader: dict[str, Any]) -> None:
    with new_company().scope():
        Category.objects.create(name="Bolts", slug="bolts")
        with on_the_reader():
            assert Category.objects.count() == 0
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM inventory_category")
                assert cursor.fetchone() == (0,)
        assert Category.objects.count() == 1


def test_one_that_does_not_answer_costs_nobody_a_report(
    new_company: Callable[[], Company], reader: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    reader["HOST"], reader["PORT"] = "127.0.0.1", "1"
    company = new_company()
    with company.scope():
        Goods.create().receive(10)
    with caplog.at_level(logging.WARNING, "core.reader"):
        assert float(company.api.get(REPORTS[0]).json()["on_hand"]) == 10
    assert "The reader does not answer" in caplog.text


def test_the_app_alone_signs_in_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the address says: another role could pass the wall."""
    server = {"HOST": "first.example.com", "PORT": 5432, "NAME": "quartermaster"}
    assert READER not in base.role_databases(server, passwords=True)
    monkeypatch.setenv("READER_DATABASE_URL", "postgres://postgres:word@reader.example.com:6432/copy")
    found = base.role_databases(server, passwords=True)
    assert found[READER] == found["default"] | {"HOST": "reader.example.com", "PORT": 6432, "NAME": "copy"}
    assert found[READER]["USER"].endswith("_app")


def test_without_a_scope_it_is_closed(reader: dict[str, Any]) -> None:
    with pytest.raises(NoOrganization), on_the_reader():
        pass
    assert not connections["default"].in_atomic_block

"""Migrates as the owner, runs as the app. Two companies are committed once; what a test writes is rolled back."""

import gc
import os
import secrets
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.http import HttpRequest
from django.test.testcases import LiveServerThread
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from core.tenancy import scope_is_open
from tests.companies import Company, founded
from tests.database import scratch_database

# A machine that has much else to do may take ten seconds for the first example; that says nothing about the product.
hypothesis_settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Where a change is judged, the examples are the same for everybody; whoever works on something tries new ones each time.
hypothesis_settings.register_profile("judged", hypothesis_settings.get_profile("tests"), derandomize=True)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


def pytest_collection_finish() -> None:
    """What is there by now stays: looking through it for garbage again and again took an eighth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), scratch_database():
        yield


@pytest.fixture(scope="session")
def companies(django_db_setup: None, django_db_blocker: Any) -> list[Company]:
    with django_db_blocker.unblock():
        return [founded(slug) for slug in ("acme", "bolt")]


@pytest.fixture(scope="session", autouse=True)
def private_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where files go; the storage is made when the first one is touched."""
    settings.STORAGES["private"]["OPTIONS"]["location"] = tmp_path_factory.mktemp("files")


@pytest.fixture
def acme(companies: list[Company], db: None) -> Company:
    return companies[0]


@pytest.fixture
def bolt(companies: list[Company], db: None) -> Company:
    return companies[1]


@pytest.fixture
def commits(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """No transaction around the test: what it commits stays, because ledgers cannot be emptied.

    Such a test works for a company of its own, from `new_company`.
    """
    with django_db_blocker.unblock():
        yield
        for connection in connections.all(initialized_only=True):
            assert not connection.in_atomic_block, "the test left a transaction open"
            connection.close()


@pytest.fixture
def new_company(commits: None) -> Callable[[], Company]:
    return lambda: founded(f"c-{secrets.token_hex(5)}")


class Files(StaticFilesHandler):
    """As a content network serves them: what a browser has, it does not ask for again."""

    def serve(self, request: HttpRequest) -> Any:
        answer = super().serve(request)
        answer["Cache-Control"] = "max-age=3600"
        return answer


@pytest.fixture
def server(commits: None) -> Iterator[str]:
    """The address of a real server in a thread of this process."""
    thread = LiveServerThread("127.0.0.1", Files)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None, thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def owner(db: None) -> Iterator[CursorWrapper]:
    """The owner's cursor, in a transaction of its own that is rolled back."""
    wrapper = connections["default"].copy()  # Django refuses aliases that the test does not name
    wrapper.settings_dict = deepcopy(settings.DATABASES["owner"])
    wrapper.set_autocommit(False)
    with wrapper.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        yield cursor
    wrapper.rollback()
    wrapper.close()


@pytest.fixture(autouse=True)
def no_scope_is_left() -> Iterator[None]:
    yield
    assert not scope_is_open(), "the test left a scope open"

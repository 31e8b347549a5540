"""Every address of the API, whatever serves it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver

from config import api
from config.api import ANONYMOUS
from core.routing import LateModule, LatePaths
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem, path_to

SOME_ID = UUID(int=7)
OWN = ("accounts", "config", "inventory", "notifications", "orders")


def patterns(found: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in found:
        address = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLPattern):
            yield address, pattern
        else:
            yield from patterns(pattern.url_patterns, address)


ADDRESSES = {
    str(pattern.name): pattern for address, pattern in patterns(get_resolver().url_patterns) if address.startswith("api/")
}
CLOSED = sorted(ADDRESSES.keys() - ANONYMOUS)


def url_of(name: str) -> str:
    return path_to(name, **dict.fromkeys(ADDRESSES[name].pattern.regex.groupindex, SOME_ID))


def test_each_address_has_a_name_of_its_own() -> None:
    named = [pattern.name for address, pattern in patterns(get_resolver().url_patterns) if address.startswith("api/")]
    assert None not in named
    assert len(named) == len(set(named))
    assert set(named) >= ANONYMOUS, "config.api.ANONYMOUS names an address that is gone"


def test_each_module_is_found_by_the_prefixes_of_its_routes() -> None:
    modules = [found for found in vars(api).values() if isinstance(found, LateModule)]
    assert {one.name: sorted(one.prefixes) for one in modules} == {one.name: sorted(one.routes) for one in modules}


def test_old_paths_are_found_by_their_first_words() -> None:
    for late in (found for found in get_resolver().url_patterns if isinstance(found, LatePaths)):
        words = {re.match(r"\w+", address)[0] for address, _ in patterns(late.url_patterns)}  # type: ignore[index]
        assert words == late.words


def loaded_by(asks: str) -> str:
    """The modules of the API, of the older paths and of the admin that a new process imports while it does that."""
    program = f"""
import django, sys
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
from django.urls import resolve, reverse
from django.test import Client
{asks}
rooms = (".api.", ".admin.", ".compat")
print(sorted(name for name in sys.modules if any(room in name for room in rooms) and name.split(".")[0] in {OWN}))
"""
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=settings.BASE_DIR,
    )
    return found.stdout.strip()


def test_a_request_imports_the_module_of_its_address_alone() -> None:
    found = loaded_by('resolve("/api/v1/roles/"); resolve("/api/v1/parties/")')
    assert found == "['accounts.api.partners', 'accounts.api.roles']"


def test_an_address_that_is_not_there_imports_none() -> None:
    asks = """
for path in ("/api/v1/no-such/", "/no-such/"):
    assert Client().get(path).status_code == 404
"""
    assert loaded_by(asks) == "[]"


def test_the_admin_imports_no_module_of_the_api() -> None:
    assert ".admin." in (found := loaded_by('reverse("admin:index")')) and ".api." not in found


@pytest.mark.parametrize("name", CLOSED)
def test_nobody_gets_in_without_credentials(name: str, db: None) -> None:
    for method in ("get", "post", "put", "patch", "delete"):
        response = Api().send(method, url_of(name))
        assert_problem(response, 401, "not_authenticated")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("name", sorted(ANONYMOUS))
def test_what_is_open_is_open(name: str, db: None) -> None:
    """To those who hold a signed address, where that is the credential."""
    answer = Api().get(url_of(name))
    assert answer.status_code in (200, 405) or answer.json()["code"] == "link_invalid"


@pytest.mark.parametrize("authorization", [
    "Bearer", "Bearer ", "Bearer forged", "Api-Key", "Api-Key qm_0000000000.x", "Basic YTpi", "Api-Key a\0b", "Token x",
])  # fmt: skip
def test_wrong_credentials_are_refused_even_where_none_are_needed(authorization: str, db: None) -> None:
    for name in ("token", "me"):
        response = Api(authorization).get(url_of(name))
        assert_problem(response, 401, "not_authenticated")
        assert "WWW-Authenticate" in response.headers


def test_there_is_nothing_elsewhere(acme: Company) -> None:
    assert_problem(acme.api.get("/api/v1/no-such/"), 404, "unknown_address")

"""What the tests of the admin read from its pages and statements."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Party
from tests.companies import LEASE, Company

PARTIES = "/admin/accounts/party/"


def parties(company: Company, *names: str) -> list[Party]:
    with company.scope():
        return [Party.objects.create(name=name) for name in names]


def text(response: Any) -> str:
    return str(response.content.decode())


def listed(response: Any) -> list[str]:
    """The first column's links of a list."""
    assert response.status_code == 200, text(response)[:500]
    return re.findall(r'<th class="[^"]*field-[^"]*"[^>]*>\s*<a [^>]*>([^<]*)</a>', text(response))


def link(response: Any, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]*)" rel="{rel}"', text(response))
    return found.group(1).replace("&amp;", "&") if found else None


@contextmanager
def statements() -> Iterator[list[str]]:
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(LEASE)]

"""A database that goes away for a moment, as when the reader takes over from the writer."""

from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

from django.db import connection

from tests.companies import Company

END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def test_connections_that_died_are_made_anew_and_nobody_notices(server: str, new_company: Callable[[], Company]) -> None:
    """002-34: the health check of a connection that is kept comes before the request that would fail on it."""
    token = new_company().members["admin"].tokens.access_token
    kept_alive = HTTPConnection(urlsplit(server).netloc)  # one thread of the server, and its one connection

    def ask() -> int:
        kept_alive.request("GET", "/api/v1/products/", headers={"Authorization": f"Bearer {token}"})
        answer = kept_alive.getresponse()
        answer.read()
        return answer.status

    assert (ask(), ask()) == (200, 200)
    with connection.cursor() as cursor:
        cursor.execute(END)
        assert cursor.fetchall() == [(True,)], "the server kept its connection between requests"
    assert ask() == 200
    kept_alive.close()

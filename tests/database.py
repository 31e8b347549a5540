"""A database for this process alone: made and migrated as the owner, used as the app and as the worker.

Not pytest-django's way: it makes the databases that some test names, as the role of that alias. Here no alias
but the owner's may make one, and an alias that no test names would write to the real database.
"""

import secrets
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from core.embedded import running
from core.management.commands.setup_database import connect
from tests.notifications.forks import end_deliverers

PREFIX = "test_quartermaster_"
ONE_AT_A_TIME = 7_205_759  # an advisory lock: the processes of one run make the roles together


@contextmanager
def scratch_database() -> Iterator[None]:
    with ExitStack() as stack:
        if settings.EMBEDDED_DATABASE:
            stack.enter_context(running(settings.EMBEDDED_DATABASE))
        name = PREFIX + secrets.token_hex(4)
        # Held open, so that nobody takes the database for an abandoned one.
        anchor = stack.enter_context(_made(name))
        for database in settings.DATABASES.values():
            database["NAME"] = name
            options = database.setdefault("OPTIONS", {})
            # No test takes the power away, so that none need wait for the disk.
            options["options"] = f"{options.get('options', '')} -c synchronous_commit=off".strip()
        call_command("migrate", interactive=False, verbosity=0)
        connections["owner"].close()
        yield
        end_deliverers()
        for connection in connections.all(initialized_only=True):
            connection.close()
        anchor.close()


@contextmanager
def _made(name: str) -> Iterator[psycopg.Connection[Any]]:
    owner = dict(settings.DATABASES["owner"])
    with connect(settings.ADMIN_DATABASE, "postgres") as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        call_command("setup_database", verbosity=0)
        with connect(owner, owner["NAME"]) as server:
            _drop_abandoned(server)
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        anchor = connect(owner, name)
    try:
        yield anchor
    finally:
        anchor.close()
        with connect(owner, owner["NAME"]) as server:
            _drop(server, name)


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        server.execute(sql.SQL("{} WITH (FORCE)").format(statement))
    except psycopg.errors.InsufficientPrivilege:  # autovacuum is in it, which no owner may end; without force it gives way
        try:
            server.execute(statement)
        except psycopg.errors.ObjectInUse:
            _drop_with_who_is_in_it(statement, name)


def _drop_with_who_is_in_it(statement: sql.Composed, name: str) -> None:
    with connect(settings.ADMIN_DATABASE, "postgres") as admin:
        left = admin.execute("SELECT usename, state, query FROM pg_stat_activity WHERE datname = %s", [name]).fetchall()
        warnings.warn(f"Sessions were left in the tests' database: {left}", stacklevel=2)
        admin.execute(sql.SQL("{} WITH (FORCE)").format(statement))


def _drop_abandoned(server: psycopg.Connection[Any]) -> None:
    """Those of killed runs, which nobody is connected to."""
    found = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
    for (name,) in found.fetchall():
        try:
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.ObjectInUse:
            continue

"""What must be true of an organization's data, whatever happened: proved by `manage.py verify`.

An app lists its own in `<app>/invariants.py` as INVARIANTS.
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection

from core.tenancy import active_organization_id


class Invariant(NamedTuple):
    """`sql` finds the rows that break it: one text column that names the row and the numbers that disagree."""

    name: str
    sql: str
    parameters: dict[str, Any] = {}


def declared() -> list[Invariant]:
    found: list[Invariant] = []
    for config in apps.get_app_configs():
        if find_spec(name := f"{config.name}.invariants") and config.name != "core":
            found += import_module(name).INVARIANTS
    return found


def failing(invariant: Invariant, most: int | None = None) -> tuple[list[str], int]:
    """The rows of the active organization that break it, the first `most` of them, and how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT failing.*, count(*) OVER () FROM ({invariant.sql}) AS failing LIMIT %(most_rows)s",
            {**invariant.parameters, "organization": active_organization_id(), "most_rows": most},
        )
        found = cursor.fetchall()
    return [row for row, _ in found], found[0][1] if found else 0


def broken() -> Iterator[tuple[Invariant, list[str]]]:
    """Each invariant with the rows of the active organization that break it, mostly none."""
    for invariant in declared():
        yield invariant, failing(invariant)[0]

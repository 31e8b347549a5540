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


def broken() -> Iterator[tuple[Invariant, list[str]]]:
    """Each invariant with the rows of the active organization that break it, mostly none."""
    for invariant in declared():
        with connection.cursor() as cursor:
            cursor.execute(invariant.sql, {**invariant.parameters, "organization": active_organization_id()})
            yield invariant, [row[0] for row in cursor.fetchall()]

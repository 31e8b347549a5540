"""The states of every document, as a page of the documentation."""

from pathlib import Path

from django.conf import settings

from notifications.event_types import type_of
from orders.machines import MACHINES, Machine

PAGE = Path(settings.BASE_DIR) / "docs" / "states.md"

HEAD = """# The states of documents

Made by `manage.py state_diagrams` from the tables of transitions in `orders/machines/`, by which the services step; a test
compares them. A verb that a state does not allow is answered with 409, code `wrong_status`, and what is `allowed`. Every step
writes a line of the document's timeline, an entry of the audit trail and an event, in one transaction.
"""


def page() -> str:
    return "\n".join([HEAD, *map(_section, sorted(MACHINES, key=lambda one: one.model._meta.label))])


def _section(machine: Machine) -> str:
    title = str(machine.model._meta.verbose_name).capitalize()
    rows = [
        f"| {one.verb} | {', '.join(one.sources)} | {', '.join(one.targets)} | `{one.permission}` | `{type_of(one.event).name}` |"
        for one in machine.transitions
    ]
    table = "\n".join(["| Verb | From | To | Permission | Event |", "|---|---|---|---|---|", *rows])
    return f"## {title}\n\n```mermaid\n{machine.diagram()}\n```\n\n{table}\n"

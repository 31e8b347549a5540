"""What each built-in role may do at each address of the API, as a page of the documentation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from accounts.permissions import BUILT_IN, of_built_in
from config.api import own, router
from core.permitting import required_permission

PAGE = Path(settings.BASE_DIR) / "docs" / "role-matrix.md"
ARGUMENT = re.compile(r"\(\?P<(\w+)>[^)]*\)")  # in the address of an action
HANDLERS = {"post": "create", "put": "update", "patch": "partial_update", "delete": "destroy"}

HEAD = """# Who may do what

Made by `manage.py role_matrix` from the resources and the built-in roles; a test compares it with them, and another calls
every address as each role. A role of one's own holds the permissions that it lists, see
[People and roles](guide/people-and-roles.md).

| Resource | Call | Permission | {roles} |
|---|---|---|{columns}
"""


class Call(NamedTuple):
    """`method` in capitals; `action` is what follows the resource, or its row, in the address: empty for CRUD."""

    resource: str
    method: str
    of_row: bool
    action: str
    permission: str

    @property
    def title(self) -> str:
        return f"{self.method} {'<id>/' if self.of_row else ''}{self.action}".strip()

    def answer(self, role: str) -> str:
        return "yes" if self.permission in of_built_in(role) else "no"


def calls() -> Iterator[Call]:
    for prefix, viewset, _ in (*router.registry, *own.registry):
        yield from _crud(prefix, viewset)
        actions: list[Any] = viewset.get_extra_actions()
        for action in actions:
            path = ARGUMENT.sub(r"<\1>", f"{action.url_path}/")
            for method in action.mapping:
                view = viewset(**action.kwargs)
                yield Call(prefix, method.upper(), action.detail, path, required_permission(view, method.upper()))


def _crud(prefix: str, viewset: type[Any]) -> Iterator[Call]:
    yield Call(prefix, "GET", False, "", required_permission(viewset(), "GET"))
    yield Call(prefix, "GET", True, "", required_permission(viewset(), "GET"))
    for method, handler in HANDLERS.items():
        if method in viewset.http_method_names and hasattr(viewset, handler):
            yield Call(prefix, method.upper(), method != "post", "", required_permission(viewset(), method.upper()))


def page() -> str:
    head = HEAD.format(roles=" | ".join(BUILT_IN.values()), columns="---|" * len(BUILT_IN))
    lines = [
        f"| {call.resource} | `{call.title}` | `{call.permission}` | {' | '.join(map(call.answer, BUILT_IN))} |"
        for call in calls()
    ]
    return head + "\n".join(lines) + "\n"

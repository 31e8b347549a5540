"""docs/role-matrix.md is what the code says, and what the code does."""

import re
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.permissions import BUILT_IN
from config import role_matrix
from config.role_matrix import ARGUMENT, Call, calls
from tests.companies import Company
from tests.contracts.resources import OWN, RESOURCES, Resource, assert_problem

SOME = re.compile(r"<\w+>")
CALLS = list(calls())
BY_PREFIX = {resource.prefix: resource for resource in (*RESOURCES, *OWN)}


@cache
def table() -> dict[tuple[str, str], tuple[str, dict[str, bool]]]:
    """(resource, call) -> permission, and whether each role has it, as a reader of the page sees it."""
    found = re.findall(r"^\| ([a-z/-]+) \| `([A-Z].*?)` \| `(\S+)` \| (.*) \|$", role_matrix.PAGE.read_text(), re.M)
    return {
        (resource, call): (permission, {role: cell == "yes" for role, cell in zip(BUILT_IN, cells.split(" | "), strict=True)})
        for resource, call, permission, cells in found
    }  # fmt: skip


def test_the_page_is_up_to_date() -> None:
    call_command("role_matrix", check=True)


def test_a_page_that_is_not_is_noticed_and_written(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "docs" / "page.md"
    other.parent.mkdir()
    other.write_text("old")
    monkeypatch.setattr("config.management.commands.role_matrix.Command.file", other)
    with pytest.raises(CommandError, match=r"run manage\.py role_matrix"):
        call_command("role_matrix", check=True)
    call_command("role_matrix", verbosity=0)
    assert other.read_text() == role_matrix.PAGE.read_text()


def test_the_page_has_every_call_of_every_resource() -> None:
    expected = {(call.resource, call.title) for call in CALLS}
    assert set(table()) == expected and len(CALLS) == len(expected)
    for resource in BY_PREFIX.values():
        methods = {call.method.lower() for call in CALLS if call.resource == resource.prefix and not call.action}
        assert methods == {"get", *(method for method in ("post", "put", "patch", "delete") if resource.takes(method))}
        assert {call.action for call in CALLS if call.resource == resource.prefix} - {""} == {
            ARGUMENT.sub(r"<\1>", f"{action.url_path}/") for action in resource.actions
        }  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.resource} {call.title}")
def test_a_role_may_do_what_the_page_says(call: Call, acme: Company) -> None:
    """An allowed call may still be wrong, since its body is empty; a forbidden one is refused whatever its body."""
    permission, allowed = table()[call.resource, call.title]
    url = address(BY_PREFIX[call.resource], call, acme)
    for role in reversed(BUILT_IN):  # those who may least first
        response = acme.api_as(role).send(call.method.lower(), url)
        if allowed[role]:
            assert response.status_code not in (401, 403, 405) and response.status_code < 500, f"{role}: {response.content}"
        else:
            assert assert_problem(response, 403, "permission_denied")["missing_permission"] == permission, role


def address(resource: Resource, call: Call, company: Company) -> str:
    if not call.of_row:
        return resource.url + SOME.sub(str(uuid4()), call.action)
    row = resource.make(company)[0] if call.method == "GET" else uuid4()
    return resource.row_url(row) + SOME.sub(str(uuid4()), call.action)

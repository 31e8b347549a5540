"""A copy that is restored into a database of its own, and proved there."""

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from core import dumping
from core.management.commands.restore_drill import Command, rows_of_tables
from tests.companies import Company
from tests.inventory.goods import Goods

type NewCompany = Callable[[], Company]


@pytest.fixture
def company(new_company: NewCompany) -> Company:
    company = new_company()
    with company.scope():
        Goods.create().receive(5)
    return company


def drilled(**options: Any) -> tuple[str, CommandError | SystemExit | None]:
    """What it said, and how it ended."""
    said = io.StringIO()
    try:
        call_command("restore_drill", stdout=said, stderr=said, jobs=2, **options)
    except (CommandError, SystemExit) as error:
        return said.getvalue(), error
    return said.getvalue(), None


def faults(said: str) -> list[str]:
    return sorted(line for line in said.splitlines() if line.startswith("FAIL"))


def databases_left() -> list[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, current_database() || '_drill_')")
        return [name for (name,) in cursor.fetchall()]


def test_a_copy_comes_back_whole(company: Company) -> None:
    """As whole as what was copied: some tests write rows that no service would."""
    before = io.StringIO()
    with suppress(CommandError, SystemExit):
        call_command("verify", stdout=before, stderr=before)
    said, wrong = drilled(minutes=60)
    assert faults(said) == faults(before.getvalue())
    assert (wrong is None) == (not faults(said)), said
    assert ", as many as there were." in said
    assert f"ok   {company.organization.slug}: stock balance = moves in - moves out" in said
    assert "ok   installation: the wall is whole" in said
    assert wrong or ("RTO: " in said and "at 1 GB" in said)  # of a copy that is whole
    assert databases_left() == []


def test_a_copy_that_has_lost_rows_is_found_out(company: Company) -> None:
    """Here nothing is restored: it looks at this database as if one more row had been in the copied one."""
    said = io.StringIO()
    command = Command(stdout=said, stderr=said)
    with connections["owner"].cursor() as cursor:
        before = rows_of_tables(cursor)
    parties = before["accounts_party"]
    _, is_whole = command.proved({**before, "accounts_party": parties + 1}, {})
    assert not is_whole
    assert f"FAIL accounts_party: {parties + 1} rows before, {parties} after" in said.getvalue()
    assert "as many as there were" not in said.getvalue()


def test_what_is_missing_for_it_is_said(commits: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, told in (
        ({"dump": tmp_path / "nowhere"}, "There is no file"), ({"dump": Path(__file__)}, "pg_restore failed"),
    ):
        _, wrong = drilled(**options)
        assert isinstance(wrong, CommandError) and told in str(wrong) and wrong.returncode == 2
    monkeypatch.setattr(dumping, "_folders", lambda: iter(()))
    _, wrong = drilled()
    assert isinstance(wrong, CommandError) and "install its client programs" in str(wrong) and wrong.returncode == 2
    assert databases_left() == []

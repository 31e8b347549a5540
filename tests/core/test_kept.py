"""Statements that are kept as functions: each is there, releases do not disturb each other, and nothing hides among them."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper

from core import wall
from core.kept import Beside, Kept, forget_unwanted, send
from notifications.models import OutboxEvent
from notifications.services.events import PUBLISH
from tests.companies import Company

OLD = "CREATE FUNCTION kept_old_12345678(int) RETURNS void LANGUAGE plpgsql {} AS 'BEGIN PERFORM $1; END'"
RIGHTS = "REVOKE ALL ON FUNCTION kept_old_12345678 FROM PUBLIC"
THERE = "SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc AS p WHERE proname = 'kept_old_12345678'"


def test_each_module_that_keeps_statements_is_named_by_its_app() -> None:
    named = {module for config in apps.get_app_configs() for module in getattr(config, "kept_statements", ())}
    keeping = {
        ".".join(file.with_suffix("").parts)
        for app in ("accounts", "notifications", "inventory", "orders") for file in Path(app).rglob("*.py")
        if " = Kept(" in file.read_text() or "\nTogether(" in file.read_text()
    }
    assert keeping
    assert keeping == named


@pytest.mark.parametrize("sql", ["SELECT %s", "SELECT %s::int, %s", "SELECT %(one)s + %(two)s::int"])
def test_each_value_is_cast(sql: str) -> None:
    with pytest.raises(ValueError, match="Cast each value of wrong"):
        Kept("wrong", sql)


def test_values_by_name_go_where_they_belong() -> None:
    assert wall.functions()  # every statement is declared by now
    kept = Kept.__new__(Kept)
    kept.name, kept.sql, kept.gives = "sum", "SELECT %(b)s + %(a)s::int * %(b)s::int, '%%'", ["int", "text"]
    kept.names, kept.takes = kept._taken()
    assert kept.numbered() == "SELECT $1 + $2::int * $1::int, '%'"
    assert kept.ordered({"a": 1, "b": 2, "c": 3}) == [2, 1]


def test_statements_that_are_not_declared_together_go_one_by_one(acme: Company) -> None:
    def values(event: str) -> list[object]:
        return [acme.organization.pk, "", "", f"{{{uuid4()}}}", ["default"], [event], "{1}", ["thing"], f"{{{uuid4()}}}", ["{}"]]

    with acme.scope(), connection.cursor() as cursor:
        send(cursor, PUBLISH, values("test.second"), [Beside(PUBLISH, values("test.first"))])
        found = OutboxEvent.objects.filter(aggregate_type="thing").order_by("seq").values_list("type", flat=True)
        assert list(found) == ["test.first", "test.second"]


def test_each_finds_rows_by_keys_alone(owner: CursorWrapper) -> None:
    """A plan made while a table was small would otherwise go on reading all of it when it is large."""
    owner.execute("SELECT proconfig FROM pg_proc WHERE starts_with(proname, 'kept_')")
    found = [set(row[0]) for row in owner.fetchall()]
    assert found
    assert all({"enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off"} <= one for one in found)


def test_what_another_release_keeps_is_left_for_a_month(owner: CursorWrapper) -> None:
    owner.execute(OLD.format(""))
    owner.execute(RIGHTS)
    assert wall.deviations(owner) == []
    forget_unwanted(owner)
    owner.execute(THERE)
    [(since,)] = owner.fetchall()
    assert since
    forget_unwanted(owner)
    owner.execute(THERE)
    assert owner.fetchall() == [(since,)]
    owner.execute("COMMENT ON FUNCTION kept_old_12345678 IS '2026-01-31'")
    forget_unwanted(owner)
    owner.execute(THERE)
    assert owner.fetchall() == []
    assert wall.deviations(owner) == []


def test_one_that_is_wanted_again_counts_from_the_next_time(owner: CursorWrapper) -> None:
    owner.execute(f"COMMENT ON FUNCTION {PUBLISH.function_name} IS '2026-01-31'")
    forget_unwanted(owner)
    owner.execute("SELECT obj_description(oid, 'pg_proc') FROM pg_proc WHERE proname = %s", [PUBLISH.function_name])
    assert owner.fetchall() == [(None,)]


def test_a_function_with_the_owners_rights_cannot_hide_among_them(owner: CursorWrapper) -> None:
    owner.execute(OLD.format("SECURITY DEFINER"))
    [found] = wall.deviations(owner)
    assert found.startswith("unexpected: function kept_old_12345678(integer): owner's rights")

"""A model that a migration has rendered knows its indexes and constraints, although no other is rendered for them."""

from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from core.light_migrations import light_migrations

ONCE = models.UniqueConstraint(fields=["name"], name="thing_once")
BY_NAME = models.Index(fields=["name"], name="thing_by_name")


def names(state: ProjectState) -> tuple[list[str], list[str], list[str]]:
    meta = state.apps.get_model("shop", "thing")._meta
    return tuple([one.name for one in found] for found in (meta.constraints, meta.total_unique_constraints, meta.indexes))


def test_what_is_added_and_removed_is_known() -> None:
    state = ProjectState()
    for name in ("Thing", "Other"):
        state.add_model(ModelState("shop", name, [("id", models.AutoField(primary_key=True)), ("name", models.TextField())]))
    other = state.apps.get_model("shop", "other")
    assert names(state) == ([], [], [])
    with light_migrations():
        state.add_constraint("shop", "thing", ONCE)
        state.add_index("shop", "thing", BY_NAME)
        assert names(state) == (["thing_once"], ["thing_once"], ["thing_by_name"])
        state.remove_constraint("shop", "thing", "thing_once")
        assert names(state) == ([], [], ["thing_by_name"])
    assert state.apps.get_model("shop", "other") is other
    state.add_field("shop", "thing", "size", models.IntegerField(), preserve_default=True)
    assert state.apps.get_model("shop", "thing")._meta.get_field("size")

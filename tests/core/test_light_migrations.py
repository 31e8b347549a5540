"""A model that a migration changes knows it, although no other is made anew for it; what runs Python knows all of them."""

from typing import Any

from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from core.light_migrations import light_migrations

ONCE = models.UniqueConstraint(fields=["name"], name="thing_once")
BY_NAME = models.Index(fields=["name"], name="thing_by_name")


def names(state: ProjectState) -> tuple[list[str], ...]:
    meta = state.apps.get_model("shop", "thing")._meta
    return tuple([one.name for one in found] for found in (meta.constraints, meta.total_unique_constraints, meta.indexes))


def model(name: str, **fields: Any) -> ModelState:
    return ModelState("shop", name, [("id", models.AutoField(primary_key=True)), ("name", models.TextField()), *fields.items()])


def test_what_is_added_and_removed_is_known() -> None:
    state = ProjectState()
    for name in ("Thing", "Other"):
        state.add_model(model(name))
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


def test_one_model_alone_is_made_anew() -> None:
    state = ProjectState()
    state.add_model(model("Thing"))
    state.add_model(model("Part", thing=models.ForeignKey("shop.Thing", models.CASCADE)))
    part = state.apps.get_model("shop", "part")
    before = state.clone()
    with light_migrations():
        state.add_field("shop", "thing", "size", models.IntegerField(null=True), preserve_default=True)
        state.alter_field("shop", "thing", "size", models.BigIntegerField(null=True), preserve_default=True)
        state.remove_field("shop", "thing", "name")
        state.add_model(model("Other", thing=models.ForeignKey("shop.Thing", models.CASCADE)))
        thing = state.apps.get_model("shop", "thing")
        kinds = [(one.name, one.get_internal_type()) for one in thing._meta.fields]
        assert kinds == [("id", "AutoField"), ("size", "BigIntegerField")]
        assert state.apps.get_model("shop", "other")._meta.get_field("thing").related_model is thing
        assert state.apps.get_model("shop", "part") is part
        assert [one.name for one in before.apps.get_model("shop", "thing")._meta.fields] == ["id", "name"]
        state.clear_delayed_apps_cache()  # as Django does before it runs Python
        assert state.apps.get_model("shop", "part")._meta.get_field("thing").related_model._meta.get_field("size")


def test_a_key_that_others_refer_to_is_made_anew_with_them() -> None:
    state = ProjectState()
    state.add_model(model("Thing"))
    state.add_model(model("Part", thing=models.ForeignKey("shop.Thing", models.CASCADE)))
    assert state.apps.get_model("shop", "part")._meta.get_field("thing").target_field.get_internal_type() == "AutoField"
    with light_migrations():
        state.alter_field("shop", "thing", "id", models.UUIDField(primary_key=True), preserve_default=True)
    assert state.apps.get_model("shop", "part")._meta.get_field("thing").target_field.get_internal_type() == "UUIDField"

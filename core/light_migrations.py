"""Nine tenths of the time of a first migration was Django making anew all models that stand near one that changes.

Here the one model is made anew, or only told of its index or constraint, and the others stay as they are: no table of
theirs has changed. What runs Python gets them all made anew, as Django does for states that it calls delayed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState

OPTIONS = ("_append_option", "_remove_option")
FIELDS = ("add_model", "add_field", "alter_field", "remove_field")


@contextmanager
def light_migrations() -> Iterator[None]:
    kept = {name: getattr(ProjectState, name) for name in (*OPTIONS, *FIELDS)}
    for name in OPTIONS:
        setattr(ProjectState, name, _told_to_one(kept[name]))
    for name in FIELDS:
        setattr(ProjectState, name, _made_alone(kept[name]))
    try:
        yield
    finally:
        for name, change in kept.items():
            setattr(ProjectState, name, change)


@contextmanager
def _reloaded_by(state: Any, reload: Callable[..., None]) -> Iterator[None]:
    state.reload_model = reload
    try:
        yield
    finally:
        del state.reload_model


def _told_to_one(change: Any) -> Any:
    def changed(state: Any, app_label: str, model_name: str, option: str, *args: Any) -> None:
        with _reloaded_by(state, lambda *args, **kwargs: None):
            change(state, app_label, model_name, option, *args)
        if "apps" in state.__dict__:
            meta = state.apps.get_model(app_label, model_name)._meta
            setattr(meta, option, list(state.models[app_label, model_name].options[option]))
            meta.__dict__.pop("total_unique_constraints", None)  # which it keeps

    return changed


def _made_alone(change: Any) -> Any:
    def changed(state: Any, *args: Any, **kwargs: Any) -> None:
        def reload(app_label: str, model_name: str, delay: bool = False) -> None:
            if "apps" not in state.__dict__:
                return
            state.is_delayed = True
            state.apps.unregister_model(app_label, model_name)
            state.apps.render_multiple([state.models[app_label, model_name]])

        if len(args) > 1 and _others_depend(state, *args[:4], **kwargs):  # one alone is a new model's state
            change(state, *args, **kwargs)
        else:
            with _reloaded_by(state, reload):
                change(state, *args, **kwargs)

    return changed


def _others_depend(state: Any, app_label: str, model_name: str, name: str, field: Any = None, **kwargs: Any) -> bool:
    """A column that others may refer to, or a model whose columns others inherit."""
    fields = (field, state.models[app_label, model_name].fields.get(name))
    bases = {base.lower() for model in state.models.values() for base in model.bases if isinstance(base, str)}
    return any(field and field.unique for field in fields) or f"{app_label}.{model_name}" in bases

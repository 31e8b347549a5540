"""Half the time of a first migration was Django making anew all models that stand near one which gets an index or a constraint.

Here the one model is told of it, and the others stay as they are: nothing of theirs has changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState

CHANGES = ("_append_option", "_remove_option")


@contextmanager
def light_migrations() -> Iterator[None]:
    kept = {name: getattr(ProjectState, name) for name in CHANGES}
    for name, change in kept.items():
        setattr(ProjectState, name, _told_to_one(change))
    try:
        yield
    finally:
        for name, change in kept.items():
            setattr(ProjectState, name, change)


def _told_to_one(change: Any) -> Any:
    def changed(state: Any, app_label: str, model_name: str, option: str, *args: Any) -> None:
        state.reload_model = lambda *args, **kwargs: None
        try:
            change(state, app_label, model_name, option, *args)
        finally:
            del state.reload_model
        if "apps" in state.__dict__:
            meta = state.apps.get_model(app_label, model_name)._meta
            setattr(meta, option, list(state.models[app_label, model_name].options[option]))
            meta.__dict__.pop("total_unique_constraints", None)  # which it keeps

    return changed

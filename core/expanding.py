"""?expand=product.category: a reference's id becomes the row itself, by one statement for each relation."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import models
from rest_framework.request import Request

from core.permitting import demand, permission_of
from core.problems import BadParameter
from core.reading import BASE, Plan, compile_plan, fetch
from core.routing import resources

DEEPEST, MOST = 3, 10  # references in a row; relations of a request


@cache
def expandable(serializer: Any) -> Mapping[str, type[Any]]:
    """The references of a serializer that lead to resources, and those resources: the first one of a model counts."""
    found = {name: model._meta.label_lower for name, model in _references(serializer).items()}
    return {name: resources()[label] for name, label in found.items() if label in resources()}


@cache
def refers(serializer: Any) -> bool:
    """Whether there are any, without the import of all resources: a reference leads to one."""
    return bool(_references(serializer))


def _references(serializer: Any) -> dict[str, type[models.Model]]:
    columns = {column.attname: column for column in serializer.Meta.model._meta.concrete_fields if column.is_relation}
    shown = {name: columns.get(field.source) for name, field in serializer().fields.items() if not field.write_only}
    return {name: column.related_model for name, column in shown.items() if column is not None}


class Expansion:
    """Raises BadParameter and MissingPermission before anything is read."""

    def __init__(self, request: Request, serializer: type[Any], plan: Plan, asked: str) -> None:
        self.request = request
        self.tree: dict[str, Any] = {}
        for path in asked.split(","):
            self._add(serializer, path)
        for name in self.tree:
            if name not in plan.columns:
                raise BadParameter("expand", f"expand: {name!r} is not among the fields asked for: add it to `fields`.")
        if _relations(self.tree) > MOST:
            raise BadParameter("expand", f"expand: at most {MOST} relations in one request.")
        self.serializer = serializer

    def _add(self, serializer: Any, path: str) -> None:
        names, branch = path.split("."), self.tree
        if len(names) > DEEPEST:
            raise BadParameter("expand", f"expand: at most {DEEPEST} references deep, not {path!r}.")
        for name in names:
            known = expandable(serializer)
            if name not in known:
                what = f"Known: {', '.join(known)}." if known else "Nothing more can be expanded there."
                raise BadParameter("expand", f"expand: {name!r} of {path!r} is not known. {what}")
            demand(self.request, permission_of(known[name].model(), "view"))
            serializer = known[name].serializer_class
            branch = branch.setdefault(name, {})

    def apply(self, rows: list[dict[str, Any]]) -> None:
        _expand(rows, self.serializer, self.tree, self.request)


def _relations(tree: dict[str, Any]) -> int:
    return len(tree) + sum(_relations(branch) for branch in tree.values())


def _expand(rows: list[dict[str, Any]], serializer: Any, tree: dict[str, Any], request: Request) -> None:
    for name, branch in tree.items():
        target = expandable(serializer)[name]
        found = _rows_of(target, {row[name] for row in rows if row[name] is not None}, request)
        if branch and found:
            _expand(list(found.values()), target.serializer_class, branch, request)
        for row in rows:
            row[name] = found.get(row[name], row[name])


def _rows_of(viewset: type[Any], ids: set[Any], request: Request) -> dict[Any, dict[str, Any]]:
    """What the resource does not show keeps its id. Archived rows are shown."""
    if not ids:
        return {}
    view = viewset(request=request, kwargs={}, action="list")
    plan, key = compile_plan(viewset.serializer_class), f"{BASE}.{viewset.model()._meta.pk.column}"
    conditions = [*view.row_conditions(), (f"{key} = ANY (%s)", [list(ids)])]
    values = [value for _, given in conditions for value in given]
    rows = fetch(plan.row(" AND ".join(sql for sql, _ in conditions), [key]), values)
    return {row[-1]: body for row, body in zip(rows, plan.read(rows), strict=True)}

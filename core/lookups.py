"""Search that keeps its index under row security."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.db.models import F, Lookup, Model, Q

from core.fields import SearchKeyField


class StartsWith(Lookup):
    """`column ^@ text`: leakproof, unlike LIKE, whose index is lost under row security."""

    lookup_name = "starts_with"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", [*left_values, *right_values]


def starts_with(model: type[Model], columns: Iterable[str], text: str) -> Q:
    """Rows in which one of the columns begins with the text; a path like user__email leads to another table."""
    found = Q(pk__in=[])
    for column in columns:
        lower_case = isinstance(get_fields_from_path(model, column)[-1], SearchKeyField)
        for spelling in {text.lower()} if lower_case else {text, text.lower(), text.upper()}:
            found |= Q(StartsWith(F(column), spelling))
    return found

"""Search by words, for resources whose names are more than a column's beginning. An app says how: see `Searcher`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from core.paging import RANK


@dataclass(frozen=True, slots=True)
class Search:
    """`ids` is SQL that finds the rows; `rank`, given the alias of their table, is SQL of how well one fits, 0 best.

    The rank stands in several places of a statement, so it has its values in it, and no parameters.
    """

    ids: str
    values: list[Any]
    rank: Callable[[str], str]

    def condition(self, alias: str) -> tuple[str, list[Any]]:
        return f"{alias}.id IN ({self.ids})", self.values

    def narrow(self, rows: QuerySet) -> QuerySet:
        """The rows of a queryset that are found, the best first."""
        rank = RawSQL(self.rank(rows.model._meta.db_table), [], IntegerField())  # noqa: S611  # composed by the database driver
        found = rows.filter(pk__in=RawSQL(self.ids, self.values))  # noqa: S611  # its values are parameters
        ranked: QuerySet = found.annotate(**{RANK: rank}).order_by(RANK, *rows.query.order_by)
        return ranked


type Searcher = Callable[[str], Search]

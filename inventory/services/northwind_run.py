"""One run of the Northwind import: what was read, what became of it, and what was left out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from django.db.models import QuerySet

from core.dirty_csv import Problem, Repair, Row, Table, TableReading, UnreadableTable, read_table
from inventory.northwind_tables import TABLES
from inventory.services.upsert import Counts, Draft, rows_upsert


class Run:
    def __init__(self, folder: Path) -> None:
        """Raises UnreadableTable."""
        if not folder.is_dir():
            raise UnreadableTable(f"There is no folder {folder}: name the one with {TABLES[0].file_name} and its like.")
        self.readings: dict[str, TableReading] = {
            table.file_name: read_table(folder / table.file_name, table.columns) for table in TABLES
        }
        self.counts: dict[str, Counts] = {}
        self.refusals: list[Problem] = []  # beyond those of reading

    def rows(self, table: Table) -> list[Row]:
        return self.readings[table.file_name].rows

    def leave_out(self, table: Table, line: int, column: str, reason: str) -> None:
        self.refusals.append(Problem(table.file_name, line, column, reason))

    def count(self, label: str, counts: Counts) -> None:
        self.counts.setdefault(label, Counts()).add(counts)

    def upsert(
        self, label: str, table: Table, existing: QuerySet, drafts: Iterable[Draft], *,
        key: Sequence[str] = ("external_ref",), columns: Mapping[str, str],
    ) -> dict[int, UUID]:
        """The rows' ids by line. `columns` names the column of the file behind a column of the model."""
        outcome = rows_upsert(existing, drafts, key=key)
        self.count(label, outcome.counts)
        for refusal in outcome.refused:
            self.leave_out(table, refusal.line, columns.get(refusal.column, refusal.column), refusal.reason)
        return outcome.ids

    @property
    def repairs(self) -> list[Repair]:
        return [repair for reading in self.readings.values() for repair in reading.repairs]

    @property
    def problems(self) -> list[Problem]:
        """What was left out, by file and line."""
        found = [problem for reading in self.readings.values() for problem in reading.problems] + self.refusals
        places = {name: place for place, name in enumerate(self.readings)}
        return sorted(found, key=lambda problem: (places[problem.file], problem.line))

    @property
    def changes(self) -> int:
        return sum(counts.created + counts.updated for counts in self.counts.values())

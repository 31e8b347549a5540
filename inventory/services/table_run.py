"""One run of an import of another system's tables: what became of the records, and what was left out."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet

from core.records import Fault, Record
from inventory.services.upsert import Counts, Draft, rows_upsert


class TableRun:
    def __init__(self) -> None:
        self.counts: dict[str, Counts] = {}
        self.faults: list[Fault] = []

    def leave_out(self, record: Record, name: str, reason: str) -> None:
        self.faults.append(record.fault(name, reason))

    def count(self, label: str, counts: Counts) -> None:
        self.counts.setdefault(label, Counts()).add(counts)

    def upsert(
        self, label: str, records: Sequence[Record], existing: QuerySet, drafts: Iterable[Draft], *, names: Mapping[str, str],
    ) -> dict[int, UUID]:
        """By external_ref. A draft's line, and that of the answer, is the place of its record. `names` of columns in the file."""
        outcome = rows_upsert(existing, drafts, key=("external_ref",))
        self.count(label, outcome.counts)
        for refusal in outcome.refused:
            reason = "an earlier record is about the same" if refusal.column == "external_ref" else refusal.reason
            self.leave_out(records[refusal.line], names.get(refusal.column, refusal.column), reason)
        return outcome.ids

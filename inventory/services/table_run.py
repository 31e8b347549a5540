"""One run of an import of another system's tables: what became of the records, and what was left out."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils.text import slugify

from core.records import Fault, Record
from inventory.models import Category
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
        key: Sequence[str] = ("external_ref",),
    ) -> dict[int, UUID]:
        """A draft's line, and that of the answer, is the place of its record. `names` are the columns' in the file."""
        outcome = rows_upsert(existing, drafts, key=key)
        self.count(label, outcome.counts)
        for refusal in outcome.refused:
            reason = "an earlier record is about the same" if refusal.column == key[0] else refusal.reason
            self.leave_out(records[refusal.line], names.get(refusal.column, refusal.column), reason)
        return outcome.ids


def categories_follow(run: TableRun, rows: Sequence[Record]) -> dict[str, UUID]:
    """By name; one that is here already is used."""
    names = list(dict.fromkeys(name for row in rows if (name := row.text("category"))))
    here = Category.objects.filter(parent=None, archived_at=None, name__in=names).order_by("-pk")
    found = dict(here.values_list("name", "pk"))
    run.count("categories", Counts(unchanged=len(found)))
    slugs = set(Category.objects.filter(parent=None).values_list("slug", flat=True))
    for name in names:
        if name not in found:
            slug = slugify(name) or "category"
            slug = next(one for one in (slug, *(f"{slug}-{number}" for number in range(2, len(slugs) + 3))) if one not in slugs)
            slugs.add(slug)
            found[name] = Category.objects.create(name=name, slug=slug).pk
            run.count("categories", Counts(created=1))
    return found


def free_sku(key: str, taken: set[str], prefix: str) -> str:
    """Its id, unless other goods have it."""
    sku = key if len(key) <= 64 and key not in taken else f"{prefix}-{key}"[:64]
    taken.add(sku)
    return sku

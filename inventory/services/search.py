from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id, organization_scope
from inventory.database_search import SOURCES, Source
from inventory.queries.search_sources import BATCH, FORGET, LEARN, LOCK, STRAY, owners

ROWS = 2_000  # of a transaction


def search_rebuild(*, organization_id: UUID, anew: bool = False) -> Iterator[int]:
    """Gives the rows that lack their words these, or all rows theirs again; answers how many it did, batch by batch.

    Each batch is a transaction of its own: when it is broken off, what is done is done, and the next run goes on.
    """
    for source in SOURCES:
        after: UUID | None = UUID(int=0)
        while after is not None:
            with organization_scope(organization_id):
                rows = _batch(source, after, anew)
            yield len(rows)
            after = rows[-1] if len(rows) == ROWS else None
    if anew:
        with organization_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(STRAY, {"organization": organization_id})


def _batch(source: Source, after: UUID, anew: bool) -> list[UUID]:
    given: dict[str, Any] = {"organization": active_organization_id(), "after": after, "anew": anew, "size": ROWS}
    sql = {"owners": owners(source), "table": source.table}
    with connection.cursor() as cursor:
        cursor.execute(BATCH.format(**sql), given)
        rows = [row[0] for row in cursor.fetchall()]
        for statement in (LOCK, FORGET, LEARN):
            cursor.execute(statement.format(**sql), {**given, "rows": rows})
    return rows

"""The rows of a bulk request on their way into the database: a statement for each kind of write, never one per row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.models.functions import Now

from core.errors import DomainError
from core.json import dumps
from core.models import ArchivableModel
from core.problems import describe
from core.tenancy import active_organization_id

type Write = Callable[[list["Entry"]], None]


@dataclass(slots=True, eq=False)
class Entry:
    """One row of the request. `row` is what it names, or what is made of it; `changes` are the checked columns."""

    index: int
    op: str
    data: dict[str, Any]
    row: Any = None
    version: int | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    status: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, status: int, code: str, detail: str, pointer: str = "") -> None:
        self.status = status
        self.errors.append({"pointer": f"/rows/{self.index}{pointer}", "code": code, "detail": detail})

    def refuse_by(self, error: Exception) -> None:
        """Raises what is not the caller's fault."""
        status, code, detail, fields = describe(error)
        if not status:
            raise error
        for one in fields or [{"code": code, "detail": detail}]:
            self.refuse(status, one["code"], one["detail"], one.get("pointer", "").rstrip("/"))

    def as_json(self) -> dict[str, Any]:
        row_id: UUID | None = None if self.errors and self.op == "create" else getattr(self.row, "pk", None)
        return {"index": self.index, "status": self.status, "id": row_id, "errors": self.errors}


def write(entries: list[Entry], how: Write, status: int) -> None:
    """In one go; where the database refuses, in halves, until each row that it refuses stands alone."""
    if not entries:
        return
    try:
        with transaction.atomic():
            how(entries)
    except (IntegrityError, DataError, DomainError) as error:
        if len(entries) == 1:
            entries[0].refuse_by(error)
            return
        middle = len(entries) // 2
        write(entries[:middle], how, status)
        write(entries[middle:], how, status)
    else:
        for entry in entries:
            entry.status = status


def insert(entries: Sequence[Entry]) -> None:
    rows = [entry.row for entry in entries]
    type(rows[0])._default_manager.bulk_create(rows)


def update(entries: Sequence[Entry]) -> None:
    """The rows are locked: a column that an entry does not change gets the value that it has."""
    model = type(entries[0].row)
    fields: dict[str, Any] = {}
    for entry in entries:
        for name, value in entry.changes.items():
            setattr(entry.row, name, value)
            fields[name] = model._meta.get_field(name)
    if not fields:
        return
    quoted = connection.ops.quote_name
    columns = {quoted(one.column): one.db_type(connection) for one in fields.values()}
    sql = (
        f"UPDATE {model._meta.db_table} AS t SET {', '.join(f'{name} = d.{name}' for name in columns)}"
        f" FROM jsonb_to_recordset(%s::jsonb) AS d(id uuid, {', '.join(f'{name} {kind}' for name, kind in columns.items())})"
        " WHERE t.organization_id = %s AND t.id = d.id"
    )
    rows = [{"id": entry.row.pk} | {one.column: _plain(one, entry.row) for one in fields.values()} for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute(sql, [dumps(rows).decode(), active_organization_id()])


def remove(entries: Sequence[Entry]) -> None:
    """As DELETE does: archived, or deleted unless something refers to them."""
    model = type(entries[0].row)
    rows = model._default_manager.filter(pk__in=[entry.row.pk for entry in entries])
    if issubclass(model, ArchivableModel):
        rows.update(archived_at=Now())
    else:
        rows.delete()


def _plain(column: Any, row: models.Model) -> Any:
    value = getattr(row, column.attname)
    return value if isinstance(column, models.JSONField) else column.get_db_prep_save(value, connection)

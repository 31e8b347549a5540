"""Answering a person who asks for their data, or for its erasure, in the active organization."""

import html
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import IO, Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import storages
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import DataSubjectRequest, Membership, Role, User, UserRole
from accounts.permissions import ADMIN
from accounts.services.retention import export_path
from core.errors import Conflict
from core.files import private_files
from core.privacy import PersonalData, personal_data
from core.tenancy import active_organization_id

KEEP_EXPORT = timedelta(days=7)
DONE = {"delete": "deleted", "pseudonymise": "pseudonymised", "keep": "kept"}
DOWNLOAD = {"Content-Disposition": 'attachment; filename="personal-data.zip"', "Cache-Control": "no-store"}
BELONGS_ELSEWHERE = "SELECT accounts_belongs_elsewhere(%s)"
INDEX = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Personal data of {0}</title>
<h1>Personal data of {0}</h1><p>As of {1}.</p>
<table><thead><tr><th>What</th><th>Rows</th><th>File</th></tr></thead><tbody>{2}</tbody></table></html>
"""


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    user_id: UUID | None = None
    membership_id: UUID | None = None
    belongs_elsewhere: bool = False

    def parameters(self) -> dict[str, Any]:
        return {
            "email": self.email, "user_id": self.user_id, "membership_id": self.membership_id,
            "organization": active_organization_id(),
        }


@dataclass(frozen=True, slots=True)
class Line:
    """What happened, or would happen, to the rows of a person in one table."""

    table: str
    label: str
    outcome: str
    rows: int
    reason: str


def person_of(email: str) -> Person:
    """Known through a membership alone: who is no member here may still be a contact."""
    email = email.strip().lower()
    member = Membership.objects.filter(user__email=email).first()
    if member is None:
        return Person(email)
    with connection.cursor() as cursor:
        cursor.execute(BELONGS_ELSEWHERE, [member.user_id])
        return Person(email, member.user_id, member.pk, cursor.fetchone()[0])


def found(*, email: str) -> list[Line]:
    """What is known about a person, and where."""
    person = person_of(email)
    return [Line(data.table, data.label, "found", rows, "") for data in personal_data() if (rows := _count(data, person))]


def erasure_preview(*, email: str) -> list[Line]:
    """What an erasure would do; changes nothing. Raises Conflict where it would be refused."""
    person = person_of(email)
    _refuse_platform_staff(person)
    _refuse_last_admin(person)
    return [line for data in personal_data() if (line := _line(data, person, _count(data, person))).rows]


@transaction.atomic
def data_subject_erase(*, request: DataSubjectRequest) -> DataSubjectRequest:
    """Raises Conflict if it was done before, or would leave the organization without an Admin."""
    request = _open(request, DataSubjectRequest.Kind.ERASE)
    person = person_of(request.subject_email)
    _refuse_platform_staff(person)
    _refuse_last_admin(person)
    lines = [_line(data, person, _erase(data, person)) for data in personal_data()]
    request.report = [asdict(line) for line in lines if line.rows]
    return _done(request)


@transaction.atomic
def data_subject_export(*, request: DataSubjectRequest) -> DataSubjectRequest:
    """Everything of the person as an archive in the private storage. Raises Conflict if it was done before."""
    request = _open(request, DataSubjectRequest.Kind.EXPORT)
    with tempfile.TemporaryFile() as file:
        lines = export_write(email=request.subject_email, file=file)
        file.seek(0)
        request.result = storages["private"].save(export_path(request.pk), File(file))
    request.report = [asdict(line) for line in lines]
    request.result_expires_at = timezone.now() + KEEP_EXPORT
    return _done(request)


def export_write(*, email: str, file: IO[bytes]) -> list[Line]:
    """A zip: a JSON file for each table, and index.html, which says what they are."""
    person = person_of(email)
    lines = []
    with transaction.atomic(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for data in _by_table():
            if rows := _write_table(archive, data, person):
                lines.append(Line(data.table, data.label, "exported", rows, ""))
                _write_files(archive, data, person)
        archive.writestr("index.html", _index(person.email, lines))
    return lines


def result_open(*, request: DataSubjectRequest) -> File:
    """Raises Conflict if there is none, or none any more."""
    if not request.result or request.result_expires_at is None or request.result_expires_at < timezone.now():
        raise Conflict("There is no archive to download: it expired, or the request was no export.", code="no_result")
    file: File = storages["private"].open(request.result)
    return file


def _open(request: DataSubjectRequest, kind: str) -> DataSubjectRequest:
    locked: DataSubjectRequest = DataSubjectRequest.objects.select_for_update().get(pk=request.pk)
    if locked.kind != kind or locked.status != DataSubjectRequest.Status.OPEN:
        raise Conflict("This request has been answered: make another.", code="answered")
    return locked


def _done(request: DataSubjectRequest) -> DataSubjectRequest:
    request.status, request.completed_at = DataSubjectRequest.Status.DONE, timezone.now()
    request.save(update_fields=["status", "completed_at", "report", "result", "result_expires_at"])
    return request


def _refuse_platform_staff(person: Person) -> None:
    if person.user_id and User.objects.filter(pk=person.user_id, is_superuser=True).exists():
        raise Conflict("This person looks after the platform: no organization erases them.", code="platform_staff")


def _refuse_last_admin(person: Person) -> None:
    if person.membership_id is None:
        return
    admin = Role.objects.select_for_update().get(code=ADMIN)  # two erasures wait for each other
    others = UserRole.objects.filter(
        role=admin, expires_at=None, warehouse_ids=[], membership__status=Membership.Status.ACTIVE,
        membership__user__is_active=True, membership__user__archived_at=None,
    )
    if not others.exclude(membership_id=person.membership_id).exists():
        raise Conflict("This is the last Admin: give somebody else the role first.", code="last_admin")


def _where(data: PersonalData) -> str:
    return data.condition if data.shared else f"t.organization_id = %(organization)s AND {data.condition}"


def _is_kept(data: PersonalData, person: Person) -> bool:
    return data.erasure == "keep" or (data.shared and person.belongs_elsewhere)


def _line(data: PersonalData, person: Person, rows: int) -> Line:
    if data.erasure != "keep" and _is_kept(data, person):
        return Line(data.table, data.label, "kept", rows, "The person belongs to another organization as well.")
    return Line(data.table, data.label, DONE[data.erasure], rows, data.reason)


def _count(data: PersonalData, person: Person) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {data.table} AS t WHERE {_where(data)}", person.parameters())
        return int(cursor.fetchone()[0])


def _erase(data: PersonalData, person: Person) -> int:
    if _is_kept(data, person):
        return _count(data, person)
    changes = ", ".join(f"{column} = {value}" for column, value in data.replacements.items())
    verb = f"DELETE FROM {data.table} AS t" if data.erasure == "delete" else f"UPDATE {data.table} AS t SET {changes}"
    forgotten = _files(data._replace(files=(*data.files, *data.files_of_others)), person)
    with connection.cursor() as cursor:
        cursor.execute(f"{verb} WHERE {_where(data)}", person.parameters())
        transaction.on_commit(partial(_delete_files, forgotten))
        return int(cursor.rowcount)


def _files(data: PersonalData, person: Person) -> list[str]:
    if not data.files:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(data.files)} FROM {data.table} AS t WHERE {_where(data)}", person.parameters())
        return [key for row in cursor.fetchall() for key in row if key]


def _delete_files(keys: Iterable[str]) -> None:
    for key in keys:
        private_files().delete(key)


def _by_table() -> list[PersonalData]:
    """One of each table, which finds what any of them does."""
    found: dict[str, PersonalData] = {}
    for data in personal_data():
        if before := found.get(data.table):
            data = before._replace(
                condition=f"({before.condition} OR ({data.condition}))", hidden=tuple({*before.hidden, *data.hidden}),
                files=tuple({*before.files, *data.files}),
            )
        found[data.table] = data
    return list(found.values())


def _write_files(archive: zipfile.ZipFile, data: PersonalData, person: Person) -> None:
    """What the storage lost is no reason to answer nothing."""
    for key in _files(data._replace(files=tuple(set(data.files) - set(data.hidden))), person):
        with suppress(FileNotFoundError), private_files().open(key) as file:
            archive.writestr(f"files/{key.rpartition('/')[2]}", file.read())


def _write_table(archive: zipfile.ZipFile, data: PersonalData, person: Person) -> int:
    count = 0
    rows = _rows(data, person)
    if (first := next(rows, None)) is None:
        return 0
    with archive.open(f"{data.table}.json", "w") as file:
        file.write(b"[\n" + first)
        for count, row in enumerate(rows, start=1):  # noqa: B007  # the count is the answer
            file.write(b",\n" + row)
        file.write(b"\n]\n")
    return count + 1


def _rows(data: PersonalData, person: Person) -> Iterator[bytes]:
    sql = f"SELECT (to_jsonb(t) - %(hidden)s::text[])::text FROM {data.table} AS t WHERE {_where(data)}"
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, {**person.parameters(), "hidden": list(data.hidden)})
        for (row,) in cursor:
            yield json.dumps(json.loads(row), ensure_ascii=False, indent=1).encode()


def _index(email: str, lines: list[Line]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(line.label)}</td><td>{line.rows}</td>"
        f'<td><a href="{line.table}.json">{line.table}.json</a></td></tr>'
        for line in lines
    )
    return INDEX.format(html.escape(email), timezone.now().strftime("%Y-%m-%d %H:%M UTC"), rows)

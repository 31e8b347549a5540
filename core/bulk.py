"""POST /<resources>/bulk/: up to a thousand writes in one request, by a handful of statements."""

import math
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import connection
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.bulk_rows import Entry, insert, remove, update, write
from core.by_ref import REF
from core.limits import reach, refuse_outside
from core.models import ArchivableModel
from core.permitting import permission_of
from core.problems import MissingPermission
from core.serializers import StrictSerializer
from core.tenancy import active_organization_id
from core.within import holder

MOST_ROWS = 1_000
VERBS_OF = {"create": ("add",), "update": ("change",), "upsert": ("add", "change"), "delete": ("delete",)}
CREATE, UPDATE, UPSERT, DELETE = VERBS_OF


class Refused(exceptions.APIException):
    """An atomic request of which some rows are wrong; `fields` names each of them."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid"

    def __init__(self, errors: list[dict[str, str]], rows: int) -> None:
        super().__init__(f"Nothing was written, because {rows} of the rows {'is' if rows == 1 else 'are'} wrong.")
        self.fields = errors


class BulkSerializer(StrictSerializer):
    mode = serializers.ChoiceField(
        ["atomic", "partial"], default="atomic", help_text="All rows or none; or those that are right, and why not the others.",
    )
    rows = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=MOST_ROWS)


class Bulk:
    """The part of a viewset that takes many writes at once."""

    request: Any
    model: Any
    settle: Any
    get_queryset: Any
    get_serializer: Any
    bulk_operations: Sequence[str] = tuple(VERBS_OF)
    no_bulk: str = ""  # why some operations are missing above

    @classmethod
    def takes_bulk(cls) -> bool:
        return bool(cls.bulk_operations) and "post" in getattr(cls, "http_method_names", [])

    def bulk(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or math.inf):
            raise RequestDataTooBig
        serializer = BulkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        mode, rows = serializer.validated_data["mode"], serializer.validated_data["rows"]
        entries = [Entry(index, _text(row.pop("op", CREATE)), row) for index, row in enumerate(rows)]
        self._demand({entry.op for entry in entries})
        BulkRun(self, entries).execute()
        wrong = [entry for entry in entries if entry.errors]
        if wrong and mode == "atomic":
            raise Refused([error for entry in wrong for error in entry.errors], len(wrong))
        made = mode == "atomic" and all(entry.status == status.HTTP_201_CREATED for entry in entries)
        body = {
            "mode": mode, "succeeded": len(entries) - len(wrong), "failed": len(wrong),
            "results": [entry.as_json() for entry in entries],
        }  # fmt: skip
        return Response(body, status=status.HTTP_201_CREATED if made else status.HTTP_200_OK)

    def _demand(self, operations: Iterable[Any]) -> None:
        held = self.request._request.principal.permissions
        for op in sorted(op for op in operations if isinstance(op, str)):
            for verb in VERBS_OF.get(op, ()):
                if (needed := permission_of(self.model(), verb)) not in held:
                    raise MissingPermission(needed)


def _text(op: Any) -> str:
    """What is no text is no operation either."""
    return op if isinstance(op, str) else ""


class BulkRun:
    """Checks entries and writes those that are right. `view` takes bulk, and has a request."""

    def __init__(self, view: Bulk, entries: list[Entry]) -> None:
        self.view, self.entries = view, entries
        self.model = view.model()
        self.has_refs = any(one.name == REF for one in self.model._meta.concrete_fields)
        self.serializers = {partial: view.get_serializer(partial=partial) for partial in (False, True)}

    def execute(self) -> None:
        for entry in self.entries:
            self._read(entry)
        self._find()
        self._stay_within()
        for entry in self._sound():
            self._check(entry)
        # In this order, so that a name which one row gives up is free for another.
        self._write(DELETE, remove, status.HTTP_204_NO_CONTENT)
        self._write(UPDATE, update, status.HTTP_200_OK)
        self._write(CREATE, insert, status.HTTP_201_CREATED)
        for op, verb in ((CREATE, "add"), (UPDATE, "change")):
            if ids := [entry.row.pk for entry in self._sound() if entry.op == op]:
                self.view.settle(ids, verb)

    def _sound(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.errors]

    def _write(self, op: str, how: Any, done: int) -> None:
        write([entry for entry in self._sound() if entry.op == op], how, done)

    def _read(self, entry: Entry) -> None:
        """What the row is about, apart from its fields."""
        if entry.op not in self.view.bulk_operations:
            known = ", ".join(self.view.bulk_operations)
            why = f" {self.view.no_bulk}" if entry.op in VERBS_OF else ""
            entry.refuse(400, "invalid", f"op: one of {known}.{why}", "/op")
        elif entry.op != CREATE:
            version = entry.data.pop("version", None)
            if version is not None and (type(version) is not int or version < 1):
                entry.refuse(400, "invalid", "Give the version as a whole number.", "/version")
            entry.version = version
            self._name(entry)

    def _name(self, entry: Entry) -> None:
        """By id, or by external_ref where there is no id; the name is left in `row` until the row itself is found."""
        if entry.op != UPSERT and "id" in entry.data:
            try:
                entry.row = UUID(entry.data.pop("id"))
            except (ValueError, AttributeError, TypeError):
                entry.refuse(400, "invalid", "Give the id (a UUID) of a row.", "/id")
        elif self.has_refs and isinstance(ref := entry.data.get(REF), str) and ref.strip() and "\0" not in ref:
            entry.row = ref.strip()
            if entry.op != UPSERT:
                del entry.data[REF]
        else:
            names = [*(["id"] if entry.op != UPSERT else []), *([REF] if self.has_refs else [])]
            what = f"Say which row, by {' or '.join(names)}." if names else "Rows have no external_ref here."
            entry.refuse(400, "required", what, f"/{names[0] if names else 'op'}")

    def _find(self) -> None:
        named = [entry for entry in self._sound() if entry.op != CREATE]
        if any(entry.op == UPSERT for entry in named):
            self._wait_for_twins()
        found: dict[Any, Any] = {}
        for kind, column in ((UUID, "id"), (str, REF)):
            if wanted := [entry.row for entry in named if isinstance(entry.row, kind)]:
                rows = self.view.get_queryset().filter(**{f"{column}__in": wanted}).select_for_update(no_key=True)
                found |= {getattr(row, column): row for row in rows.order_by("pk")}
        seen: dict[Any, int] = {}
        for entry in named:
            row = found.get(name := entry.row)
            if (first := seen.setdefault(row.pk if row else name, entry.index)) != entry.index:
                entry.refuse(400, "repeated", f"Row {first} of this request is about the same.")
            entry.row = row
            if not entry.errors:
                self._settle(entry)

    def _stay_within(self) -> None:
        """Raises OutsideWarehouses for rows that the request may see but not change, or not delete."""
        for op, verb in ((UPDATE, "change"), (UPSERT, "change"), (DELETE, "delete")):
            if keys := [entry.row.pk for entry in self._sound() if entry.op == op and entry.row is not None]:
                refuse_outside(self.model, keys, reach(holder(self.view.request), permission_of(self.model, verb)))

    def _wait_for_twins(self) -> None:
        """Two bulk requests that make the same new references would each find the other's rows too late."""
        with connection.cursor() as cursor:
            name = f"bulk {self.model._meta.db_table} {active_organization_id()}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])

    def _settle(self, entry: Entry) -> None:
        """Whether the row that was found, or none, is as the entry wants it; an upsert becomes what it then is."""
        row = entry.row
        if row is None and (entry.op != UPSERT or entry.version is not None):
            entry.refuse(404, "not_found", "There is no such row in this organization.")
        elif row is not None and entry.version not in (None, row.version):
            entry.refuse(412, "stale", f"The row is at version {row.version} by now.", "/version")
        elif entry.op == UPSERT and isinstance(row, ArchivableModel) and row.archived_at is not None:
            entry.refuse(409, "archived", f"The row with this external_ref is archived: restore {row.pk} first.")

    def _check(self, entry: Entry) -> None:
        serializer = self.serializers[entry.op == UPDATE]
        if entry.op == UPSERT:
            entry.op = CREATE if entry.row is None else UPDATE
        if entry.op == DELETE:
            for name in entry.data:
                entry.refuse(400, "unknown_field", "A row that is deleted takes no fields.", f"/{name}")
            return
        serializer.instance = entry.row
        try:
            entry.changes = serializer.run_validation(entry.data)
            if entry.row is None:
                entry.row = self.model(**entry.changes)
        except exceptions.ValidationError as error:
            entry.refuse_by(error)

"""What commands have in common that import tables of another system."""

import sys
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from accounts.services.tenancy import organization_scope_of
from core.constraints import violated
from core.errors import DomainError, Invalid
from core.records import Fault, Record, Records, UnreadableFile, read_records
from core.tenancy import Origin, organization_scope
from inventory.services.table_run import TableRun

FORMATS = "JSON lines, JSON, CSV or DynamoDB's export, also packed by gzip"
CODES = "Exit code 0: every record is in; 1: some were left out, the rest is in; 2: nothing was done."


class TableImport(BaseCommand):
    tables: ClassVar[Sequence[str]]
    reason: ClassVar[str]
    remark: ClassVar[str] = ""

    @abstractmethod
    def write(self, run: TableRun, tables: Mapping[str, Sequence[Record]]) -> None:
        """Into the active organization, within one transaction."""

    def add_arguments(self, parser: CommandParser) -> None:
        for table in self.tables:
            parser.add_argument(
                f"--{table}", type=Path, nargs="+", default=[], metavar="FILE", help=f"with {table}, or a folder with such files",
            )
        self.add_general_arguments(parser)

    def add_general_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="SLUG", help="it must be there")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, organization: str, dry_run: bool = False, **options: Any) -> None:
        if not any(options[table] for table in self.tables):
            named = " or ".join(f"--{table} FILE" for table in self.tables)
            raise CommandError(f"Say what to import: {named}, or both.", returncode=2)
        self.take(organization, {table: options[table] for table in self.tables}, dry_run=dry_run)

    def take(self, organization: str, files: Mapping[str, Sequence[Path]], *, dry_run: bool) -> None:
        """Those of each table. Raises CommandError, or SystemExit where some records are left out."""
        try:
            organization_id = organization_scope_of(organization)
        except Invalid as error:
            advice = f"Make it with `manage.py create_organization {organization} --admin EMAIL`."
            raise CommandError(f"{error} {advice}", returncode=2) from error
        run = TableRun()
        try:
            read = {table: read_records(paths) for table, paths in files.items()}
            with organization_scope(organization_id, origin=Origin(reason=self.reason)):
                self.write(run, {table: records.rows for table, records in read.items()})
                transaction.set_rollback(dry_run)
        except (UnreadableFile, DomainError) as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        except DatabaseError as error:
            if (violation := violated(error)) is None:
                raise
            raise CommandError(f"Nothing was imported. {violation.detail}", returncode=2) from error
        faults = [*(fault for records in read.values() for fault in records.faults), *run.faults]
        self._report(read, run, faults, dry_run=dry_run)
        if faults:
            sys.exit(1)

    def _report(self, read: Mapping[str, Records], run: TableRun, faults: Sequence[Fault], *, dry_run: bool) -> None:
        self._table(("table", "records", "unreadable"), [
            (name, len(records.rows) + len(records.faults), len(records.faults)) for name, records in read.items()
        ])
        self._table(("into", "created", "updated", "unchanged"), [
            (label, counts.created, counts.updated, counts.unchanged) for label, counts in run.counts.items()
        ])
        if faults:
            self.stdout.write("\n".join(["Left out:", *(f"  {fault}" for fault in faults), ""]))
        if self.remark:
            self.stdout.write(self.remark)
        if dry_run:
            self.stdout.write("This was a dry run: nothing was written.")

    def _table(self, heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        for first, *rest in [heads, *rows]:
            self.stdout.write(f"{first:<20}" + "".join(f"{cell:>11}" for cell in rest))
        self.stdout.write("")

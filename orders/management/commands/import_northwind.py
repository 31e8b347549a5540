import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from accounts.services.tenancy import organization_scope_of
from core.constraints import violated
from core.dirty_csv import UnreadableTable
from core.errors import DomainError, Invalid
from core.tenancy import Origin, organization_scope
from inventory.services.northwind import northwind_import, northwind_read, remarks
from inventory.services.northwind_run import Run
from orders.services.northwind import northwind_orders_import


class Command(BaseCommand):
    help = (
        "Import a folder of Northwind's CSV files into an organization. A second run changes nothing."
        " Exit code 0: every row was read or repaired; 1: some were left out, the rest is in; 2: nothing was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="such as demo/northwind")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="it must be there")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, folder: Path, organization: str, dry_run: bool = False, **options: Any) -> None:
        try:
            organization_id = organization_scope_of(organization)
        except Invalid as error:
            advice = f"Make it with `manage.py create_organization {organization} --admin EMAIL`."
            raise CommandError(f"{error} {advice}", returncode=2) from error
        try:
            run = northwind_read(folder=folder)
            with organization_scope(organization_id, origin=Origin(reason="Northwind import")):
                northwind_import(run=run)
                northwind_orders_import(run=run)
                said = remarks(run)
                transaction.set_rollback(dry_run)
        except (UnreadableTable, DomainError) as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        except DatabaseError as error:
            if (violation := violated(error)) is None:
                raise
            raise CommandError(f"Nothing was imported. {violation.detail}", returncode=2) from error
        self._report(run, said, dry_run=dry_run)
        if run.problems:
            sys.exit(1)

    def _report(self, run: Run, remarks: list[str], *, dry_run: bool) -> None:
        self._table(
            ("file", "rows", "repaired", "left out"),
            [(name, len(reading.rows), len(reading.repairs), sum(problem.file == name for problem in run.problems))
             for name, reading in run.readings.items()],
        )
        self._table(
            ("into", "created", "updated", "unchanged"),
            [(label, counts.created, counts.updated, counts.unchanged) for label, counts in run.counts.items()],
        )
        self._list("Repaired:", run.repairs)
        self._list("Left out:", run.problems)
        for remark in remarks:
            self.stdout.write(remark)
        if dry_run:
            self.stdout.write("This was a dry run: nothing was written.")

    def _table(self, heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        for first, *rest in [heads, *rows]:
            self.stdout.write(f"{first:<20}" + "".join(f"{cell:>10}" for cell in rest))
        self.stdout.write("")

    def _list(self, title: str, entries: list[Any]) -> None:
        if entries:
            self.stdout.write("\n".join([title, *(f"  {entry}" for entry in entries)]))
            self.stdout.write("")

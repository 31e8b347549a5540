import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from accounts.services.tenancy import organization_scope_of
from core.constraints import violated
from core.errors import DomainError, Invalid
from core.records import Records, UnreadableFile, read_records
from core.tenancy import Origin, organization_scope
from inventory.services.shop_items import shop_items_import
from inventory.services.table_run import TableRun
from orders.services.shop_orders import shop_orders_import


class Command(BaseCommand):
    help = (
        "Import the tables items and orders of an earlier shop: JSON lines, JSON, CSV or DynamoDB's export, also packed by"
        " gzip. A second run changes nothing. Exit code 0: every record is in; 1: some were left out, the rest is in; 2: nothing"
        " was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for table in ("items", "orders"):
            parser.add_argument(
                f"--{table}", type=Path, nargs="+", default=[], metavar="FILE", help=f"with {table}, or a folder with such files",
            )
        parser.add_argument("--organization", required=True, metavar="SLUG", help="it must be there")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(
        self, *args: Any, items: list[Path], orders: list[Path], organization: str, dry_run: bool = False, **options: Any,
    ) -> None:
        if not items and not orders:
            raise CommandError("Say what to import: --items FILE, --orders FILE, or both.", returncode=2)
        try:
            organization_id = organization_scope_of(organization)
        except Invalid as error:
            advice = f"Make it with `manage.py create_organization {organization} --admin EMAIL`."
            raise CommandError(f"{error} {advice}", returncode=2) from error
        run = TableRun()
        try:
            tables = {"items": read_records(items), "orders": read_records(orders)}
            with organization_scope(organization_id, origin=Origin(reason="Shop import")):
                shop_items_import(run=run, records=tables["items"].rows)
                shop_orders_import(run=run, records=tables["orders"].rows)
                transaction.set_rollback(dry_run)
        except (UnreadableFile, DomainError) as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        except DatabaseError as error:
            if (violation := violated(error)) is None:
                raise
            raise CommandError(f"Nothing was imported. {violation.detail}", returncode=2) from error
        faults = [*tables["items"].faults, *tables["orders"].faults, *run.faults]
        self._report(tables, run, faults, dry_run=dry_run)
        if faults:
            sys.exit(1)

    def _report(self, tables: dict[str, Records], run: TableRun, faults: list[Any], *, dry_run: bool) -> None:
        self._table(("table", "records", "unreadable"), [
            (name, len(read.rows) + len(read.faults), len(read.faults)) for name, read in tables.items()
        ])
        self._table(("into", "created", "updated", "unchanged"), [
            (label, counts.created, counts.updated, counts.unchanged) for label, counts in run.counts.items()
        ])
        if faults:
            self.stdout.write("\n".join(["Left out:", *(f"  {fault}" for fault in faults), ""]))
        self.stdout.write("Orders are documents of the past: they post no stock and tell nobody. Placed ones wait for goods.")
        if dry_run:
            self.stdout.write("This was a dry run: nothing was written.")

    def _table(self, heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        for first, *rest in [heads, *rows]:
            self.stdout.write(f"{first:<20}" + "".join(f"{cell:>11}" for cell in rest))
        self.stdout.write("")

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.tenancy import organization_scope_of
from core.dirty_csv import UnreadableTable
from core.errors import DomainError, Invalid
from core.tenancy import Origin, organization_scope
from inventory.services.vehicles import FILE, Choice, vehicles_import


class Command(BaseCommand):
    help = (
        "Import vehicle models (year, make, model) into an organization. A second run changes nothing."
        " Exit code 0: every row was read; 1: some were left out, the rest is in; 2: nothing was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="SLUG", help="it must be there")
        parser.add_argument("--file", type=Path, default=FILE, help="in place of the file of 19,772 models that comes along")
        parser.add_argument("--make", action="append", default=[], help="these makes alone; may be repeated")
        parser.add_argument("--from", type=int, default=Choice().year_from, dest="year_from", metavar="YEAR", help="first year")
        parser.add_argument("--to", type=int, default=Choice().year_to, dest="year_to", metavar="YEAR", help="last year")

    def handle(
        self, *args: Any, organization: str, file: Path, make: list[str], year_from: int, year_to: int, **options: Any,
    ) -> None:
        try:
            organization_id = organization_scope_of(organization)
        except Invalid as error:
            advice = f"Make it with `manage.py create_organization {organization} --admin EMAIL`."
            raise CommandError(f"{error} {advice}", returncode=2) from error
        try:
            with organization_scope(organization_id, origin=Origin(reason="Vehicle import")):
                done = vehicles_import(path=file, choice=Choice(make, year_from, year_to))
        except (UnreadableTable, DomainError) as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        self.stdout.write(f"{done.created:,} vehicle models created, {done.unchanged:,} unchanged.")
        if done.problems:
            self.stdout.write("\n".join(["Left out:", *(f"  {problem}" for problem in done.problems)]))
            sys.exit(1)

import sys
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from core import wall
from core.invariants import declared, failing
from core.tenancy import organization_scope

SHOWN = 20  # rows of each invariant: what is wrong in one way is mostly wrong in many rows


class Command(BaseCommand):
    help = "Prove the invariants of every organization's data, and the wall between them; exit 1 if one fails."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--organization", help="a slug; without it, all")
        parser.add_argument("--all-rows", action="store_true", help=f"name all that fails, not the first {SHOWN} of each kind")

    def handle(self, *args: Any, organization: str | None = None, all_rows: bool = False, **options: Any) -> None:
        rows = apps.get_model("accounts", "Organization").objects.using("worker").order_by("slug")
        if organization:
            rows = rows.filter(slug=organization)
            if not rows:
                raise CommandError(f"There is no organization {organization!r}.", returncode=2)
        most = None if all_rows else SHOWN
        with connections["worker"].cursor() as cursor:
            deviations = wall.deviations(cursor)
        failures = self._say("installation", "the wall is whole", deviations[:most], len(deviations))
        for row in rows:
            with organization_scope(row.pk):
                for invariant in declared():
                    failures += self._say(row.slug, invariant.name, *failing(invariant, most))
        if failures:
            self.stderr.write(f"{failures} rows fail.")
            sys.exit(1)

    def _say(self, where: str, name: str, shown: list[str], found: int) -> int:
        self.stdout.write(f"{'FAIL' if found else 'ok  '} {where}: {name}")
        for row in shown:
            self.stdout.write(f"     {row}")
        if found > len(shown):
            self.stdout.write(f"     and {found - len(shown):,} more, which --all-rows names")
        return found

import sys
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from core import wall
from core.invariants import broken
from core.tenancy import organization_scope


class Command(BaseCommand):
    help = "Prove the invariants of every organization's data, and the wall between them; exit 1 if one fails."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--organization", help="a slug; without it, all")

    def handle(self, *args: Any, organization: str | None = None, **options: Any) -> None:
        rows = apps.get_model("accounts", "Organization").objects.using("worker").order_by("slug")
        if organization:
            rows = rows.filter(slug=organization)
            if not rows:
                raise CommandError(f"There is no organization {organization!r}.", returncode=2)
        with connections["worker"].cursor() as cursor:
            failures = self._say("installation", "the wall is whole", wall.deviations(cursor))
        for row in rows:
            with organization_scope(row.pk):
                for invariant, found in broken():
                    failures += self._say(row.slug, invariant.name, found)
        if failures:
            self.stderr.write(f"{failures} rows fail.")
            sys.exit(1)

    def _say(self, where: str, name: str, found: list[str]) -> int:
        self.stdout.write(f"{'FAIL' if found else 'ok  '} {where}: {name}")
        for row in found:
            self.stdout.write(f"     {row}")
        return len(found)

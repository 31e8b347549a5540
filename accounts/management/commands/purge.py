from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.retention import Purged, purge, purge_everywhere
from accounts.services.tenancy import organization_scope_of
from core.budget import Budget
from core.errors import DomainError


class Command(BaseCommand):
    help = "Remove what the retention policies say has lived long enough; the daily purge, now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="a slug; without it, all, and the installation's own tables")
        parser.add_argument("--dry-run", action="store_true", help="say how many would go, and remove nothing")
        parser.add_argument("--seconds", type=float, help="stop when they are over; run it again for the rest")

    def handle(self, *args: Any, organization: str | None = None, dry_run: bool = False, **options: Any) -> None:
        budget = Budget(options["seconds"])
        if organization is None:
            found = purge_everywhere(dry_run=dry_run, budget=budget)
        else:
            try:
                organization_id = organization_scope_of(organization)
            except DomainError as error:
                raise CommandError(error.detail, returncode=2) from error
            found = {organization: list(purge(organization_id=organization_id, dry_run=dry_run, budget=budget))}
        for slug, lines in sorted(found.items()):
            for line in lines:
                self.stdout.write(f"{slug or 'installation'}: {line.data_class}: {self._outcome(line, dry_run)}")
        if budget.ran_out:
            self.stdout.write("The time was over: run it again for the rest.")

    def _outcome(self, line: Purged, dry_run: bool) -> str:
        if line.held:
            return "held by a legal hold"
        done = "pseudonymised" if line.action == "pseudonymise" else "deleted"
        return f"{line.rows:,} would be {done}" if dry_run else f"{line.rows:,} {done}"

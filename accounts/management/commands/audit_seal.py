from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.seals import audit_seal, audit_seal_everywhere
from accounts.services.tenancy import organization_scope_of
from core.budget import Budget
from core.errors import Conflict, DomainError


class Command(BaseCommand):
    help = "Seal the audit entries that are not sealed yet, and put a copy of each seal into the private storage."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="a slug; without it, all")
        parser.add_argument("--seconds", type=float, help="stop when they are over; run it again for the rest")

    def handle(self, *args: Any, organization: str | None = None, **options: Any) -> None:
        budget = Budget(options["seconds"])
        try:
            if organization is None:
                sealed = audit_seal_everywhere(budget=budget)
            else:
                sealed = audit_seal(organization_id=organization_scope_of(organization), budget=budget)
        except Conflict as error:
            raise CommandError(error.detail) from error
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        self.stdout.write(f"Sealed {sealed:,} entries.")
        if budget.ran_out:
            self.stdout.write("The time was over: run it again for the rest.")

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.tenancy import organization_scope_of
from core.errors import DomainError
from core.tenancy import organization_scope
from inventory.services.replenishment import reorder_check, reorder_check_everywhere


class Command(BaseCommand):
    help = "Make a reorder task for each rule whose stock is at or under its minimum; a second run makes none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="a slug; without it, all")

    def handle(self, *args: Any, organization: str | None = None, **options: Any) -> None:
        if organization is None:
            self.stdout.write(f"Made {reorder_check_everywhere()} tasks.")
            return
        try:
            organization_id = organization_scope_of(organization)
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        with organization_scope(organization_id):
            self.stdout.write(f"Made {reorder_check()} tasks.")

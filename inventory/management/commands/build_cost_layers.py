from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from accounts.services.tenancy import organization_scope_of
from core.errors import DomainError
from core.tenancy import organization_scope
from inventory.services.cost_building import cost_layers_build


class Command(BaseCommand):
    help = "Give a value to the moves that have none, posted before there were cost layers. May be stopped and begun again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="a slug; without it, all")

    def handle(self, *args: Any, organization: str | None = None, **options: Any) -> None:
        try:
            chosen = {organization: organization_scope_of(organization)} if organization else self._all()
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        for slug, organization_id in chosen.items():
            self.stdout.write(f"{slug}: {self._build(organization_id)} moves had no value yet.")

    def _all(self) -> dict[str, UUID]:
        return dict(Organization.objects.using("worker").order_by("slug").values_list("slug", "id"))

    def _build(self, organization_id: UUID) -> int:
        """A transaction for each batch."""
        after: int | None = 0
        total = 0
        while after is not None:
            with organization_scope(organization_id):
                after, valued = cost_layers_build(after=after)
            total += valued
        return total

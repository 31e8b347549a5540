from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.providers import identity_provider_approve
from accounts.services.tenancy import organization_scope_of
from core.errors import DomainError


class Command(BaseCommand):
    help = "Let an organization's identity provider sign its members in; a change of its addresses needs this again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its slug")
        parser.add_argument("--issuer", required=True, help="as the provider has it, to the letter")
        parser.add_argument("--withdraw", action="store_true", help="take the approval back")

    def handle(self, *args: Any, organization: str, issuer: str, withdraw: bool, **options: Any) -> None:
        try:
            organization_id = organization_scope_of(organization)
            found = identity_provider_approve(organization_id=organization_id, issuer=issuer, withdraw=withdraw)
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        for provider in found:
            what = "no longer counts" if withdraw else "counts from now on"
            self.stdout.write(f"{provider.name} {what}: {provider.issuer} for {provider.audience}, keys at {provider.keys_url}.")

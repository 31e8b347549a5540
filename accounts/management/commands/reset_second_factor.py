from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.recovery import second_factors_reset_by_operator
from core.errors import DomainError


class Command(BaseCommand):
    help = "Remove all second factors of somebody who lost them, and tell them by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="how you know that it is them; kept in the audit trail")

    def handle(self, *args: Any, email: str, reason: str, **options: Any) -> None:
        try:
            second_factors_reset_by_operator(email=email, reason=reason)
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        self.stdout.write(f"{email} has no second factor any more.")

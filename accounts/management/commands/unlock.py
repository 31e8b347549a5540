from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.attempts import account_unlock, address_unlock


class Command(BaseCommand):
    help = "Let somebody try again who was locked out by wrong passwords or codes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", default="", help="the account")
        parser.add_argument("--address", default="", help="an IP address that is locked out")

    def handle(self, *args: Any, email: str, address: str, **options: Any) -> None:
        if bool(email) == bool(address):
            raise CommandError("Give an e-mail address or --address, one of both.", returncode=2)
        found = account_unlock(account=email) if email else address_unlock(address=address)
        if not found:
            raise CommandError(f"No failed sign-ins of {email or address} are known.", returncode=2)
        self.stdout.write(f"{email or address} may sign in again.")

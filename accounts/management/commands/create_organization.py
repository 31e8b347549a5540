import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services.tenancy import organization_found
from core.currencies import CURRENCIES
from core.errors import DomainError


class Command(BaseCommand):
    help = "Found an organization, with its first Admin: a new person, or one who is here already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its short name, such as northwind")
        parser.add_argument("--name", help="such as 'Northwind Traders'; without it, the slug")
        parser.add_argument("--currency", default="EUR", help="the base currency by ISO 4217 (EUR)")
        parser.add_argument("--timezone", default="UTC", help="such as Europe/Lisbon (UTC)")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="who becomes its Admin")
        parser.add_argument("--admin-name", default="", help="of a new person")
        parser.add_argument("--password-stdin", action="store_true", help="read the password of a new person")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        name, currency = options["name"] or slug, options["currency"]
        values = {"name": name, "base_currency": currency, "timezone": options["timezone"]}
        if currency not in CURRENCIES:
            raise CommandError(f"{currency!r} is no currency; write it like EUR.", returncode=2)
        try:
            Organization(slug=slug, **values).clean_fields()
            admin, is_new = self._admin(options)
            with transaction.atomic():
                admin.save()
                organization_found(slug=slug, founder=admin, **values)
        except ValidationError as error:
            raise CommandError(_sentence(error), returncode=2) from error
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        password = ", with the password just given" if is_new else ""
        self.stdout.write(f"Founded {slug}; {admin.email} is its Admin{password}.")

    def _admin(self, options: dict[str, Any]) -> tuple[User, bool]:
        """Not saved yet."""
        email = options["admin"].strip().lower()
        if user := User.objects.filter(email=email).first():
            user.is_staff = True  # the admin pages are an Admin's place of work
            return user, False
        user = User(email=email, name=options["admin_name"] or email.partition("@")[0], is_staff=True)
        user.email_verified_at = timezone.now()  # the operator answers for the address
        user.clean_fields(exclude=["password"])
        password = _from_stdin() if options["password_stdin"] else _asked(email)
        validate_password(password, user)
        user.set_password(password)
        return user, True


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _asked(email: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to be asked for a password: give it with --password-stdin.", returncode=2)
    password = getpass(f"Password for {email}: ")
    if getpass("Once more: ") != password:
        raise CommandError("The two passwords differ: start again.", returncode=2)
    return password


def _sentence(error: ValidationError) -> str:
    if hasattr(error, "error_dict"):
        return " ".join(f"{name}: {message}" for name, messages in error.message_dict.items() for message in messages)
    return " ".join(error.messages)

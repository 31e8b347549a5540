from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from accounts.models import DataSubjectRequest
from accounts.services.privacy import Line, data_subject_erase, erasure_preview, export_write
from accounts.services.tenancy import organization_scope_of
from core.errors import DomainError
from core.tenancy import Origin, organization_scope


class Command(BaseCommand):
    help = "Export everything of a person from an organization, or erase it; an erasure without --yes says what it would do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="of the person")
        parser.add_argument("--organization", required=True, help="a slug")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--export", metavar="FILE", help="a zip that does not exist yet")
        what.add_argument("--erase", action="store_true")
        parser.add_argument("--yes", action="store_true", help="erase; this cannot be taken back")

    def handle(self, *args: Any, email: str, organization: str, export: str | None, yes: bool, **options: Any) -> None:
        try:
            validate_email(email)
            with organization_scope(organization_scope_of(organization), origin=Origin(reason="manage.py data_subject")):
                lines = self._export(email, Path(export)) if export else self._erase(email, yes)
        except ValidationError as error:
            raise CommandError(f"{email!r} is no e-mail address.", returncode=2) from error
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}: name a new file.", returncode=2) from error
        for line in lines:
            self.stdout.write(f"{line.label}: {line.rows:,} {line.outcome}" + (f" ({line.reason})" if line.reason else ""))
        if not lines:
            self.stdout.write(f"Nothing is known about {email}.")
        elif options["erase"] and not yes:
            self.stdout.write("Nothing was changed yet: say --yes to do it.")

    def _export(self, email: str, path: Path) -> list[Line]:
        with path.open("xb") as file:
            try:
                return export_write(email=email, file=file)
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    def _erase(self, email: str, yes: bool) -> list[Line]:
        if not yes:
            return erasure_preview(email=email)
        request = DataSubjectRequest.objects.create(kind=DataSubjectRequest.Kind.ERASE, subject_email=email.lower())
        return [Line(**line) for line in data_subject_erase(request=request).report]

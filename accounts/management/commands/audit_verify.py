import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from accounts.queries.seals import BEFORE_ALL, Link, check_copies, checked, copy_digest, unsealed
from accounts.services.tenancy import organization_scope_of
from core.errors import DomainError


class Command(BaseCommand):
    help = "Check every sealed audit entry, and the chain of the seals; exit 1 and each position if something deviates."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="a slug; without it, all")
        parser.add_argument("--with-copies", action="store_true", help="compare each seal with its copy in the private storage")

    def handle(self, *args: Any, organization: str | None = None, with_copies: bool = False, **options: Any) -> None:
        rows = Organization.objects.using("worker").order_by("slug")
        if organization:
            try:
                rows = rows.filter(pk=organization_scope_of(organization))
            except DomainError as error:
                raise CommandError(error.detail, returncode=2) from error
        deviations = sum(self._check(row.pk, row.slug, with_copies) for row in rows)
        if deviations:
            self.stderr.write(f"{deviations} deviations.")
            sys.exit(1)

    def _check(self, organization_id: UUID, slug: str, with_copies: bool) -> int:
        entries = deviations = 0
        last: Link | None = None
        copies: dict[int, str] = {}
        for link, found in checked(organization_id):
            entries, last = entries + link.entries, link
            if with_copies:
                copies[link.number] = copy_digest(organization_id, link)
            deviations += self._say(slug, found)
        if with_copies:
            deviations += self._say(slug, list(check_copies(organization_id, copies)))
        rest = unsealed(organization_id, last.last_id if last else BEFORE_ALL)
        state = "FAIL" if deviations else "ok  "
        self.stdout.write(f"{state} {slug}: {last.number if last else 0} seals, {entries:,} entries; {rest:,} not sealed yet")
        return deviations

    def _say(self, slug: str, found: list[Any]) -> int:
        for deviation in found:
            self.stdout.write(f"     {slug}: {deviation}")
        return len(found)

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from inventory.services.search import search_rebuild


class Command(BaseCommand):
    help = (
        "Give products and variants the words by which they are found, where these are missing: once after the release that"
        " brought the search, and after a new source of words. It may be broken off and run again, while people work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="without it, all")
        parser.add_argument("--anew", action="store_true", help="make all words again, also those that are there")

    def handle(self, *args: Any, organization: str | None = None, anew: bool = False, **options: Any) -> None:
        rows = Organization.objects.using("worker").order_by("slug")
        if organization:
            rows = rows.filter(slug=organization)
            if not rows:
                raise CommandError(f"There is no organization {organization!r}.", returncode=2)
        for row in rows:
            count = sum(search_rebuild(organization_id=row.pk, anew=anew))
            self.stdout.write(f"{row.slug}: {count:,} rows.")

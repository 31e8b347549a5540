from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.catalogue import PAGE, page


class Command(BaseCommand):
    help = "Write docs/event-types.md: what is told, with fields and examples."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        wanted = page()
        if check:
            if not PAGE.exists() or PAGE.read_text() != wanted:
                raise CommandError(f"{PAGE.name} is not up to date: run manage.py event_types.", returncode=1)
            return
        PAGE.write_text(wanted)
        self.stdout.write(f"Wrote {PAGE.relative_to(PAGE.parents[1])}.")

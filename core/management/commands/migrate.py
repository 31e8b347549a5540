from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

from core import wall
from core.light_migrations import light_migrations


class Command(Migrate):
    """Django's migrate as the owner, and then the wall around what it made."""

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        with light_migrations():
            super().handle(*args, **options)
        if options["plan"] or options["check_unapplied"]:
            return
        with connections[options["database"]].cursor() as cursor:
            built = wall.build(cursor)
        if options["verbosity"]:
            self.stdout.write(f"Wall: {len(built)} facts built." if built else "Wall: whole.")

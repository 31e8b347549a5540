"""A page of the documentation that a command writes from the code, and that a test compares with it."""

from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser


class PageCommand(BaseCommand):
    file: ClassVar[Path]

    def page(self) -> str:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        wanted = self.page()
        if check:
            if not self.file.exists() or self.file.read_text() != wanted:
                command = type(self).__module__.rpartition(".")[2]
                raise CommandError(f"{self.file.name} is not up to date: run manage.py {command}.", returncode=1)
            return
        self.file.write_text(wanted)
        self.stdout.write(f"Wrote {self.file.relative_to(self.file.parents[1])}.")

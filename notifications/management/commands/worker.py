import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connections

from notifications.worker import Worker


class Command(BaseCommand):
    help = "Relay events, run jobs and tick schedules until SIGTERM or Ctrl-C, which let the job at hand finish."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what can be done now, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            worker.stopping.set()

        previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            worker.drain() if options["once"] else worker.serve()
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", "") != "42P01":  # undefined_table
                raise
            raise CommandError("The tables are not there yet: run `manage.py migrate`.", returncode=2) from error
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            connections.close_all()

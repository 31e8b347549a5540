import logging
import os
import signal
import sys
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connections

from core.budget import Budget
from notifications.deliveries import deliveries_leave
from notifications.worker import GRACE, Worker


class Command(BaseCommand):
    requires_system_checks = ()  # of code, which `check` looks at before it gets here: one that was killed is back sooner
    help = "Relay events, run jobs and tick schedules until SIGTERM or Ctrl-C, which let the jobs at hand finish."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--threads", type=int, default=1, metavar="N", help="jobs that run side by side in this process")
        parser.add_argument("--grace", type=float, default=GRACE, metavar="SECONDS", help="for the jobs at hand when it stops")
        parser.add_argument("--once", action="store_true", help="do what can be done now, then exit")
        parser.add_argument("--seconds", type=float, metavar="N", help="with --once: how long it may take")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(threads=max(1, options["threads"]), grace=options["grace"])

        def stop(_signal: int, _frame: FrameType | None) -> None:
            worker.stopping.set()

        previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            worker.drain(Budget(options["seconds"])) if options["once"] else worker.serve()
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", "") != "42P01":  # undefined_table
                raise
            raise CommandError("The tables are not there yet: run `manage.py migrate`.", returncode=2) from error
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            connections.close_all()
        if not options["once"] and deliveries_leave():
            _exit()


def _exit() -> None:
    """At once: the interpreter would wait for the threads, and they for receivers that take their time."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

"""Everything that Quartermaster needs on one machine, in one terminal."""

import os
import sys
from contextlib import ExitStack
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from core.embedded import running
from core.roles import refuse_wrong_roles
from core.supervisor import HOST, Program, answers, progress, supervise, usable_port


class Command(BaseCommand):
    help = "Run Quartermaster here: the database, the web server and the worker, until Ctrl-C."
    requires_system_checks = ()  # a taken port is to be told before anything slow

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", default="8000", help="where the web server listens (8000)")
        parser.add_argument("--no-demo", action="store_true", help="leave the demo organizations out")

    def handle(self, *args: Any, **options: Any) -> None:
        port = usable_port(options["port"])
        with ExitStack() as stack:
            if settings.EMBEDDED_DATABASE:
                with progress("Starting PostgreSQL"):
                    stack.enter_context(running(settings.EMBEDDED_DATABASE))
            self.prepare(demo=not options["no_demo"])
            self.stdout.write("Starting the web server and the worker ...")
            address = f"http://{HOST}:{port}"
            os.environ.setdefault("PUBLIC_URL", address)  # where the links lead that both programs mail
            code = supervise(
                [web_server(port), worker()],
                ready=lambda: answers(port),
                announcement=f"Quartermaster is at {address} (Ctrl-C stops it)",
            )
        sys.exit(code)

    def prepare(self, *, demo: bool) -> None:
        self.step("Preparing the database and its roles", "setup_database")
        self.step("Migrating", "migrate", interactive=False, verbosity=0)
        refuse_wrong_roles()  # each program does it too; here it is said in one sentence
        if demo:
            self.step("Loading the demo", "load_demo")
        connections.close_all()

    def step(self, title: str, command: str, **options: Any) -> None:
        said = StringIO()
        try:
            with progress(title):
                call_command(command, stdout=said, **options)
        finally:
            self.stdout.write(said.getvalue(), ending="")


def web_server(port: int) -> Program:
    return Program("web", [
        sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{HOST}:{port}",
        "--worker-class", "gthread", "--workers", "2", "--threads", "4",
        "--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket", "--limit-request-line", "8190",
    ])  # fmt: skip


def worker() -> Program:
    return Program("worker", [sys.executable, "manage.py", "worker"])

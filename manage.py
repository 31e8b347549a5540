#!/usr/bin/env python3
"""Django's command line; the embedded database runs for as long as a command needs it."""

import os
import signal
import sys
from contextlib import ExitStack

try:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.core.management.base import CommandParser, handle_default_options
    from django.db import OperationalError
except ImportError:
    sys.exit("Django is not installed for this Python: run `make setup`, then `.venv/bin/python manage.py`.")

from core.embedded import EnvironmentProblem, running

# `run` holds the database itself, once it knows that its port is free.
WITHOUT_DATABASE = {
    "run", "help", "version", "--version", "--help", "-h", "collectstatic", "compilemessages", "diffsettings",
    "findstatic", "makemessages", "spectacular", "startapp", "startproject",
}  # fmt: skip


def needs_database(command: str, options: list[str]) -> bool:
    if command == "check":
        return any(option.startswith("--database") for option in options)
    return command not in WITHOUT_DATABASE and not {"-h", "--help"} & set(options)


def choose_settings(options: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    parser = CommandParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    parser.add_argument("--pythonpath")
    handle_default_options(parser.parse_known_args(options)[0])


def main(arguments: list[str]) -> int:
    command, options = (arguments[1], arguments[2:]) if len(arguments) > 1 else ("help", [])
    choose_settings(options)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        with ExitStack() as stack:
            if needs_database(command, options) and (data := getattr(settings, "EMBEDDED_DATABASE", None)):
                stack.enter_context(running(data))
            execute_from_command_line(arguments)
    except KeyboardInterrupt:
        return 130
    except (EnvironmentProblem, ImproperlyConfigured) as problem:
        return complain(str(problem))
    except PermissionError as error:
        return complain(f"{error.filename} is closed to this user: run as the user it belongs to.")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None):
            raise
        reason = str(error).partition("\n")[0]
        return complain(f"The database does not answer, start it or correct DATABASE_URL: {reason}")
    return 0


def complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))

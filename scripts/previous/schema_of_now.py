"""For the tests of the code of before, as a plugin of pytest: their database gets the roles and the schema of the code of now."""

import json
import os
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core import management
from django.core.management.base import BaseCommand

_own = management.call_command


def call_command(command_name: BaseCommand | str, *args: Any, **options: Any) -> str:
    done = _own(command_name, *args, **options)
    if command_name in ("setup_database", "migrate"):  # as an upgrade does: on what the code of before has left
        _now(command_name)
    return done


def _now(name: BaseCommand | str) -> None:
    server = {"secret_key": settings.SECRET_KEY, "admin": settings.ADMIN_DATABASE, "databases": settings.DATABASES}
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "scripts.previous.settings", "SERVER_OF_BEFORE": json.dumps(server, default=str),
    }
    environment.pop("PYTHONPATH")  # the code of now, and nothing of before
    command = [sys.executable, "manage.py", str(name), "--verbosity", "0"]
    subprocess.run(command, check=True, cwd=os.environ["CODE_OF_NOW"], env=environment)


management.call_command = call_command

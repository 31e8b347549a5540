"""Shows the SQL of the product's own migrations to squawk, which knows what locks or breaks a live database."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.utils import ConnectionHandler

from core.embedded import running
from core.light_migrations import light_migrations

PROJECT = Path(__file__).resolve().parents[1]
OLDEST_POSTGRESQL = "15.0"
EXCLUDED = [
    "prefer-robust-stmts",  # Django keeps account of what has run
    "prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity",  # the models say
    "require-lock-timeout", "require-statement-timeout",  # set for the owner's connection, not in each migration
]  # fmt: skip


def write_sql(folder: Path, connection: BaseDatabaseWrapper) -> list[str]:
    loader = MigrationLoader(None)
    files = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if not Path(sys.modules[migration.__module__].__file__ or "").is_relative_to(PROJECT / app):
            continue
        with light_migrations(), connection.schema_editor(collect_sql=True, atomic=False) as editor:
            migration.apply(loader.project_state((app, name), at_end=False), editor, collect_sql=True)
        file = folder / f"{app}.{name}.sql"
        statements = editor.collected_sql
        file.write_text("\n".join(["BEGIN;", *statements, "COMMIT;"] if migration.atomic else statements))
        files.append(str(file))
    return files


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    django.setup()
    # Any database will do, also one that is still empty.
    anywhere = {"ENGINE": "django.db.backends.postgresql", **(settings.ADMIN_DATABASE or {}), "NAME": "postgres"}
    with ExitStack() as stack:
        if settings.EMBEDDED_DATABASE:
            stack.enter_context(running(settings.EMBEDDED_DATABASE))
        call_command("setup_database", verbosity=0)  # generated columns are written by way of the app's connection
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = write_sql(folder, ConnectionHandler({DEFAULT_DB_ALIAS: anywhere})[DEFAULT_DB_ALIAS])
        squawk = str(Path(sys.executable).with_name("squawk"))
        options = ["--pg-version", OLDEST_POSTGRESQL, "--exclude", ",".join(EXCLUDED)]
        return subprocess.run([squawk, *options, *files], check=False).returncode if files else 0


if __name__ == "__main__":
    sys.exit(main())

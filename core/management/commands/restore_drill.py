import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connections, transaction

from core.dumping import Programs, differences
from core.embedded import EnvironmentProblem

TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
GIGABYTE = 1024**3


class Command(BaseCommand):
    """Everything but the new database is only read, and that is dropped at the end."""

    help = "Prove that a copy can be restored: dump, restore into a new database, verify it, and say how long it took."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dump", type=Path, metavar="FILE", help="restore this file of pg_dump instead of a new copy")
        parser.add_argument("--keep", action="store_true", help="do not drop the new database")
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tables restored side by side")
        parser.add_argument("--minutes", type=float, default=60, help="how long coming back may take; 60 unless said")

    def handle(self, *args: Any, dump: Path | None = None, keep: bool, jobs: int, minutes: float, **options: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("The owner's role is needed: set OWNER_DATABASE_URL.", returncode=2)
        if dump and not dump.is_file():
            raise CommandError(f"There is no file {dump}.", returncode=2)
        took: dict[str, float] = {}
        name = f"{connections['owner'].settings_dict['NAME']}_drill_{secrets.token_hex(3)}"
        try:
            programs = Programs(connections["owner"])
            with TemporaryDirectory(prefix="quartermaster-drill-") as folder:
                copy = dump or Path(folder) / "copy.dump"
                before = None if dump else self._dumped(programs, copy, took)
                with _new_database(name, keep=keep):
                    self._step(took, "Restored", lambda: programs.restore(copy, name, jobs=jobs))
                    with _everybody_at(name):
                        size, is_whole = self.proved(before, took)
        except EnvironmentProblem as problem:
            raise CommandError(str(problem), returncode=2) from problem
        if keep:
            self.stdout.write(f"The database {name} is there until you drop it.")
        if not is_whole:
            raise CommandError("The copy is not whole.", returncode=1)
        self._sum_up(took, size, minutes)

    def _dumped(self, programs: Programs, file: Path, took: dict[str, float]) -> dict[str, int]:
        """The rows of each table, in the very moment of the copy."""
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT pg_export_snapshot(), current_database()")
            snapshot, source = cursor.fetchone()
            self._step(took, "Dumped", lambda: programs.dump(source, file, snapshot=snapshot))
            return rows_of_tables(cursor)

    def proved(self, before: dict[str, int] | None, took: dict[str, float]) -> tuple[int, bool]:
        """Its size in bytes, and whether all is there and holds."""
        with connections["owner"].cursor() as cursor:
            after = rows_of_tables(cursor)
            cursor.execute("SELECT pg_database_size(current_database())")
            size: int = cursor.fetchone()[0]
        self._step(took, "Migrated", lambda: call_command("migrate", interactive=False, verbosity=0))
        wrong = differences(after if before is None else before, after)
        if not after.get("accounts_organization"):
            wrong.append("no organization is in it")
        for line in wrong:
            self.stdout.write(f"FAIL {line}")
        as_before = ", as many as there were" if before == after else ""
        self.stdout.write(f"{sum(after.values())} rows in {len(after)} tables{as_before}.")
        try:
            self._step(took, "Verified", lambda: call_command("verify", stdout=self.stdout, stderr=self.stderr))
        except SystemExit:
            return size, False
        return size, not wrong

    def _step(self, took: dict[str, float], what: str, work: Callable[[], Any]) -> None:
        began = time.perf_counter()
        work()
        took[what] = time.perf_counter() - began
        self.stdout.write(f"{what} in {took[what]:.1f} s.")

    def _sum_up(self, took: dict[str, float], size: int, minutes: float) -> None:
        back = sum(took[step] for step in ("Restored", "Migrated", "Verified"))
        of_its_size = took["Restored"] + took["Verified"]
        at_a_gigabyte = took["Migrated"] + of_its_size * GIGABYTE / size
        self.stdout.write(
            f"RTO: {back:.1f} s from the copy to a proved database of {size / 1024**2:.0f} MB;"
            f" at 1 GB, at this pace, {at_a_gigabyte / 60:.1f} minutes at most."
        )
        if back > minutes * 60:
            self.stderr.write(f"That is more than {minutes:g} minutes.")
            sys.exit(1)


@contextmanager
def _new_database(name: str, *, keep: bool) -> Iterator[None]:
    with connections["owner"].cursor() as cursor:
        try:
            cursor.execute(f'CREATE DATABASE "{name}"')
        except ProgrammingError as error:
            role = connections["owner"].settings_dict["USER"]
            raise EnvironmentProblem(
                f"The role {role} may not make a database: as an administrator, ALTER ROLE {role} CREATEDB, and again."
            ) from error
        try:
            yield
        finally:
            if not keep:
                cursor.execute(f'DROP DATABASE "{name}"')  # by force an owner may not: autovacuum, in it, gives way to this


@contextmanager
def _everybody_at(name: str) -> Iterator[None]:
    """All roles work there for a while. The owner's former connection stays out of it."""
    aliases = list(settings.DATABASES)
    kept = {alias: connections[alias] for alias in aliases}
    for alias in aliases:
        connections[alias] = connections[alias].copy()
        connections[alias].settings_dict = {**connections[alias].settings_dict, "NAME": name}
    try:
        yield
    finally:
        for alias in aliases:
            connections[alias].close()
            connections[alias] = kept[alias]


def rows_of_tables(cursor: Any) -> dict[str, int]:
    cursor.execute(TABLES)
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for (table,) in cursor.fetchall())
    cursor.execute(counts)
    return dict(cursor.fetchall())

"""PostgreSQL's own programs for copies of a database, run as the owner of its tables."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from core.embedded import EnvironmentProblem, programs

DEBIAN = Path("/usr/lib/postgresql")  # where packages of several versions live side by side
VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
WALL = re.compile(r"^\d+; \d+ \d+ (POLICY|ROW SECURITY) ", re.MULTILINE)  # in the list of what is in a dump


class Programs:
    """pg_dump and pg_restore of the server's version, or of the next that there is. Raises EnvironmentProblem."""

    def __init__(self, connection: Any) -> None:
        connection.ensure_connection()
        wanted: int = connection.pg_version // 10_000
        found = {version: folder for folder in reversed(list(_folders())) if (version := _version(folder)) >= wanted}
        if not found:
            raise EnvironmentProblem(
                f"pg_dump of PostgreSQL {wanted} is not here: install its client programs (on Debian and Ubuntu: apt install"
                f" postgresql-client-{wanted}), or run this where they are."
            )
        self._folder = found[min(found)]
        parameters: dict[str, Any] = connection.get_connection_params()
        self._environment = os.environ | {
            name: str(parameters[key]) for key, name in VARIABLES.items() if parameters.get(key)
        }

    def dump(self, database: str, file: Path, *, snapshot: str) -> None:
        """The owner is bound by row security as well, and a policy lets it see every row."""
        self._run("pg_dump", "--enable-row-security", "--format=custom", f"--snapshot={snapshot}", f"--file={file}", database)

    def restore(self, file: Path, database: str, *, jobs: int) -> None:
        """The wall last: side by side with it, references would be checked by a role that may see nothing yet."""
        listed = self._run("pg_restore", "--list", str(file)).splitlines(keepends=True)
        for of_the_wall, side_by_side in ((False, jobs), (True, 1)):
            chosen = "".join(line for line in listed if bool(WALL.match(line)) is of_the_wall)
            with NamedTemporaryFile("w", prefix="quartermaster-restore-") as contents:
                contents.write(chosen)
                contents.flush()
                self._run(
                    "pg_restore", "--enable-row-security", "--exit-on-error", f"--use-list={contents.name}",
                    f"--jobs={side_by_side}", f"--dbname={database}", str(file),
                )  # fmt: skip

    def _run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603  # PostgreSQL's own programs, and names of ours
            [str(self._folder / name), *arguments], check=False, capture_output=True, text=True, env=self._environment,
        )  # fmt: skip
        if done.returncode:
            lines = done.stderr.splitlines() or ["no reason was given."]
            telling = [line for line in lines if "error" in line]
            raise EnvironmentProblem(f"{name} failed: {(telling or lines)[0].strip()}")
        return done.stdout


def _folders() -> Iterator[Path]:
    """The likeliest first."""
    if here := shutil.which("pg_dump"):
        yield Path(here).parent
    yield from sorted(DEBIAN.glob("*/bin"), reverse=True)
    try:
        yield programs()
    except EnvironmentProblem:
        return


def _version(folder: Path) -> int:
    """0 where the two programs are not."""
    if not all(os.access(folder / name, os.X_OK) for name in ("pg_dump", "pg_restore")):
        return 0
    said = subprocess.run([str(folder / "pg_dump"), "--version"], check=False, capture_output=True, text=True)  # noqa: S603
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else 0


def differences(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    return [
        f"{table}: {before.get(table, 0)} rows before, {after.get(table, 0)} after"
        for table in sorted(before.keys() | after.keys()) if before.get(table) != after.get(table)
    ]

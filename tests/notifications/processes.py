"""Real workers, in processes of their own."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections, transaction

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 180  # seconds, on a machine that has much else to do


class WorkerProcess:
    def __init__(self, *options: str, **environment: str) -> None:
        names = {
            "DJANGO_SETTINGS_MODULE": "tests.notifications.worker_settings", "PYTHONUNBUFFERED": "1",
            "WORKER_TEST_DATABASE": str(connections["worker"].settings_dict["NAME"]),
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", *options], cwd=PROJECT, env=os.environ | names | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def await_line(self, text: str) -> None:
        eventually(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said, self.said

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        return code


@contextmanager
def worker(*options: str, **environment: str) -> Iterator[WorkerProcess]:
    started = WorkerProcess(*options, **environment)
    try:
        yield started
    finally:
        started.process.kill()
        started.wait()


def begin_together(table: str, workers: int = 2) -> None:
    """Holds the workers back until all of them want to write to the table."""
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")

        def waiting() -> bool:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted", [table])
            return bool(cursor.fetchone()[0] == workers)

        eventually(waiting)


def eventually(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)

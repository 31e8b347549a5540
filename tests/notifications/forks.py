"""Processes that have what the test has, but its connections."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from django.db import connections

from notifications import deliveries

FORK = multiprocessing.get_context("fork")
PATIENCE = 120  # seconds

type Fork = Callable[..., BaseProcess]


@contextmanager
def forks() -> Iterator[Fork]:
    """Those that are left at the end are killed."""
    started: list[BaseProcess] = []

    def fork(work: Callable[..., object], *args: Any) -> BaseProcess:
        connections.close_all()

        def run() -> None:
            try:
                work(*args)
            finally:
                connections.close_all()

        process = FORK.Process(target=run, daemon=True)
        process.start()
        started.append(process)
        return process

    try:
        yield fork
    finally:
        for process in started:
            process.kill()
            process.join(PATIENCE)


def ended(processes: Iterable[BaseProcess]) -> None:
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0


def end_deliverers() -> None:
    """The threads that deliver keep connections, and would keep the database from being dropped."""
    if deliveries._pool.cache_info().currsize:
        deliveries._pool().shutdown()
        deliveries._pool.cache_clear()

"""Many processes at work on the same few things, and some are killed."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from random import Random
from typing import Any

from tests.notifications.forks import FORK, PATIENCE, forks

type Told = "SimpleQueue[Any]"


@dataclass(frozen=True, slots=True)
class Load:
    """`killed_each` is in seconds; who is killed is replaced, with another seed."""

    seconds: float
    processes: int
    killed_each: float
    seed: int

    def put_on(
        self, work: Callable[[int, Told], None], *, enough: Callable[[Counter[Any]], bool], meanwhile: Callable[[], object],
    ) -> Counter[Any]:
        """What the processes told, counted, once the time is over and it is enough. They are killed then."""
        counted: Counter[Any] = Counter()
        chance, seeds = Random(self.seed), iter(range(self.seed * 1_000, self.seed * 1_000_000))
        with forks() as fork:
            lines: dict[Any, Told] = {}

            def begin() -> None:
                told = FORK.SimpleQueue()  # of one process alone: who is killed may leave it locked
                lines[fork(work, next(seeds), told)] = told

            for _ in range(self.processes):
                begin()
            until, kill_at = time.monotonic() + self.seconds, time.monotonic() + self.killed_each
            while time.monotonic() < until or (time.monotonic() < until + PATIENCE and not enough(counted)):
                for told in list(lines.values()):
                    while not told.empty():
                        counted[told.get()] += 1
                if time.monotonic() >= kill_at:
                    victim = chance.choice(list(lines))
                    counted["fault", "died by itself"] += not victim.is_alive()
                    victim.kill()
                    victim.join()
                    lines.pop(victim)
                    begin()
                    kill_at = time.monotonic() + self.killed_each
                meanwhile()
            for process in lines:
                counted["fault", "died by itself"] += not process.is_alive()
                process.kill()
                process.join()
        assert not [what for what, times in counted.items() if what[0] == "fault" and times], counted
        assert enough(counted), counted
        return counted

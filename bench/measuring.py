"""Times and statements: p50 in milliseconds, the sides of a comparison taking turns in one run."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from django.db import connections

type Side = Callable[[], object]
type Target = tuple[Literal["ratio", "ours", "statements"], float]  # at most

WARM_UP = 0.15  # of the rounds: the first ones fill caches and plans


@dataclass(frozen=True, slots=True)
class Result:
    """`size` is the number of products in the database; `ours` and `floor` are milliseconds."""

    name: str
    size: int
    ours: float
    floor: float | None = None
    statements: int | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def is_met(self) -> bool:
        if self.target is None:
            return True
        what, most = self.target
        return float(getattr(self, what)) <= most

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "size": self.size, "ours": round(self.ours, 4), "floor": self.floor and round(self.floor, 4),
            "ratio": self.ratio and round(self.ratio, 3), "statements": self.statements,
            "target": self.target and {self.target[0]: self.target[1]}, "met": self.is_met,
        }


def times(rounds: int, *sides: Side) -> list[float]:
    """The p50 of each side."""
    taken: list[list[float]] = [[] for _ in sides]
    for turn in range(-max(2, int(rounds * WARM_UP)), rounds):
        for side, found in zip(sides, taken, strict=True):
            start = time.perf_counter()
            side()
            if turn >= 0:
                found.append((time.perf_counter() - start) * 1000)
    return [median(found) for found in taken]


def statements(side: Side) -> int:
    """How many SQL statements Django sends. BEGIN, COMMIT and the health check of a connection are not counted."""
    with _counting() as seen:
        side()
    return len(seen)


@contextmanager
def _counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def see(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, parameters, many, context)

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(see))
        yield seen

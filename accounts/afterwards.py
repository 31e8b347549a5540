"""What must be kept although the request's transaction is rolled back, such as the count of wrong passwords."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.tenancy import scope_is_open

type Work = Callable[[], object]

_waiting: ContextVar[list[Work] | None] = ContextVar("waiting", default=None)


@contextmanager
def afterwards() -> Iterator[None]:
    """Does, at its end, what was put off inside. Stands outside the scope."""
    works: list[Work] = []
    token = _waiting.set(works)
    try:
        yield
    finally:
        _waiting.reset(token)
        for work in works:
            work()


def outlast(work: Work) -> None:
    """Now, or, inside a scope, when it has ended."""
    works = _waiting.get()
    if works is not None and scope_is_open():
        works.append(work)
    else:
        work()

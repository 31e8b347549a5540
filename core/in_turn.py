"""The same for many, one after the other, where one that fails must not keep the others waiting."""

import logging
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)


def in_turn[T](each: Iterable[T], do: Callable[[T], int]) -> int:
    """The sum of what `do` returns. What fails is logged and left; in the end an ExceptionGroup tells of all that failed."""
    total, failed = 0, []
    for one in each:
        try:
            total += do(one)
        except Exception as error:
            logger.exception("%s failed for %s; the others go on", do.__name__, one)
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed, the others were done", failed)
    return total

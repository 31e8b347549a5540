from collections.abc import Iterator

import pytest

from notifications import deliveries


@pytest.fixture(autouse=True)
def no_threads_are_left() -> Iterator[None]:
    """Those that deliver keep connections, and would keep the database from being dropped."""
    yield
    if deliveries._pool.cache_info().currsize:
        deliveries._pool().shutdown()
        deliveries._pool.cache_clear()

from collections.abc import Iterator

import pytest

from tests.notifications.receiver import Receiver, receiver


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as made:
        yield made

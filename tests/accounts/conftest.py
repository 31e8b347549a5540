from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def mailing(db: None, django_capture_on_commit_callbacks: Any) -> Iterator[Any]:
    """Runs what waits for the commit, which a test that is rolled back never sees: `with mailing(): …`."""
    return lambda: django_capture_on_commit_callbacks(execute=True)

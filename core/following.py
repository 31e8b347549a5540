"""Answers that tell what happens while it happens, as server-sent events.

Each look at the database has a scope of its own, so no transaction waits, and who was signed out meanwhile is told no more. Where
no more clients may wait in this process, and on Lambda, an answer ends after its first look: the client comes again by itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse

CONTENT_TYPE = "text/event-stream"
PAUSE, SILENCE = 1.0, 10.0  # seconds between two looks, and until a sign of life
COME_AGAIN = b"retry: 2000\n\n"  # milliseconds

_waiting = BoundedSemaphore(settings.FOLLOWERS) if settings.FOLLOWERS else None


class Following(StreamingHttpResponse):
    """`look` gives what there is to tell since the look before, or nothing."""

    def __init__(self, look: Callable[[], bytes]) -> None:
        super().__init__((), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self.look = look

    def follow(self, scope: Callable[[], AbstractContextManager[Any]], is_here: Callable[[Any], bool]) -> Iterator[bytes]:
        """`is_here` says of what a scope yields whether whoever asks may still be told."""
        may_wait = _waiting is not None and _waiting.acquire(blocking=False)
        try:
            yield COME_AGAIN
            yield from self._looks(scope, is_here, settings.FOLLOWING_SECONDS if may_wait else 0)
        finally:
            if may_wait and _waiting is not None:
                _waiting.release()

    def _looks(
        self, scope: Callable[[], AbstractContextManager[Any]], is_here: Callable[[Any], bool], seconds: float,
    ) -> Iterator[bytes]:
        told = time.monotonic()
        end = told + seconds
        while True:
            with scope() as entered:
                found = self.look() if is_here(entered) else None
            if found is None:
                return
            if found or time.monotonic() - told > SILENCE:
                yield found or b":\n\n"
                told = time.monotonic()
            if time.monotonic() + (0 if found else PAUSE) >= end:
                return
            if not found:
                time.sleep(PAUSE)

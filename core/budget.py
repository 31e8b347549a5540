import time

RESERVE = 5.0  # seconds of a function's time that its entry keeps for what is under way


class Budget:
    """Seconds that work may take; without any, as long as it takes. Work asks between its steps, and may go on later."""

    def __init__(self, seconds: float | None = None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self.ran_out = False  # something was left for the next time

    def has_time(self) -> bool:
        self.ran_out = self.ran_out or self.left() <= 0
        return not self.ran_out

    def left(self) -> float:
        return float("inf") if self._end is None else self._end - time.monotonic()

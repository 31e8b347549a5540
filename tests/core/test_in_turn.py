import logging

import pytest

from core.in_turn import in_turn


def test_one_that_fails_keeps_nobody_waiting_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    done = []

    def divide(number: int) -> int:
        result = 12 // number
        done.append(number)
        return result

    with caplog.at_level(logging.ERROR), pytest.raises(ExceptionGroup, match="1 failed, the others were done") as raised:
        in_turn([1, 0, 3], divide)
    assert done == [1, 3]
    assert [type(error) for error in raised.value.exceptions] == [ZeroDivisionError]
    assert "divide failed for 0" in caplog.text
    assert in_turn([1, 3], divide) == 16

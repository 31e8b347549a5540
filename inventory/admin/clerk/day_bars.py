"""The balance of each day as a row of bars. A bar has a foot if something moved, a frame without filling if nothing did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import number_format

from inventory.queries.stock_days import Day, stock_days
from inventory.queries.stock_history import Asked, MoveLine

FEWEST, MOST = 14, 60  # days
ZERO = Decimal(0)
STEP, WIDTH, HIGH, FOOT = 12, 9, 60, 6  # in units of the drawing


@dataclass(frozen=True, slots=True)
class Bar:
    day: Day
    x: int
    y: int
    height: int

    @property
    def has_moves(self) -> bool:
        return bool(self.day.came or self.day.went)


def day_bars(asked: Asked, lines: Sequence[MoveLine]) -> dict[str, Any] | None:
    """Of the days of the page, the last one at the end: 14 days at least, 60 at most. None where there is nothing to draw."""
    if not lines or lines[0].after is None:
        return None
    shown = [_day(line) for line in lines]
    last = max(shown) if asked.before else max(timezone.localdate(), *shown)
    first = max(min(*shown, last - timedelta(FEWEST - 1)), last - timedelta(MOST - 1))
    days = stock_days(asked, first=first, last=last, balance=lines[0].after)
    return _drawn(days) if days else None


def _day(line: MoveLine) -> date:
    return timezone.localdate(line.occurred_at)


def _drawn(days: Sequence[Day]) -> dict[str, Any]:
    balances = [day.balance for day in days]
    top, bottom = max(ZERO, *balances), min(ZERO, *balances)
    scale = HIGH / float(top - bottom or 1)
    zero = round(float(top) * scale)
    bars = []
    for place, day in enumerate(days):
        edge = round(float(top - day.balance) * scale)
        bars.append(Bar(day, place * STEP, min(edge, zero), max(abs(edge - zero), 2 if day.balance else 0)))
    return {
        "bars": bars, "width": len(days) * STEP, "high": HIGH + FOOT, "bar_width": WIDTH, "zero": zero, "foot": HIGH + 2,
        "words": _words(days), "first": days[0].day, "last": days[-1].day,
        "moved": [bar.day for bar in reversed(bars) if bar.has_moves],
    }


def _words(days: Sequence[Day]) -> str:
    least, most = min(days, key=lambda day: day.balance), max(days, key=lambda day: day.balance)
    return (
        f"Balance at the end of each day from {days[0].day} to {days[-1].day}: first {_plain(days[0])}, "
        f"at most {_plain(most)} on {most.day}, at least {_plain(least)} on {least.day}, last {_plain(days[-1])}."
    )


def _plain(day: Day) -> str:
    return number_format(f"{day.balance.normalize():f}", force_grouping=True)

"""When a schedule runs: rate() and cron() as EventBridge writes them, in UTC.

Of cron: *, ?, numbers, names, lists, ranges and steps; not L, W and #, and every year.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Protocol

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
LONGEST = dict(enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1))  # days of a month
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
YEARS_OF_DAYS = 366 * 9  # from one February 29 to the next, over a century


class BadExpression(ValueError):
    """Says what to write instead."""


class Expression(Protocol):
    def tick(self, at: datetime) -> datetime:
        """The latest tick that is not after `at`."""

    def following(self, tick: datetime) -> datetime:
        """The first tick after it."""


@dataclass(frozen=True, slots=True)
class Rate:
    seconds: int

    def tick(self, at: datetime) -> datetime:
        return datetime.fromtimestamp(int(at.timestamp()) // self.seconds * self.seconds, UTC)

    def following(self, tick: datetime) -> datetime:
        return self.tick(tick) + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Sunday is 1

    def tick(self, at: datetime) -> datetime:
        return next(tick for tick in self._ticks(at, -1) if tick <= at)

    def following(self, tick: datetime) -> datetime:
        return next(found for found in self._ticks(tick, 1) if found > tick)

    def _ticks(self, start: datetime, direction: int) -> Iterator[datetime]:
        """From the first or last of the day of `start` on, forward or backward."""
        today = start.astimezone(UTC).date()
        for offset in range(YEARS_OF_DAYS):
            day = today + timedelta(days=direction * offset)
            if day.day in self.days and day.month in self.months and day.isoweekday() % 7 + 1 in self.weekdays:
                for hour in sorted(self.hours, reverse=direction < 0):
                    for minute in sorted(self.minutes, reverse=direction < 0):
                        yield datetime.combine(day, time(hour, minute), UTC)


@cache
def parse(text: str) -> Expression:
    """Raises BadExpression."""
    found = re.fullmatch(r"(rate|cron)\((.*)\)", text.strip())
    if not found:
        raise BadExpression(f"{text!r} is no schedule: write rate(1 hour) or cron(0 5 * * ? *).")
    return _rate(text, found[2]) if found[1] == "rate" else _cron(text, found[2])


def _rate(text: str, inside: str) -> Rate:
    found = re.fullmatch(r"([1-9][0-9]{0,4}) (minute|hour|day)(s?)", inside)
    if not found or (found[1] == "1") != (found[3] == ""):
        raise BadExpression(f"{text!r}: write rate(1 hour) or rate(15 minutes), in minutes, hours or days.")
    return Rate(int(found[1]) * UNITS[found[2]])


def _cron(text: str, inside: str) -> Cron:
    fields = inside.split()
    if len(fields) != 6:
        raise BadExpression(f"{text!r}: write six fields, minute, hour, day, month, weekday and year: cron(0 5 * * ? *).")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise BadExpression(f"{text!r}: write ? for either the day of the month or the weekday.")
    if year != "*":
        raise BadExpression(f"{text!r}: the year can only be *.")
    cron = Cron(
        _field(text, minute, 0, 59), _field(text, hour, 0, 23), _field(text, "*" if day == "?" else day, 1, 31),
        _field(text, month, 1, 12, MONTHS), _field(text, "*" if weekday == "?" else weekday, 1, 7, WEEKDAYS),
    )
    if min(cron.days) > max(LONGEST[month] for month in cron.months):
        raise BadExpression(f"{text!r}: no month has this day.")
    return cron


def _field(text: str, field: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.upper().split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        low = first if span == "*" else _number(text, start, first, last, names)
        high = _number(text, end, first, last, names) if dash else last if slash or span == "*" else low
        if low > high or (slash and not re.fullmatch(r"[1-9][0-9]?", step)):
            raise BadExpression(f"{text!r}: {part!r} is not understood; write *, 5, 1-5, 1,15 or 0/15.")
        numbers.update(range(low, high + 1, int(step or 1)))
    return frozenset(numbers)


def _number(text: str, word: str, first: int, last: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + 1
    if not re.fullmatch(r"[0-9]{1,2}", word) or not first <= int(word) <= last:
        raise BadExpression(f"{text!r}: {word!r} is no number from {first} to {last}.")
    return int(word)

"""The days of a cron expression, in EventBridge's language: *, ?, lists, ranges, steps and names; L, W and #."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
WEEK = 7


class BadField(ValueError):
    """Says what to write instead."""


@dataclass(frozen=True, slots=True)
class Days:
    """Which days of a month: any of these answers says so."""

    numbers: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()  # Sunday is 1
    found: Callable[[int, int], int | None] | None = None  # the one day of a year's month, if it has it

    def has(self, day: date) -> bool:
        return (
            day.day in self.numbers or weekday_of(day) in self.weekdays
            or (self.found is not None and self.found(day.year, day.month) == day.day)
        )


def weekday_of(day: date) -> int:
    return day.isoweekday() % WEEK + 1


def days_of_month(field: str) -> Days:
    """1-31, L, L-3 (three days before the last), 15W (the weekday nearest to the 15th), LW."""
    if found := re.fullmatch(r"L(?:-([1-9]|[12][0-9]|30))?", field):
        back = int(found[1] or 0)
        return Days(found=lambda year, month: (length(year, month) - back) if back < length(year, month) else None)
    if field == "LW":
        return Days(found=lambda year, month: nearest_weekday(year, month, length(year, month)))
    if found := re.fullmatch(r"([1-9]|[12][0-9]|3[01])W", field):
        day = int(found[1])
        return Days(found=lambda year, month: nearest_weekday(year, month, day) if day <= length(year, month) else None)
    return Days(numbers=numbers(field, 1, 31))


def days_of_week(field: str) -> Days:
    """1-7 or SUN-SAT, L (Saturday, the week's last), 6L (the month's last Friday), 3#2 (its second Tuesday)."""
    if field == "L":
        return Days(weekdays=frozenset({WEEK}))
    if found := re.fullmatch(r"([1-7]|[A-Z]{3})L", field):
        weekday = number(found[1], 1, WEEK, WEEKDAYS)
        return Days(found=lambda year, month: last_of(year, month, weekday))
    if found := re.fullmatch(r"([1-7]|[A-Z]{3})#([1-5])", field):
        weekday, which = number(found[1], 1, WEEK, WEEKDAYS), int(found[2])
        return Days(found=lambda year, month: nth_of(year, month, weekday, which))
    return Days(weekdays=numbers(field, 1, WEEK, WEEKDAYS))


def length(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def nearest_weekday(year: int, month: int, number: int) -> int:
    """From Monday to Friday, without leaving the month."""
    day = date(year, month, number)
    if day.isoweekday() == 6:
        return number - 1 if number > 1 else number + 2
    if day.isoweekday() == WEEK:
        return number + 1 if number < length(year, month) else number - 2
    return number


def nth_of(year: int, month: int, weekday: int, which: int) -> int | None:
    first = 1 + (weekday - weekday_of(date(year, month, 1))) % WEEK
    found = first + WEEK * (which - 1)
    return found if found <= length(year, month) else None


def last_of(year: int, month: int, weekday: int) -> int:
    last = date(year, month, length(year, month))
    return (last - timedelta(days=(weekday_of(last) - weekday) % WEEK)).day


def numbers(field: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Raises BadField."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        low = first if span == "*" else number(start, first, last, names)
        high = number(end, first, last, names) if dash else last if slash or span == "*" else low
        if low > high or (slash and not re.fullmatch(r"[1-9][0-9]{0,2}", step)):
            raise BadField(f"{part!r} is not understood; write *, 5, 1-5, 1,15 or 0/15")
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def number(word: str, first: int, last: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + 1
    if not re.fullmatch(r"[0-9]{1,4}", word) or not first <= int(word) <= last:
        raise BadField(f"{word!r} is no number from {first} to {last}")
    return int(word)

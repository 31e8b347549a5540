"""When a schedule runs: rate() and cron() as EventBridge writes them, in a time zone.

A time of the wall clock that does not exist runs at the first moment after the gap; one that comes twice runs the first
time, unless the schedule is of every hour. A rate knows no clock, so nothing shifts it. See ADR 29.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from notifications.calendars import MONTHS, BadField, Days, days_of_month, days_of_week, length, numbers

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
YEARS = (1970, 2199)
EVERY_HOUR = frozenset(range(24))
AROUND = 2  # days: where clocks move at midnight, or over the date line, the ticks of neighbouring days may change places


class BadExpression(ValueError):
    """Says what to write instead."""


class Expression(Protocol):
    def tick(self, at: datetime) -> datetime | None:
        """The latest tick that is not after `at`; None if there was none."""

    def following(self, tick: datetime) -> datetime | None:
        """The first tick after it; None if there is none any more."""

    def day(self, tick: datetime) -> date:
        """Which day's tick it is, by the calendar of its time zone."""


@dataclass(frozen=True, slots=True)
class Rate:
    seconds: int

    def tick(self, at: datetime) -> datetime:
        return datetime.fromtimestamp(int(at.timestamp()) // self.seconds * self.seconds, UTC)

    def following(self, tick: datetime) -> datetime:
        return self.tick(tick) + timedelta(seconds=self.seconds)

    def day(self, tick: datetime) -> date:
        return tick.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: Days
    months: frozenset[int]
    years: frozenset[int]
    zone: tzinfo

    def tick(self, at: datetime) -> datetime | None:
        return self._nearest(at, -1)[0]

    def following(self, tick: datetime) -> datetime | None:
        return self._nearest(tick, 1)[0]

    def day(self, tick: datetime) -> date:
        return self._nearest(tick, -1)[1]

    def _nearest(self, at: datetime, direction: int) -> tuple[datetime | None, date]:
        """Forward or back, and the day that it is of."""
        best, its_day = None, at.astimezone(self.zone).date()
        for day in self._days(its_day - timedelta(days=direction * AROUND), direction):
            if best and abs((day - its_day).days) > AROUND:
                break
            for tick in moments(self, day):
                right = tick > at if direction > 0 else tick <= at
                if right and (best is None or (tick < best if direction > 0 else tick > best)):
                    best, its_day = tick, day
        return best, its_day

    def _days(self, start: date, direction: int) -> Iterator[date]:
        """The days that it names, from `start` on."""
        for year in sorted(self.years, reverse=direction < 0):
            if (year - start.year) * direction < 0:
                continue
            for month in sorted(self.months, reverse=direction < 0):
                for number in range(1, length(year, month) + 1)[::direction]:
                    day = date(year, month, number)
                    if (day - start).days * direction >= 0 and self.days.has(day):
                        yield day


@lru_cache(maxsize=1024)
def moments(cron: Cron, day: date) -> tuple[datetime, ...]:
    """Its ticks of a day; of a day that a zone left out there are none."""
    midnight = datetime.combine(day, time(), cron.zone)
    if existing(midnight).astimezone(cron.zone).date() > day:
        return ()
    local = [midnight.replace(hour=hour, minute=minute) for hour in cron.hours for minute in cron.minutes]
    found = {existing(moment) for moment in local}
    if cron.hours == EVERY_HOUR:  # as many as there are hours on that day
        found |= {existing(moment.replace(fold=1)) for moment in local if not is_in_a_gap(moment)}
    return tuple(sorted(found))


def existing(local: datetime) -> datetime:
    """In UTC; of a time that a zone leaves out, the first moment after."""
    if not is_in_a_gap(local):
        return local.astimezone(UTC)
    before, after = local.replace(fold=1).astimezone(UTC), local.replace(fold=0).astimezone(UTC)
    offset = after.astimezone(local.tzinfo).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(local.tzinfo).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def is_in_a_gap(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)


def zone_of(name: str) -> tzinfo:
    """Raises BadExpression."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a missing file, a name that is none, a folder
        raise BadExpression(f"{name!r} is not a time zone; write it like Europe/Lisbon.") from error


@cache
def parse(text: str, timezone: str = "UTC") -> Expression:
    """Raises BadExpression."""
    found = re.fullmatch(r"(rate|cron)\((.*)\)", text.strip())
    if not found:
        raise BadExpression(f"{text!r} is no schedule: write rate(1 hour) or cron(0 5 * * ? *).")
    zone = zone_of(timezone)
    return _rate(text, found[2]) if found[1] == "rate" else _cron(text, found[2], zone)


def count_between(expression: Expression, first: datetime, last: datetime, most: int) -> int:
    """How many ticks there are from `first`, itself one, up to and without `last`; at most so many."""
    found, tick = 0, expression.tick(first)
    while tick and tick < last and found < most:
        found, tick = found + 1, expression.following(tick)
    return found


def _rate(text: str, inside: str) -> Rate:
    found = re.fullmatch(r"([1-9][0-9]{0,4}) (minute|hour|day)(s?)", inside)
    if not found or (found[1] == "1") != (found[3] == ""):
        raise BadExpression(f"{text!r}: write rate(1 hour) or rate(15 minutes), in minutes, hours or days.")
    return Rate(int(found[1]) * UNITS[found[2]])


def _cron(text: str, inside: str, zone: tzinfo) -> Cron:
    fields = inside.upper().split()
    if len(fields) != 6:
        raise BadExpression(f"{text!r}: write six fields, minute, hour, day, month, weekday and year: cron(0 5 * * ? *).")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise BadExpression(f"{text!r}: write ? for either the day of the month or the weekday.")
    try:
        cron = Cron(
            numbers(minute, 0, 59), numbers(hour, 0, 23), days_of_week(weekday) if day == "?" else days_of_month(day),
            numbers(month, 1, 12, MONTHS), numbers(year, *YEARS), zone,
        )
    except BadField as error:
        raise BadExpression(f"{text!r}: {error}.") from error
    if next(cron._days(date(YEARS[0], 1, 1), 1), None) is None:
        raise BadExpression(f"{text!r}: there is no such day.")
    return cron

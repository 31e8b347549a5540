"""Days of an organization's calendar, cut into days, weeks or months."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import Invalid

DAY, WEEK, MONTH = "day", "week", "month"
PERIODS = (DAY, WEEK, MONTH)
ONE_DAY = timedelta(days=1)

FIRST_DAY = date(1970, 1, 1)
LEDGER_DAYS = 366  # what is read of the ledger at once
SNAPSHOT_DAYS = 3_660  # of which only the ends of the months are read
YEAR = 365
USUAL = {None: 30, DAY: 30, WEEK: 84, MONTH: YEAR}


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last one, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Span:
    """Periods that follow each other, the last one until `now` at most, which is the minute that begins next: what is posted by
    then counts, and asked again within the minute the answer is the same. A week begins on Monday; the first and the last
    period may be cut short.
    """

    zone: ZoneInfo
    periods: tuple[Period, ...]
    now: datetime

    @property
    def first(self) -> date:
        return self.periods[0].first

    @property
    def last(self) -> date:
        return self.periods[-1].last

    @property
    def bounds(self) -> list[datetime]:
        """Where the periods begin, and where the last one ends; in UTC, because two times of one zone differ by the clock on the
        wall, and not by how long it was between them."""
        days = [period.first for period in self.periods] + [self.last + ONE_DAY]
        *bounds, end = [datetime.combine(day, time(), self.zone).astimezone(UTC) for day in days]
        return [*bounds, min(end, self.now)]

    @property
    def ends(self) -> tuple[datetime, datetime]:
        bounds = self.bounds
        return bounds[0], bounds[-1]


def _cut(first: date, last: date, period: str) -> Iterator[Period]:
    while first <= last:
        end = min(_end(first, period), last)
        yield Period(first, end)
        first = end + ONE_DAY


def _end(day: date, period: str) -> date:
    if period == DAY:
        return day
    if period == WEEK:
        return day + timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - ONE_DAY


@dataclass(frozen=True, slots=True)
class Days:
    """As somebody asks for them: what is missing is made up for, counted back from today."""

    first: date | None = None
    last: date | None = None
    period: str | None = None

    def span(self, zone: ZoneInfo, now: datetime, *, usual: int = 0, longest: int = LEDGER_DAYS) -> Span:
        """`usual` is how many days, where it is not said. Raises Invalid."""
        today = now.astimezone(zone).date()
        last = self.last or today
        if not FIRST_DAY < last <= today:
            raise Invalid(f"The last day is {today} at the latest.", fields={"to_day": "not yet over, or long ago"})
        first = self.first or max(last - timedelta(days=(usual or USUAL[self.period]) - 1), FIRST_DAY)
        if not FIRST_DAY <= first <= last:
            raise Invalid("The first day is not after the last one.", fields={"from_day": "after to_day, or long ago"})
        if (last - first).days >= longest:
            raise Invalid(f"That is more than {longest} days: ask for less at once.", fields={"from_day": "too long ago"})
        periods = tuple(_cut(first, last, self.period)) if self.period else (Period(first, last),)
        return Span(zone, periods, now.replace(second=0, microsecond=0) + timedelta(minutes=1))

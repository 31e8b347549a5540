from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications.expressions import BadExpression, count_between, parse

pytestmark = pytest.mark.once

NOON = datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(("text", "tick", "following"), [
    ("rate(1 minute)", "2026-03-04T12:30", "2026-03-04T12:31"),
    ("rate(15 minutes)", "2026-03-04T12:30", "2026-03-04T12:45"),
    ("rate(1 hour)", "2026-03-04T12:00", "2026-03-04T13:00"),
    ("rate(1 day)", "2026-03-04T00:00", "2026-03-05T00:00"),
    ("cron(30 12 * * ? *)", "2026-03-04T12:30", "2026-03-05T12:30"),
    ("cron(31 12 * * ? *)", "2026-03-03T12:31", "2026-03-04T12:31"),
    ("cron(0 * * * ? *)", "2026-03-04T12:00", "2026-03-04T13:00"),
    ("cron(0/20 8-17 ? * MON-FRI *)", "2026-03-04T12:20", "2026-03-04T12:40"),
    ("cron(0 9 ? * SUN *)", "2026-03-01T09:00", "2026-03-08T09:00"),
    ("cron(0 9 ? * 7,2 *)", "2026-03-02T09:00", "2026-03-07T09:00"),
    ("cron(0 5 1 JAN,jul ? *)", "2026-01-01T05:00", "2026-07-01T05:00"),
    ("cron(0 0 31 * ? *)", "2026-01-31T00:00", "2026-03-31T00:00"),
    ("cron(0 0 29 2 ? *)", "2024-02-29T00:00", "2028-02-29T00:00"),
    ("cron(*/7 23 * * ? *)", "2026-03-03T23:56", "2026-03-04T23:00"),
    ("cron(0 5 L * ? *)", "2026-02-28T05:00", "2026-03-31T05:00"),
    ("cron(0 5 L-3 * ? *)", "2026-02-25T05:00", "2026-03-28T05:00"),
    ("cron(0 5 LW * ? *)", "2026-02-27T05:00", "2026-03-31T05:00"),
    ("cron(0 5 15W * ? *)", "2026-02-16T05:00", "2026-03-16T05:00"),  # Sundays
    ("cron(0 5 1W * ? *)", "2026-03-02T05:00", "2026-04-01T05:00"),  # a Sunday, and not in February
    ("cron(0 5 31W * ? *)", "2026-01-30T05:00", "2026-03-31T05:00"),  # a Saturday, and no February
    ("cron(0 5 ? * 3#2 *)", "2026-02-10T05:00", "2026-03-10T05:00"),
    ("cron(0 5 ? * MON#5 *)", "2025-12-29T05:00", "2026-03-30T05:00"),
    ("cron(0 5 ? * 6L *)", "2026-02-27T05:00", "2026-03-27T05:00"),
    ("cron(0 5 ? * FRIL *)", "2026-02-27T05:00", "2026-03-27T05:00"),
    ("cron(0 5 ? * L *)", "2026-02-28T05:00", "2026-03-07T05:00"),
    ("cron(0 5 1 1 ? 2025-2027/2)", "2025-01-01T05:00", "2027-01-01T05:00"),
    ("cron(0 5 1 1 ? 2020,2199)", "2020-01-01T05:00", "2199-01-01T05:00"),
])
def test_names_the_tick_of_a_moment_and_the_one_after_it(text: str, tick: str, following: str) -> None:
    found = parse(text).tick(NOON)
    assert found == datetime.fromisoformat(tick).replace(tzinfo=UTC)
    assert parse(text).following(found) == datetime.fromisoformat(following).replace(tzinfo=UTC)
    assert parse(text).tick(found) == found


@pytest.mark.parametrize("text", [
    "", "hourly", "rate(1 hours)", "rate(2 hour)", "rate(0 minutes)", "rate(1.5 hours)", "rate(1 week)", "rate(1 hour) ;",
    "cron(0 5 * * *)", "cron(0 5 * * * *)", "cron(0 5 ? * ? *)", "cron(60 5 * * ? *)", "cron(0 24 * * ? *)", "cron(0 5 0 * ? *)",
    "cron(0 5 ? * FOO *)", "cron(5-1 5 * * ? *)", "cron(0/0 5 * * ? *)", "cron(0, 5 * * ? *)", "cron(0 0 30 FEB ? *)",
    "cron(0 0 31 4,6 ? *)", "cron(0 0 29 2 ? 2027)", "cron(0 5 * * ? 1969)", "cron(0 5 * * ? 2200)", "cron(0 5 32W * ? *)",
    "cron(0 5 L,3 * ? *)", "cron(0 5 L-31 * ? *)", "cron(0 5 ? * MON#6 *)", "cron(0 5 ? * 3#1,6#3 *)", "cron(0 5 ? * FOOL *)",
])
def test_refuses_what_it_cannot_run(text: str) -> None:
    with pytest.raises(BadExpression) as refused:
        parse(text)
    assert repr(text) in str(refused.value)


def test_years_end() -> None:
    once = parse("cron(0 5 1 1 ? 2027)")
    tick = datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert (once.tick(NOON), once.following(NOON)) == (None, tick)
    assert (once.tick(tick), once.following(tick)) == (tick, None)


def local_ticks(text: str, zone: str, since: str, until: str) -> list[str]:
    """With the zone's offset, which tells the first from the second of two."""
    parsed, tzinfo, found = parse(text, zone), ZoneInfo(zone), []
    tick = parsed.following(datetime.fromisoformat(since).replace(tzinfo=tzinfo))
    while tick and tick < datetime.fromisoformat(until).replace(tzinfo=tzinfo):
        found.append(tick.astimezone(tzinfo).strftime("%dT%H:%M%z"))
        tick = parsed.following(tick)
    return found


@pytest.mark.parametrize(("text", "zone", "since", "until", "ticks"), [
    # 02:30 does not exist on the 29th: it runs when clocks have gone forward. Twice on the 25th: the first of them.
    ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28", "2026-03-31", ["28T02:30+0100", "29T03:00+0200", "30T02:30+0200"]),
    ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24", "2026-10-27", ["24T02:30+0200", "25T02:30+0200", "26T02:30+0100"]),
    ("cron(30 1 * * ? *)", "Europe/Lisbon", "2026-03-29", "2026-03-30", ["29T02:00+0100"]),
    ("cron(0/30 2,3 * * ? *)", "Europe/Berlin", "2026-03-29", "2026-03-30", ["29T03:00+0200", "29T03:30+0200"]),
    # Each hour is each hour, of which that day has 23 or 25.
    ("cron(30 * * * ? *)", "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T05:00",
     ["29T01:30+0100", "29T03:00+0200", "29T03:30+0200", "29T04:30+0200"]),
    ("cron(30 * * * ? *)", "Europe/Berlin", "2026-10-25T01:00", "2026-10-25T04:00",
     ["25T01:30+0200", "25T02:30+0200", "25T02:30+0100", "25T03:30+0100"]),
    # Half an hour, at midnight, over midnight, and a day that a country left out.
    ("cron(10 2 * * ? *)", "Australia/Lord_Howe", "2026-10-03", "2026-10-06",
     ["03T02:10+1030", "04T02:30+1100", "05T02:10+1100"]),
    ("cron(0 0 * * ? *)", "Africa/Cairo", "2026-04-23T12:00", "2026-04-26", ["24T01:00+0300", "25T00:00+0300"]),
    ("cron(30 23 * * ? *)", "America/Nuuk", "2026-03-28", "2026-03-30", ["29T00:00-0100", "29T23:30-0100"]),
    ("cron(0 5 * * ? *)", "Pacific/Apia", "2011-12-29", "2012-01-01", ["29T05:00-1000", "31T05:00+1400"]),
])  # fmt: skip
def test_where_clocks_are_moved(text: str, zone: str, since: str, until: str, ticks: list[str]) -> None:
    assert local_ticks(text, zone, since, until) == ticks


def test_a_tick_belongs_to_the_day_that_it_was_meant_for() -> None:
    nuuk = parse("cron(30 23 * * ? *)", "America/Nuuk")
    moved = nuuk.following(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert moved == datetime(2026, 3, 29, 1, tzinfo=UTC), "midnight of the 29th there"
    assert nuuk.day(moved) == date(2026, 3, 28)
    assert nuuk.day(nuuk.following(moved)) == date(2026, 3, 29)


ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
FIELD = st.sampled_from(["*", "0", "0/15", "2,3", "5-7"])


@settings(max_examples=150, deadline=None)
@given(zone=ZONES, at=MOMENTS, minute=FIELD, hour=FIELD)
@example(zone="America/St_Johns", at=datetime(2010, 11, 7, 1, tzinfo=UTC), minute="*", hour="*")  # 00:01 back to 23:01
@example(zone="Pacific/Kwajalein", at=datetime(1993, 8, 20, tzinfo=UTC), minute="0", hour="0")
def test_ticks_rise_and_both_directions_agree(zone: str, at: datetime, minute: str, hour: str) -> None:
    parsed = parse(f"cron({minute} {hour} * * ? *)", zone)
    tick = parsed.tick(at)
    assert tick and tick <= at
    for _ in range(8):
        following = parsed.following(tick)
        assert following and following > tick
        assert parsed.tick(following) == following
        assert parsed.tick(following - timedelta(seconds=1)) == tick
        assert parsed.following(following - timedelta(seconds=1)) == following
        tick = following


@settings(max_examples=100, deadline=None)
@given(zone=ZONES, start=st.dates(date(1980, 1, 1), date(2037, 1, 1)), wall=st.times())
@example(zone="America/Sao_Paulo", start=date(2018, 11, 1), wall=time(0, 0))
@example(zone="Africa/Casablanca", start=date(2026, 2, 10), wall=time(2, 30))
def test_a_daily_schedule_has_one_tick_for_each_day_of_its_zone(zone: str, start: date, wall: time) -> None:
    parsed, tzinfo = parse(f"cron({wall.minute} {wall.hour} * * ? *)", zone), ZoneInfo(zone)
    tick = parsed.following(datetime.combine(start - timedelta(days=2), time(12), UTC))
    days = []
    for _ in range(40):
        days.append(parsed.day(tick))
        local = tick.astimezone(tzinfo)
        if (local.hour, local.minute) != (wall.hour, wall.minute):
            before = (tick - timedelta(seconds=1)).astimezone(tzinfo)
            assert before.utcoffset() != local.utcoffset(), "only a gap moves a tick"
        tick = parsed.following(tick)
    missing = {days[0] + timedelta(days=number) for number in range((days[-1] - days[0]).days + 1)} - set(days)
    assert len(set(days)) == len(days) and days == sorted(days)
    for day in missing:
        noon = datetime.combine(day, time(12), tzinfo)
        assert noon.astimezone(UTC).astimezone(tzinfo).date() != day, "a day that the zone left out"


@settings(max_examples=50, deadline=None)
@given(at=MOMENTS, zone=ZONES, number=st.integers(2, 900))
def test_a_rate_is_the_same_in_every_zone(at: datetime, zone: str, number: int) -> None:
    here, there = parse(f"rate({number} minutes)"), parse(f"rate({number} minutes)", zone)
    tick = here.tick(at)
    assert tick == there.tick(at.astimezone(ZoneInfo(zone)))
    assert there.following(tick) - tick == timedelta(minutes=number)


@settings(max_examples=50, deadline=None)
@given(at=MOMENTS, ticks=st.integers(0, 30))
def test_counts_the_ticks_between(at: datetime, ticks: int) -> None:
    parsed = parse("cron(0/20 8-17 ? * MON-FRI *)", "Europe/Lisbon")
    first = last = parsed.following(at)
    for _ in range(ticks):
        last = parsed.following(last)
    assert count_between(parsed, first, last, 1000) == ticks
    assert count_between(parsed, first, last, 7) == min(ticks, 7)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_refuses_a_zone_that_there_is_not(zone: str) -> None:
    with pytest.raises(BadExpression):
        parse("cron(0 5 * * ? *)", zone)

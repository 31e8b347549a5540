from datetime import UTC, datetime

import pytest

from notifications.expressions import BadExpression, parse

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
])
def test_names_the_tick_of_a_moment_and_the_one_after_it(text: str, tick: str, following: str) -> None:
    found = parse(text).tick(NOON)
    assert found == datetime.fromisoformat(tick).replace(tzinfo=UTC)
    assert parse(text).following(found) == datetime.fromisoformat(following).replace(tzinfo=UTC)
    assert parse(text).tick(found) == found


@pytest.mark.parametrize("text", [
    "", "hourly", "rate(1 hours)", "rate(2 hour)", "rate(0 minutes)", "rate(1.5 hours)", "rate(1 week)", "rate(1 hour) ;",
    "cron(0 5 * * *)", "cron(0 5 * * * *)", "cron(0 5 ? * ? *)", "cron(60 5 * * ? *)", "cron(0 24 * * ? *)", "cron(0 5 0 * ? *)",
    "cron(0 5 L * ? *)", "cron(0 5 15W * ? *)", "cron(0 5 ? * MON#1 *)", "cron(0 5 ? * FOO *)", "cron(5-1 5 * * ? *)",
    "cron(0/0 5 * * ? *)", "cron(0, 5 * * ? *)", "cron(0 5 * * ? 2027)", "cron(0 0 30 FEB ? *)", "cron(0 0 31 4,6 ? *)",
])
def test_refuses_what_it_cannot_run(text: str) -> None:
    with pytest.raises(BadExpression) as refused:
        parse(text)
    assert repr(text) in str(refused.value)

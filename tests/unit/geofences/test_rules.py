"""When geofences are awake, and how it stands with their crowds."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from v2v.geofences.rules import Schedule, crowd_after, schedule_of

DUBAI = ZoneInfo("Asia/Dubai")
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_a_geofence_without_days_and_hours_has_no_schedule() -> None:
    assert schedule_of([], None, None, DUBAI) is None


@pytest.mark.parametrize(
    ("hour_utc", "awake"), [(1, False), (2, True), (15, True), (16, False)]
)  # 06:00 to 20:00 in Dubai
def test_hours_are_those_of_the_time_zone(hour_utc: int, awake: bool) -> None:
    schedule = schedule_of([], time(6), time(20), DUBAI)
    assert schedule is not None
    assert schedule.is_awake(datetime(2026, 11, 25, hour_utc, tzinfo=UTC)) is awake


@pytest.mark.parametrize(
    ("day", "hour", "awake"),
    [(25, 21, False), (25, 22, True), (26, 5, True), (26, 6, False), (26, 23, False), (25, 3, False)],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(day: int, hour: int, awake: bool) -> None:
    schedule = Schedule(frozenset({3}), time(22), time(6), DUBAI)  # the 25th is a Wednesday
    assert schedule.is_awake(datetime(2026, 11, day, hour, tzinfo=DUBAI)) is awake


def test_days_alone_are_whole_days() -> None:
    schedule = schedule_of([3], None, None, DUBAI)
    assert schedule is not None
    assert schedule.is_awake(datetime(2026, 11, 25, 0, 0, tzinfo=DUBAI))
    assert not schedule.is_awake(datetime(2026, 11, 26, 0, 0, tzinfo=DUBAI))


@pytest.mark.parametrize(
    ("inside", "since_min", "told", "expected"),
    [
        (2, None, False, "fine"),
        (1, None, False, "waits"),
        (1, 4, False, "waits"),
        (1, 5, False, "tell"),
        (1, 5, True, "told"),
        (2, 5, True, "well"),
    ],
)
def test_a_crowd_is_judged_by_how_many_and_for_how_long(inside, since_min, told, expected) -> None:
    since = None if since_min is None else NOW - timedelta(minutes=since_min)
    state = crowd_after(inside=inside, minimum=2, since=since, told=told, hold=timedelta(minutes=5), now=NOW)
    assert state == expected

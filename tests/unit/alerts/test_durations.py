"""Lengths of time and shares in words."""

from datetime import timedelta

import pytest

from v2v.alerts.templatetags.durations import NONE, duration, percent, points


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, NONE),
        (0, "0 s"),
        (48.4, "48 s"),
        (59.6, "1 min"),
        (timedelta(seconds=83), "1 min 23 s"),
        (timedelta(hours=2, seconds=5), "2 h 5 s"),
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
        (-3, "0 s"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(value: timedelta | float | None, words: str) -> None:
    assert duration(value) == words


def test_shares_and_their_changes_are_said_shortly() -> None:
    assert [percent(share) for share in (None, 0, 0.9, 0.934, 1)] == [NONE, "0 %", "90 %", "93.4 %", "100 %"]
    assert [points(change) for change in (None, 3.21, -1.0, 0.0)] == ["", "+3.2", "-1", "+0"]

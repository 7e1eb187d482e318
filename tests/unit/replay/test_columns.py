"""Fixes as columns, and back."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from v2v.protocol.epoch import moment
from v2v.replay.columns import DEGREES, SPEED, Fix, columns_of

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FIXES = st.lists(
    st.builds(
        Fix,
        at=st.integers(0, 90_000_000).map(lambda ms: START + timedelta(milliseconds=ms)),
        lat=st.floats(-90, 90),
        lng=st.floats(-180, 180),
        speed=st.none() | st.floats(0, 120),
        heading=st.none() | st.floats(0, 359.4),
    ),
    max_size=30,
).map(lambda fixes: sorted(fixes, key=lambda fix: fix.at))


def decoded(columns: dict[str, list[int]], start_ms: int) -> list[Fix]:
    """As the page decodes them."""
    ts = [start_ms + step for step in accumulate(columns["ts"])]
    lat, lng = (accumulate(columns[name]) for name in ("lat", "lng"))
    rows = zip(ts, lat, lng, columns["speed"], columns["heading"], strict=True)
    return [
        Fix(moment(at), y / DEGREES, x / DEGREES, None if v < 0 else v / SPEED, None if h < 0 else float(h))
        for at, y, x, v, h in rows
    ]


def near(one: float | None, other: float | None, by: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= by + 1e-9


@given(FIXES)
def test_what_is_decoded_is_what_was_encoded(fixes: list[Fix]) -> None:
    columns = msgspec.json.decode(msgspec.json.encode(columns_of(fixes, start=START)))
    found = decoded(columns, round(START.timestamp() * 1000))
    assert [fix.at for fix in found] == [fix.at for fix in fixes]
    for fix, got in zip(fixes, found, strict=True):
        assert near(fix.lat, got.lat, 0.5 / DEGREES)
        assert near(fix.lng, got.lng, 0.5 / DEGREES)
        assert near(fix.speed, got.speed, 0.5 / SPEED)
        assert near(fix.heading, got.heading, 0.5)


def test_errors_of_rounding_do_not_add_up() -> None:
    fixes = [Fix(START + timedelta(seconds=n), 25 + n * 3.3e-7, 55, None, None) for n in range(10_000)]
    last = decoded(columns_of(fixes, start=START), round(START.timestamp() * 1000))[-1]
    assert near(fixes[-1].lat, last.lat, 0.5 / DEGREES)


def test_a_fix_every_five_seconds_takes_few_bytes() -> None:
    fixes = [Fix(START + timedelta(seconds=5 * n), 25 + n * 0.0005, 55 + n * 0.0004, 14.2, 45.0) for n in range(1_000)]
    assert len(msgspec.json.encode(columns_of(fixes, start=START))) < 25_000

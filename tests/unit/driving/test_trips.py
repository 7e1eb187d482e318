"""Trips and stops, from fixes in order."""

import copy
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2v.driving.trips import Fix, Progress, Trip, advance, begun, resumed, under_way

METERS = 1 / 111_195  # in degrees of latitude
START = 1_800_000_000_000
Stretch = tuple[float, float]  # seconds, meters per second


def driven(*stretches: Stretch, every_s: float = 10.0, with_speed: bool = True, fleet: int = 1) -> list[Fix]:
    """A vehicle that drives north for so many seconds at each speed."""
    ts, north = START, 0.0
    fixes = [Fix(ts, 25.0, 55.0, 0.0 if with_speed else None, None, fleet)]
    for seconds, speed in stretches:
        for _ in range(round(seconds / every_s)):
            ts += round(every_s * 1000)
            north += speed * every_s
            fixes.append(Fix(ts, 25.0 + north * METERS, 55.0, speed if with_speed else None, None, fleet))
    return fixes


def day_of(ts: int) -> str:
    return f"day {ts // 86_400_000}"


def trips_of(fixes: list[Fix]) -> tuple[list[Trip], Progress]:
    progress = begun(fixes[0])
    over = [trip for fix in fixes[1:] if (trip := advance(progress, fix, day_of)) is not None]
    return over, progress


def seconds_of(trip: Trip) -> tuple[int, int]:
    return (trip.start.ts - START) // 1000, (trip.end.ts - START) // 1000


@pytest.mark.parametrize("with_speed", [True, False])
def test_a_trip_ends_where_the_vehicle_parked_and_has_its_figures(with_speed: bool) -> None:
    trips, progress = trips_of(driven((100, 0), (600, 15), (400, 0), with_speed=with_speed))
    assert [seconds_of(trip) for trip in trips] == [(100, 710)]  # it comes to rest within the last stretch
    (part,) = trips[0].parts
    assert part.distance_m == pytest.approx(9_000, rel=0.001)
    assert (part.moving_s, part.idle_s) == (610, 0)
    assert progress.trip is None


def test_parking_under_five_minutes_does_not_split_a_trip_and_counts_as_idle() -> None:
    trips, _ = trips_of(driven((300, 15), (280, 0), (300, 15), (310, 0)))
    assert len(trips) == 1
    assert trips[0].parts[0].idle_s == pytest.approx(270, abs=11)


def test_parking_of_five_minutes_splits() -> None:
    trips, _ = trips_of(driven((300, 15), (320, 0), (300, 15), (320, 0)))
    assert [seconds_of(trip)[0] for trip in trips] == [0, 620]


@pytest.mark.parametrize(
    ("stretches", "count"),
    [(((30, 15), (320, 0)), 0), (((40, 15), (320, 0)), 1), (((310, 1.5), (320, 0)), 1), (((100, 1.5), (320, 0)), 0)],
    ids=["450 m", "600 m", "slow for long", "across the yard"],
)
def test_what_is_long_enough_is_a_trip(stretches: tuple[Stretch, ...], count: int) -> None:
    assert len(trips_of(driven(*stretches))[0]) == count


def test_a_long_silence_ends_a_trip_and_what_was_driven_in_it_does_not_count() -> None:
    fixes = driven((300, 15))
    later = [fix._replace(ts=fix.ts + 2 * 3_600_000, lat=fix.lat + 1.0) for fix in driven((300, 15), (310, 0))]
    trips, _ = trips_of([*fixes, *later])
    assert [round(trip.distance_m / 100) for trip in trips] == [45, 45]


def test_a_short_silence_while_driving_does_not() -> None:
    fixes = driven((2_000, 15))
    trips, progress = trips_of([*fixes[:50], *fixes[130:]])
    trip = under_way(progress)
    assert trips == []
    assert trip is not None
    assert trip.distance_m == pytest.approx(30_000, rel=0.001)


def test_a_tracker_that_falls_silent_where_it_parks_has_ended_its_trip() -> None:
    first = driven((300, 15))
    again = [fix._replace(ts=fix.ts + 1_000_000, lat=first[-1].lat + 15 * METERS) for fix in driven((10, 15))][-1]
    trips, _ = trips_of([*first, again])
    assert [seconds_of(trip) for trip in trips] == [(0, 300)]


def test_jumps_and_fixes_of_poor_accuracy_are_left_out() -> None:
    fixes = driven((600, 15), (310, 0))
    fixes[20] = fixes[20]._replace(lat=26.0)
    fixes[30] = fixes[30]._replace(lat=25.5, accuracy=900.0)
    trips, _ = trips_of(fixes)
    assert trips[0].distance_m == pytest.approx(9_000, rel=0.01)


def test_a_trip_over_midnight_has_a_part_for_each_day() -> None:
    to_midnight = 86_400_000 - START % 86_400_000 - 300_000
    fixes = [fix._replace(ts=fix.ts + to_midnight) for fix in driven((900, 15), (310, 0))]
    (trip,) = trips_of(fixes)[0]
    assert [round(part.moving_s / 100) for part in trip.parts] == [3, 6]
    assert len({part.day for part in trip.parts}) == 2


def test_a_change_of_fleet_ends_the_trip_for_the_old_one() -> None:
    fixes = driven((1_200, 15), (310, 0))
    trips, _ = trips_of([*fixes[:60], *(fix._replace(fleet=2) for fix in fixes[60:])])
    assert [trip.fleet for trip in trips] == [1, 2]


# ---- What an incremental step relies on

STRETCHES = st.lists(
    st.tuples(st.sampled_from([20, 60, 290, 310, 600]), st.sampled_from([0.0, 1.0, 3.0, 15.0, 30.0])),
    min_size=1,
    max_size=12,
)


@st.composite
def drives(draw: st.DrawFn) -> list[Fix]:
    """Drives with silences, faulty fixes and fixes without speed."""
    fixes = driven(*draw(STRETCHES), every_s=draw(st.sampled_from([2.0, 10.0, 20.0])))
    silence = draw(st.sampled_from([0, 40_000, 400_000, 4_000_000]))
    begin = draw(st.integers(0, len(fixes)))
    fixes = [*fixes[:begin], *(fix._replace(ts=fix.ts + silence) for fix in fixes[begin:])]
    for index in draw(st.lists(st.integers(1, len(fixes) - 1), max_size=4)) if len(fixes) > 1 else []:
        fault: dict[str, Any] = draw(
            st.sampled_from([{"speed": None}, {"accuracy": 500.0}, {"lat": 26.0}, {"speed": 0.0}])
        )
        fixes[index] = fixes[index]._replace(**fault)
    return fixes


@given(drives(), st.integers(1, 50))
def test_in_pieces_with_the_progress_stored_between_them_it_comes_to_the_same(fixes: list[Fix], size: int) -> None:
    whole, _ = trips_of(fixes)
    progress, trips = begun(fixes[0]), []
    for begin in range(1, len(fixes), size):
        progress = msgspec.json.decode(msgspec.json.encode(progress), type=Progress)
        trips += [trip for fix in fixes[begin : begin + size] if (trip := advance(progress, fix, day_of)) is not None]
    assert trips == whole


@given(drives())
def test_from_the_end_of_each_trip_the_later_ones_are_found_again(fixes: list[Fix]) -> None:
    trips, last = trips_of(fixes)
    for number, trip in enumerate(trips):
        progress = resumed(copy.deepcopy(trip))
        rest = [fix for fix in fixes if fix.ts > trip.end.ts]
        again = [found for fix in rest if (found := advance(progress, fix, day_of)) is not None]
        assert again == trips[number + 1 :]
        assert under_way(progress) == under_way(last)


@given(drives())
def test_trips_follow_each_other_and_their_time_is_driven_or_stood(fixes: list[Fix]) -> None:
    trips, _ = trips_of(fixes)
    for trip in trips:
        seconds = (trip.end.ts - trip.start.ts) / 1000
        assert sum(part.moving_s + part.idle_s for part in trip.parts) == pytest.approx(seconds)
        assert trip.is_one
    for earlier, later in pairwise(trips):
        assert earlier.end.ts <= later.start.ts

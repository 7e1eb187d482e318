"""A track for a map has fewer positions, and looks the same."""

import math

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from v2v.tracking.simplify import track_simplify


def test_a_straight_road_is_its_two_ends() -> None:
    lats = [25.0 + n / 10_000 for n in range(500)]
    assert track_simplify(lats, [55.0] * 500, zoom=18) == [0, 499]


def test_a_corner_is_kept() -> None:
    lats = [25.0 + min(n, 100) / 10_000 for n in range(200)]
    lngs = [55.0 + max(0, n - 100) / 10_000 for n in range(200)]
    assert track_simplify(lats, lngs, zoom=14) == [0, 100, 199]


def test_the_farther_away_the_fewer_positions() -> None:
    turns = [math.sin(n / 20) / 500 for n in range(1000)]
    lngs = [55.0 + n / 10_000 for n in range(1000)]
    counts = [len(track_simplify([25.0 + turn for turn in turns], lngs, zoom=zoom)) for zoom in (8, 12, 16)]
    assert counts == sorted(set(counts))
    assert counts[0] < 10


def test_a_vehicle_that_stands_keeps_its_first_and_last() -> None:
    assert track_simplify([25.0] * 50, [55.0] * 50, zoom=18) == [0, 49]


def test_a_track_over_the_date_line_does_not_go_round_the_earth() -> None:
    lngs = [(179.9 + n / 1000 + 180) % 360 - 180 for n in range(200)]
    assert track_simplify([0.0] * 200, lngs, zoom=18) == [0, 199]


@given(st.lists(st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)), max_size=40), st.integers(5, 20))
def test_no_position_is_a_pixel_away_from_what_is_drawn(track: list[tuple[float, float]], zoom: int) -> None:
    lats, lngs = [lat for lat, _ in track], [lng for _, lng in track]
    kept = track_simplify(lats, lngs, zoom=zoom)
    assert kept == sorted(set(kept))
    assert not track or (kept[0], kept[-1]) == (0, len(track) - 1)
    if len(kept) > 1:
        drawn = shapely.linestrings([(lngs[n], lats[n]) for n in kept])
        pixel_degrees = 156_543.03 / 2**zoom / 111_195
        distances = shapely.distance(shapely.points(np.column_stack((lngs, lats))), drawn)
        assert distances.max() <= pixel_degrees * 1.01

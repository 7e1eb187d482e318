"""Vehicles around a point, with distance and bearing."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.proximity.oracle import Place, haversine_m, positions_of
from v2v.proximity.engine import nearby
from v2v.proximity.geometry import EARTH_RADIUS_M

Point = tuple[float, float]

METRE_DEG = 360 / (2 * math.pi * 6_371_008.8)


def test_the_nearest_comes_first_with_its_bearing() -> None:
    world = {
        1: Place(300 * METRE_DEG, 11),
        2: Place(0, 11 + 100 * METRE_DEG),
        3: Place(-200 * METRE_DEG, 11),
        4: Place(0, 11 - 400 * METRE_DEG),
        5: Place(501 * METRE_DEG, 11),
        6: Place(0, 11 + 501 * METRE_DEG),
    }
    found = nearby(positions_of(world), lat=0, lng=11, fleet=0, radius_m=500)
    assert found.slots.tolist() == [2, 3, 1, 4]
    assert found.distance_m == pytest.approx([100, 200, 300, 400], abs=1e-5)
    assert found.bearing_deg == pytest.approx([90, 180, 0, 270], abs=1e-6)


def test_other_fleets_and_the_one_who_asks_are_left_out() -> None:
    world = {1: Place(48, 11), 2: Place(48, 11), 3: Place(48, 11, fleet=2)}
    found = nearby(positions_of(world), lat=48, lng=11, fleet=0, radius_m=500, exclude_slot=1)
    assert (found.slots.tolist(), found.distance_m.tolist(), found.bearing_deg.tolist()) == ([2], [0], [0])


def test_equally_near_vehicles_come_by_slot() -> None:
    world = {slot: Place(48, 11) for slot in (9, 4, 7)}
    assert nearby(positions_of(world), lat=48, lng=11, fleet=0, radius_m=1).slots.tolist() == [4, 7, 9]


@pytest.mark.parametrize("world", [{}, {1: Place(10, 10)}], ids=["nobody", "far away"])
def test_nobody_near_gives_empty_columns(world: dict[int, Place]) -> None:
    found = nearby(positions_of(world), lat=48, lng=11, fleet=0, radius_m=500)
    assert [column.tolist() for column in found] == [[], [], []]


@pytest.mark.parametrize(
    ("here", "there", "bearing"),
    [
        pytest.param((0, 179.999), (0, -179.999), 90, id="east across the date line"),
        pytest.param((0, -179.999), (0, 179.999), 270, id="west across the date line"),
        pytest.param((89.999, 30), (89.999, -150), 0, id="over the north pole"),
        pytest.param((-89.999, 30), (-89.999, -150), 180, id="over the south pole"),
    ],
)
def test_bearings_in_awkward_places(here: Point, there: Point, bearing: float) -> None:
    world = positions_of({1: Place(*there)})
    found = nearby(world, lat=here[0], lng=here[1], fleet=0, radius_m=500)
    assert found.bearing_deg == pytest.approx([bearing], abs=1e-6)


def test_the_other_end_of_the_world_is_half_way_round() -> None:
    found = nearby(positions_of({1: Place(-19, 38)}), lat=19, lng=-142, fleet=0, radius_m=2.1e7)
    assert found.distance_m == pytest.approx([math.pi * EARTH_RADIUS_M])


def test_a_radius_round_the_whole_earth_finds_everyone() -> None:
    world = {1: Place(90, 0), 2: Place(-90, 0), 3: Place(0, 180), 4: Place(0, 0)}
    found = nearby(positions_of(world), lat=0, lng=0, fleet=0, radius_m=math.pi * EARTH_RADIUS_M)
    assert sorted(found.slots.tolist()) == [1, 2, 3, 4]
    assert found.slots.tolist()[::3] == [4, 3]


latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@given(
    st.dictionaries(st.integers(0, 30), st.builds(Place, latitudes, longitudes, st.integers(0, 1)), max_size=20),
    st.builds(Place, latitudes, longitudes),
    st.floats(1, 2e7),
)
@settings(max_examples=150, deadline=None)
def test_nearby_finds_what_the_haversine_finds(world: dict[int, Place], here: Place, radius_m: float) -> None:
    expected = {slot: haversine_m(here, place) for slot, place in world.items() if place.fleet == 0}
    assume(all(abs(distance - radius_m) > 1 for distance in expected.values()))
    found = nearby(positions_of(world), lat=here.lat, lng=here.lng, fleet=0, radius_m=radius_m)
    assert set(found.slots.tolist()) == {slot for slot, d in expected.items() if d < radius_m}
    assert found.distance_m.tolist() == sorted(found.distance_m.tolist())
    assert found.distance_m == pytest.approx([expected[slot] for slot in found.slots.tolist()], abs=1)
    assert ((found.bearing_deg >= 0) & (found.bearing_deg < 360)).all()

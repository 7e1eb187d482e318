"""Areas: nothing that lies within is missed by the cells, nothing outside passes."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v2v.protocol.decode import Refusal
from v2v.tracking.area import MAX_CELLS, area_of_box, area_of_corners, cell_of

degrees_small = st.floats(0.001, 0.05)
lats = st.floats(-84, 84)
lngs = st.floats(-180, 180)
parts = st.floats(0, 1)


@settings(deadline=None, max_examples=150)
@given(lats, lngs, degrees_small, degrees_small, parts, parts)
def test_every_point_of_a_box_is_in_one_of_its_cells(
    south: float, west: float, height: float, width: float, up: float, right: float
) -> None:
    north, east = south + height, (west + width + 180) % 360 - 180
    assume(north < 84.9)
    assume(west != east)
    area = area_of_box(west, south, east, north)
    lat, lng = south + up * height, (west + right * width + 180) % 360 - 180
    assume(area.contains([lat], [lng])[0])
    assert area.cells is not None
    assert cell_of(lat, lng) in area.cells


@settings(deadline=None, max_examples=100)
@given(lats, st.floats(-179, 179), st.lists(st.floats(0.002, 0.03), min_size=3, max_size=12), parts, parts)
def test_every_point_of_a_polygon_is_in_one_of_its_cells(
    lat: float, lng: float, radii: list[float], up: float, right: float
) -> None:
    corners = [
        (lng + radius * math.sin(2 * math.pi * n / len(radii)), lat + radius * math.cos(2 * math.pi * n / len(radii)))
        for n, radius in enumerate(radii)
    ]
    area = area_of_corners(corners)
    box = area.boxes[0]
    point = box.south + up * (box.north - box.south), box.west + right * (box.east - box.west)
    assume(area.contains([point[0]], [point[1]])[0])
    assert area.cells is not None
    assert cell_of(*point) in area.cells


def test_a_box_over_the_date_line_has_two_parts() -> None:
    area = area_of_box(179.99, -17.0, -179.99, -16.98)
    assert list(area.contains([-16.99] * 3, [179.995, -179.995, 0.0])) == [True, True, False]
    assert [(box.west, box.east) for box in area.boxes] == [(179.99, 180.0), (-180.0, -179.99)]
    assert area.cells is not None
    assert cell_of(-16.99, -179.995) in area.cells


def test_a_point_on_the_edge_is_within_and_one_beside_it_is_not() -> None:
    area = area_of_corners([(55.0, 25.0), (55.1, 25.0), (55.0, 25.1)])
    assert list(area.contains([25.0, 25.05, 24.999, 25.06], [55.05, 55.05, 55.05, 55.05])) == [True, True, False, False]


@pytest.mark.parametrize("box", [(-180.0, -90.0, 180.0, 90.0), (50, 20, 60, 30), (10, 86, 10.01, 86.01)])
def test_an_area_of_too_many_cells_or_at_a_pole_has_none(box: tuple[float, float, float, float]) -> None:
    assert area_of_box(*box).cells is None


def test_a_city_is_still_covered_by_cells() -> None:
    cells = area_of_box(55.13, 25.13, 55.25, 25.25).cells
    assert cells is not None
    assert 1000 < len(cells) <= MAX_CELLS


@pytest.mark.parametrize(
    "box", [(1, 1, 1, 2), (1, 2, 2, 1), (1, 1, 2, 91), (-181, 1, 2, 2), (float("nan"), 1, 2, 2), (1, 1, 2, 1)]
)
def test_what_is_no_box_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(Refusal) as refused:
        area_of_box(*box)
    assert refused.value.details == {"field": "bbox", "issue": "not west,south,east,north in degrees"}


@pytest.mark.parametrize(
    "corners",
    [[(0, 0), (1, 1)], [(0, 0), (1, 1), (1, 0), (0, 1)], [(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 0), (1, 91)]],
    ids=["two", "crossed", "line", "off the earth"],
)
def test_what_is_no_polygon_is_refused(corners: list[tuple[float, float]]) -> None:
    with pytest.raises(Refusal):
        area_of_corners(corners)

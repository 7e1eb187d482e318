"""The cells in which positions travel between processes."""

import h3.api.basic_int as h3
import pytest

from v2v.proximity.moves import resolution_for

EXIT_RADIUS_M = 600.0
PLACES = [(25.2, 55.3), (0.0, 0.0), (-33.9, 151.2), (69.6, 18.9), (40.7, -74.0), (-0.2, 179.99), (89.0, 10.0)]


@pytest.mark.parametrize(("lat", "lng"), PLACES)
def test_whoever_is_near_stands_in_the_same_cell_or_one_beside_it(lat: float, lng: float) -> None:
    resolution = resolution_for(EXIT_RADIUS_M)
    cell = h3.latlng_to_cell(lat, lng, resolution)
    ring = set(h3.grid_disk(cell, 2)) - set(h3.grid_disk(cell, 1))
    corners = h3.cell_to_boundary(cell)
    ways = [
        h3.great_circle_distance(corner, other, unit="m")
        for corner in corners
        for each in ring
        for other in h3.cell_to_boundary(each)
    ]
    assert min(ways) > 2 * EXIT_RADIUS_M


def test_the_cells_grow_with_the_radius() -> None:
    assert [resolution_for(radius_m) for radius_m in (10, 600, 5_000, 10_000_000)] == [9, 6, 4, 0]

"""What makes a valid shape."""

import math

import pytest
import shapely

from v2v.geofences.shapes import Area, Circle, ShapeError, center_of, geometry_of, margin_of, radius_of, shape_of

DEGREE_M = 111_195.0


def ring(*points: tuple[float, float]) -> dict:
    return {"type": "Polygon", "coordinates": [[list(point) for point in (*points, points[0])]]}


def test_a_circle_is_a_point_with_a_radius() -> None:
    circle = shape_of("circle", {"type": "Point", "coordinates": [55.27, 25.2]}, 300.0)
    assert circle == Circle(55.27, 25.2, 300.0)
    assert geometry_of(circle) == {"type": "Point", "coordinates": [55.27, 25.2]}


def test_an_area_knows_its_size_and_a_point_inside() -> None:
    area = shape_of("polygon", ring((10, 60), (10.1, 60), (10.1, 60.1), (10, 60.1)), None)
    assert isinstance(area, Area)
    assert area.area_m2 == pytest.approx((0.1 * DEGREE_M) ** 2 * math.cos(math.radians(60.05)), rel=0.01)
    lat, lng = center_of(area)
    assert area.polygon.contains(shapely.Point(lng, lat))


def test_the_wide_border_runs_the_margin_outside_in_every_direction() -> None:
    area = shape_of("polygon", ring((10, 60), (10.1, 60), (10.1, 60.1), (10, 60.1)), None)
    assert isinstance(area, Area)
    west, south, east, north = area.widened(100).bounds
    assert (10 - west) * DEGREE_M * math.cos(math.radians(60.05)) == pytest.approx(100, rel=0.01)
    assert (60 - south) * DEGREE_M == pytest.approx(100, rel=0.01)
    assert (east - 10.1, north - 60.1) == pytest.approx((10 - west, 60 - south))


def test_the_margin_is_a_fifth_of_the_radius_up_to_a_hundred_meters() -> None:
    assert margin_of(100) == pytest.approx(20)
    assert margin_of(5_000) == 100
    square = Area(((0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01), (0, 0)))
    assert radius_of(square) == pytest.approx(0.01 * DEGREE_M / math.sqrt(math.pi), rel=0.01)


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (ring((0, 0), (1, 1), (1, 0), (0, 1)), "crosses"),
        (ring((0, 0), (1e-5, 0), (0, 1e-5)), "small"),
        (ring((-80, -40), (80, -40), (80, 40), (-80, 40)), "large"),
        (ring((179, 0), (-179, 0), (-179, 1), (179, 1)), "date line"),
        (ring((0, 84), (1, 84), (1, 86)), "latitudes"),
        (ring((0, 0), (math.nan, 0), (1, 1)), "latitudes"),
        (ring((0, 0), (10**400, 0), (1, 1)), "latitudes"),
        (ring(*((math.cos(n / 160), math.sin(n / 160)) for n in range(1_001))), "1,000 points"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "closed"),
        ({"type": "Polygon", "coordinates": []}, "one ring"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, True], [1, 1], [0, 0]]]}, "a point"),
        ({"type": "Polygon", "coordinates": [{}]}, "a ring"),
        ({"type": "MultiPolygon", "coordinates": []}, "not a GeoJSON Polygon"),
        ([], "not a GeoJSON Polygon"),
    ],
)
def test_what_is_no_area_is_refused_in_words(geometry, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        shape_of("polygon", geometry, None)


@pytest.mark.parametrize(("lat", "radius_m"), [(25.0, 9.0), (25.0, 200_001.0), (84.99, 5_000.0), (25.0, math.nan)])
def test_a_circle_too_small_too_large_or_over_the_edge_of_the_map_is_refused(lat: float, radius_m: float) -> None:
    with pytest.raises(ShapeError) as caught:
        shape_of("circle", {"type": "Point", "coordinates": [10.0, lat]}, radius_m)
    assert caught.value.field == "radiusM"

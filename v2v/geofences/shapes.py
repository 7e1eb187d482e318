"""The shapes of geofences: what makes a valid one, how large it is, and where its outer border runs. No Django.

A polygon is one ring of [longitude, latitude] whose edges are straight in degrees (RFC 7946, 3.1.1). For meters it is
laid flat round the middle of its box: x = longitude * cos(middle latitude). Straight edges stay straight that way, so
that who is inside is the same in meters and in degrees. A circle is measured on the sphere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from v2v.proximity.geometry import EARTH_RADIUS_M

MAX_POINTS = 1_000
MAX_LATITUDE = 85.0  # where the map ends, too
MIN_RADIUS_M, MAX_RADIUS_M = 10.0, 200_000.0
MIN_AREA_M2, MAX_AREA_M2 = 100.0, 1e12  # ten by ten meters, a million square kilometers

EXIT_FACTOR = 1.2  # of the radius: who is inside leaves beyond it
MAX_MARGIN_M = 100.0  # a fifth of a large radius would be far more than positions jitter by
_METERS_A_DEGREE = math.pi * EARTH_RADIUS_M / 180.0

Ring = Sequence[tuple[float, float]]
_Matrix = tuple[float, float, float, float, float, float]


class ShapeError(ValueError):
    """What is wrong with a shape; `field` is `geometry` or `radiusM`."""

    def __init__(self, field: str, issue: str) -> None:
        super().__init__(issue)
        self.field = field
        self.issue = issue


@dataclass(frozen=True, slots=True)
class Circle:
    """Degrees and meters."""

    lng: float
    lat: float
    radius_m: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; west or east may lie beyond the date line."""
        return self.box_of(self.radius_m)

    def box_of(self, radius_m: float) -> tuple[float, float, float, float]:
        """The box of a circle round the same middle. Its edges touch it where meridians do, beside the middle."""
        angle = radius_m / EARTH_RADIUS_M
        ratio = math.sin(angle) / math.cos(math.radians(self.lat))
        half = math.degrees(math.asin(ratio)) if ratio < 1 else 180.0
        up = math.degrees(angle)
        return self.lng - half, self.lat - up, self.lng + half, self.lat + up


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon's ring, closed: the first point again at the end."""

    ring: tuple[tuple[float, float], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        lngs, lats = [point[0] for point in self.ring], [point[1] for point in self.ring]
        return min(lngs), min(lats), max(lngs), max(lats)

    @property
    def polygon(self) -> Any:
        """In degrees."""
        return shapely.Polygon(self.ring)

    @property
    def area_m2(self) -> float:
        """Square meters, laid flat."""
        return float(shapely.area(_moved(self.polygon, _to_meters(self.ring))))

    def widened(self, margin_m: float) -> Any:
        """The polygon in degrees whose border runs so many meters outside of this one's; corners are cut straight."""
        matrix = _to_meters(self.ring)
        wide = shapely.buffer(_moved(self.polygon, matrix), margin_m, join_style="mitre", mitre_limit=1.5)
        return _moved(wide, (1 / matrix[0], 0.0, 0.0, 1 / matrix[3], 0.0, 0.0))


Shape = Circle | Area


def radius_of(shape: Shape) -> float:
    """A circle's radius; of an area that of the circle of the same size. Meters."""
    return shape.radius_m if isinstance(shape, Circle) else math.sqrt(shape.area_m2 / math.pi)


def margin_of(radius_m: float) -> float:
    """How far outside of its border a shape of this radius is left, in meters."""
    return min((EXIT_FACTOR - 1) * radius_m, MAX_MARGIN_M)


def shape_of(kind: str, geometry: Any, radius_m: float | None) -> Shape:
    """The shape that a GeoJSON geometry (and a radius) says. Raises ShapeError when it is none, or not a valid one.

    `kind` is `circle` with a Point, or `polygon` with a Polygon of one ring.
    """
    if kind == "circle":
        return _circle(_coordinates(geometry, "Point"), radius_m)
    if radius_m is not None:
        raise ShapeError("radiusM", "only a circle has a radius")
    return _area(_coordinates(geometry, "Polygon"))


def geometry_of(shape: Shape) -> dict[str, Any]:
    """The GeoJSON geometry of a shape; degrees with 7 decimals, about a centimeter."""
    if isinstance(shape, Circle):
        return {"type": "Point", "coordinates": [round(shape.lng, 7), round(shape.lat, 7)]}
    return {"type": "Polygon", "coordinates": [[[round(lng, 7), round(lat, 7)] for lng, lat in shape.ring]]}


def center_of(shape: Shape) -> tuple[float, float]:
    """Latitude and longitude of a point inside."""
    if isinstance(shape, Circle):
        return shape.lat, shape.lng
    point = shapely.point_on_surface(shape.polygon)
    return float(point.y), float(point.x)


def _coordinates(geometry: Any, kind: str) -> Any:
    if not isinstance(geometry, dict) or geometry.get("type") != kind or set(geometry) != {"type", "coordinates"}:
        raise ShapeError("geometry", f'not a GeoJSON {kind}: {{"type": "{kind}", "coordinates": […]}}')
    return geometry["coordinates"]


def _point(value: Any) -> tuple[float, float]:
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in value):
        raise ShapeError("geometry", "a point is [longitude, latitude]")
    try:
        lng, lat = float(value[0]), float(value[1])
    except OverflowError:
        lng = lat = math.inf
    if not (-180 <= lng <= 180 and -MAX_LATITUDE <= lat <= MAX_LATITUDE):
        raise ShapeError("geometry", f"longitudes are -180 to 180, latitudes -{MAX_LATITUDE:g} to {MAX_LATITUDE:g}")
    return lng, lat


def _circle(coordinates: Any, radius_m: float | None) -> Circle:
    lng, lat = _point(coordinates)
    if radius_m is None or not MIN_RADIUS_M <= radius_m <= MAX_RADIUS_M:
        raise ShapeError("radiusM", f"a radius is {MIN_RADIUS_M:g} to {MAX_RADIUS_M:,.0f} meters")
    circle = Circle(lng, lat, radius_m)
    _, south, _, north = circle.box
    if max(-south, north) > MAX_LATITUDE:
        raise ShapeError("radiusM", f"the circle reaches beyond {MAX_LATITUDE:g} degrees of latitude")
    return circle


def _area(coordinates: Any) -> Area:
    if not isinstance(coordinates, list | tuple) or len(coordinates) != 1:
        raise ShapeError("geometry", "an area is one ring, without holes")
    points = coordinates[0]
    if not isinstance(points, list | tuple) or not 4 <= len(points) <= MAX_POINTS + 1:
        raise ShapeError("geometry", f"a ring has 3 to {MAX_POINTS:,} points, and the first one again at its end")
    ring = tuple(_point(point) for point in points)
    if ring[0] != ring[-1]:
        raise ShapeError("geometry", "the ring is not closed: its last point must be its first one")
    area = Area(ring)
    west, _, east, _ = area.box
    if east - west > 180:
        raise ShapeError("geometry", "an area must not cross the date line: make one on each side of it")
    if not shapely.is_valid(area.polygon):
        raise ShapeError("geometry", "the border crosses or touches itself")
    if not MIN_AREA_M2 <= (size := area.area_m2) <= MAX_AREA_M2:
        word = "small" if size < MIN_AREA_M2 else "large"
        raise ShapeError("geometry", f"too {word}: an area is 100 m² to 1,000,000 km²")
    return area


def _to_meters(ring: Ring) -> _Matrix:
    """Scales of x and y that lay the ring flat."""
    lats = [lat for _, lat in ring]
    middle = math.radians((min(lats) + max(lats)) / 2)
    return _METERS_A_DEGREE * math.cos(middle), 0.0, 0.0, _METERS_A_DEGREE, 0.0, 0.0


def _moved(geometry: Any, matrix: _Matrix) -> Any:
    return shapely.transform(geometry, lambda points: points * np.array([matrix[0], matrix[3]]))

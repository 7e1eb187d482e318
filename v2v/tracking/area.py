"""Areas of the earth: the H3 cells that cover one, and what lies exactly within. Degrees; edges as drawn on a map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

CELL_RESOLUTION = 9  # cells of about 0.1 km2, 200 m from middle to corner
MAX_CELLS = 2000
MAX_CORNERS = 100
_CELL_KM2 = h3.average_hexagon_area(CELL_RESOLUTION, "km^2")
_KM_PER_DEGREE = 111.2
_POLAR_LAT = 85.0  # beyond it boxes of degrees are no shapes on the ground


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees; west <= east."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Area:
    """A polygon, or two where it crosses the date line; as longitude and latitude."""

    shape: shapely.Geometry

    @cached_property
    def boxes(self) -> list[Box]:
        """One round each polygon."""
        return [Box(*polygon.bounds) for polygon in shapely.get_parts(self.shape)]

    @cached_property
    def cells(self) -> list[int] | None:
        """The cells that cover it; None when they would be more than 2,000, or it reaches to a pole."""
        if any(max(-box.south, box.north) > _POLAR_LAT for box in self.boxes):
            return None
        if sum(map(_km2, self.boxes)) > MAX_CELLS * _CELL_KM2 * 2:  # before millions of them are made
            return None
        cells: set[int] = set()
        for polygon in shapely.get_parts(self.shape):
            corners = [(lat, lng) for lng, lat in polygon.exterior.coords]
            shape = h3.LatLngPoly(corners)
            cells.update(h3.h3shape_to_cells_experimental(shape, CELL_RESOLUTION, contain="overlap"))
        return sorted(cells) if len(cells) <= MAX_CELLS else None

    def contains(self, lats: Sequence[float], lngs: Sequence[float]) -> NDArray[np.bool_]:
        """Which of the points lie in it or on its edge."""
        shapely.prepare(self.shape)
        found: NDArray[np.bool_] = shapely.intersects_xy(self.shape, np.asarray(lngs), np.asarray(lats))
        return found


def area_of_box(west: float, south: float, east: float, north: float) -> Area:
    """A box; one whose west is greater than its east crosses the date line. Raises Refusal `validation_error`."""
    if not (_are_on_earth([(west, south), (east, north)]) and south < north and west != east):
        raise _refusal("bbox", "not west,south,east,north in degrees")
    if west < east:
        return Area(shapely.box(west, south, east, north))
    parts = [(west, 180.0), (-180.0, east)]
    return Area(shapely.multipolygons([shapely.box(a, south, b, north) for a, b in parts if a < b]))


def area_of_corners(corners: Sequence[tuple[float, float]]) -> Area:
    """A polygon by its corners (longitude, latitude), which does not cross the date line.

    Raises Refusal `validation_error` for fewer than 3 or more than 100 corners, or edges that cross each other.
    """
    if not 3 <= len(corners) <= MAX_CORNERS or not _are_on_earth(corners):
        raise _refusal("polygon", f"not 3 to {MAX_CORNERS} corners in degrees")
    shape = shapely.Polygon(corners)
    if not shape.is_valid or shape.area == 0:
        raise _refusal("polygon", "its edges cross, or nothing is within")
    return Area(shape)


def cell_of(lat: float, lng: float) -> int:
    """The cell that a position is in."""
    return int(h3.latlng_to_cell(lat, lng, CELL_RESOLUTION))


def _km2(box: Box) -> float:
    height = box.north - box.south
    width = (box.east - box.west) * math.cos(math.radians((box.south + box.north) / 2))
    return height * width * _KM_PER_DEGREE**2


def _are_on_earth(corners: Sequence[tuple[float, float]]) -> bool:
    return all(-180 <= lng <= 180 and -90 <= lat <= 90 for lng, lat in corners)  # False for NaN, too


def _refusal(field: str, issue: str) -> Refusal:
    return Refusal(ErrorCode.VALIDATION_ERROR, details={"field": field, "issue": issue})

"""Fewer positions for a track on a map, by Douglas and Peucker (The Canadian Cartographer 10, 1973)."""

import math
from collections.abc import Sequence

import numpy as np
import shapely

MAX_ZOOM = 22
_METERS_PER_DEGREE = 111_195.0
_METERS_PER_PIXEL_AT_ZOOM_0 = 156_543.03  # at the equator, with map tiles of 256 pixels


def track_simplify(lats: Sequence[float], lngs: Sequence[float], *, zoom: int) -> list[int]:
    """The places in the track to keep, first and last among them: on a map at `zoom` no line moves by a pixel."""
    if len(lats) < 3:
        return list(range(len(lats)))
    lat = np.asarray(lats, dtype=float)
    lng = np.unwrap(np.asarray(lngs, dtype=float), period=360.0)  # over the date line, not round the earth
    shrink = math.cos(math.radians(float(lat.mean())))
    places = np.arange(len(lat), dtype=float)  # as a third coordinate they come through with their points
    points = np.column_stack((lng * shrink * _METERS_PER_DEGREE, lat * _METERS_PER_DEGREE, places))
    tolerance_m = _METERS_PER_PIXEL_AT_ZOOM_0 * max(shrink, 0.01) / 2**zoom
    with np.errstate(divide="ignore", invalid="ignore"):  # of points that lie on each other
        kept = shapely.simplify(shapely.linestrings(points), tolerance_m, preserve_topology=False)
    return [int(place) for place in shapely.get_coordinates(kept, include_z=True)[:, 2]]

"""Distance between two places in plain Python: of one pair at a time, NumPy would cost ten times as much."""

import math

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius R1 of the Geodetic Reference System 1980, as in `v2v.proximity.geometry`."""


def distance_m(lat: float, lng: float, to_lat: float, to_lng: float) -> float:
    """Meters along the ground between two places in degrees, by the haversine formula."""
    phi, to_phi = math.radians(lat), math.radians(to_lat)
    half = math.sin((to_phi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(to_phi) * math.sin(math.radians(to_lng - lng) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))

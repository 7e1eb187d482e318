"""Distances and bearings on a sphere with the Earth's mean radius, for whole columns of positions at once.

A position is a point of the unit sphere and a distance is the chord between two such points, so nothing
special happens at the date line or at the poles, and points a millimetre apart keep their digits.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius R1 of the Geodetic Reference System 1980 (Moritz 2000)."""


def unit_vectors(lat: Floats, lng: Floats) -> Floats:
    """Points of the unit sphere, shape (n, 3), for columns of degrees."""
    phi, lam = np.radians(lat), np.radians(lng)
    cos_phi = np.cos(phi)
    return np.column_stack((cos_phi * np.cos(lam), cos_phi * np.sin(lam), np.sin(phi)))


def chord_of(distance_m: float) -> float:
    """Straight line through the unit sphere that spans so many metres of ground, half way round at most."""
    return 2.0 * math.sin(distance_m / EARTH_RADIUS_M / 2.0)


def distances_m(a: Floats, b: Floats) -> Floats:
    """Metres along the ground between unit vectors: rows of `a` and rows of `b`, or one vector for all."""
    apart = a - b
    chord = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    distances: Floats = 2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2.0, 1.0))
    return distances


def distance_m(lat: float, lng: float, to_lat: float, to_lng: float) -> float:
    """Metres along the ground between two places in degrees, by the haversine formula.

    In plain Python: for one pair NumPy would cost ten times as much.
    """
    phi, to_phi = math.radians(lat), math.radians(to_lat)
    half = math.sin((to_phi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(to_phi) * math.sin(math.radians(to_lng - lng) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def bearings_deg(lat: float, lng: float, to_lat: Floats, to_lng: Floats) -> Floats:
    """Initial bearings from one point to many, degrees clockwise from true north, 0 <= bearing < 360.

    The forward azimuth of the great circle: atan2(sin dl cos p2, cos p1 sin p2 - sin p1 cos p2 cos dl).
    A point at the same place has the bearing 0.
    """
    phi, to_phi = math.radians(lat), np.radians(to_lat)
    across = np.radians(to_lng - lng)
    east = np.sin(across) * np.cos(to_phi)
    north = math.cos(phi) * np.sin(to_phi) - math.sin(phi) * np.cos(to_phi) * np.cos(across)
    bearings: Floats = np.degrees(np.arctan2(east, north)) % 360.0
    # A tiny negative angle comes out of the modulo as 360.0 itself.
    bearings[(bearings == 360.0) | ((to_lat == lat) & (to_lng == lng))] = 0.0
    return bearings

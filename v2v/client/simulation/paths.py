"""From the roads to a drivable path: the quickest way between two places, its corners rounded, its speeds known."""

import heapq
import math
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from v2v.client.simulation.roads import PLACES, ROADS, Point

METERS_PER_DEGREE = math.radians(6_371_008.8)  # on the mean sphere
ORIGIN: Point = (25.1, 55.3)
_EAST = METERS_PER_DEGREE * math.cos(math.radians(ORIGIN[0]))

BRAKING = 0.9  # m/s2: what the speeds before a corner or the end are reckoned with
CORNERING = 1.5  # m/s2, sideways
CORNER_M = 120.0  # how far before and after a corner its curve reaches, at the most
CORNER_STEPS = 8


class Leg(NamedTuple):
    """A piece of road between two places: degrees, limit in meters per second."""

    to: str
    points: tuple[Point, ...]
    limit: float
    seconds: float


class Path(NamedTuple):
    """A way to drive, by its corners: meters east and north of ORIGIN, meters from the start, meters per second.

    `speeds[i]` is the most at corner i if all that follow are to be kept too; `limits[i]` and `headings[i]`
    (degrees clockwise from north) are those of the piece from corner i to the next.
    """

    xs: list[float]
    ys: list[float]
    at: list[float]
    speeds: list[float]
    limits: list[float]
    headings: list[float]


def to_meters(point: Point) -> tuple[float, float]:
    """Meters east and north of ORIGIN on the plane that touches there; 0.3 % off at the ends of the demo's area."""
    return (point[1] - ORIGIN[1]) * _EAST, (point[0] - ORIGIN[0]) * METERS_PER_DEGREE


def to_degrees(x: float, y: float) -> Point:
    """The reverse of `to_meters`."""
    return ORIGIN[0] + y / METERS_PER_DEGREE, ORIGIN[1] + x / _EAST


@cache
def path_between(start: str, goal: str) -> Path:
    """The quickest path from one place to another. Raises KeyError for a place that no road reaches."""
    corners: list[tuple[float, float]] = []
    limits: list[float] = []
    for leg in _quickest(start, goal):
        points = [to_meters(point) for point in leg.points]
        corners += points if not corners else points[1:]
        limits += [leg.limit] * (len(points) - 1)
    return _path(*_rounded(corners, limits))


@cache
def _network() -> dict[str, list[Leg]]:
    """The legs that begin at each place."""
    legs: dict[str, list[Leg]] = defaultdict(list)
    for road in ROADS:
        stops = [index for index, item in enumerate(road.line) if isinstance(item, str)]
        for first, last in pairwise(stops):
            items = road.line[first : last + 1]
            points = tuple(PLACES[item] if isinstance(item, str) else item for item in items)
            seconds = sum(math.dist(to_meters(a), to_meters(b)) for a, b in pairwise(points)) / road.limit
            ends = str(items[0]), str(items[-1])
            legs[ends[0]].append(Leg(ends[1], points, road.limit, seconds))
            legs[ends[1]].append(Leg(ends[0], points[::-1], road.limit, seconds))
    return legs


def _quickest(start: str, goal: str) -> list[Leg]:
    """Dijkstra's way: the legs from start to goal that take the least time at the limits."""
    network = _network()
    reached: dict[str, list[Leg]] = {}
    waiting: list[tuple[float, str, list[Leg]]] = [(0.0, start, [])]
    while goal not in reached and waiting:
        seconds, place, legs = heapq.heappop(waiting)
        if place not in reached:
            reached[place] = legs
            for leg in network[place]:
                heapq.heappush(waiting, (seconds + leg.seconds, leg.to, [*legs, leg]))
    return reached[goal]


def _rounded(corners: list[tuple[float, float]], limits: list[float]) -> tuple[list[tuple[float, float]], list[float]]:
    """The same way with each corner replaced by a curve (a quadratic Bezier); and the limit of each new piece."""
    points = [corners[0]]
    pieces: list[float] = []
    for before, corner, after, (limit, next_limit) in zip(
        corners, corners[1:], corners[2:], pairwise(limits), strict=False
    ):
        begin, end = _toward(corner, before), _toward(corner, after)
        pieces.append(limit)
        for step in range(CORNER_STEPS + 1):
            t = step / CORNER_STEPS
            points.append(
                (
                    (1 - t) ** 2 * begin[0] + 2 * t * (1 - t) * corner[0] + t * t * end[0],
                    (1 - t) ** 2 * begin[1] + 2 * t * (1 - t) * corner[1] + t * t * end[1],
                )
            )
        pieces += [min(limit, next_limit)] * CORNER_STEPS
    return [*points, corners[-1]], [*pieces, limits[-1]]


def _toward(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The point on the way from a corner to the next one at which the curve ends."""
    distance = math.dist(corner, other)
    share = min(CORNER_M, 0.4 * distance) / distance
    return corner[0] + share * (other[0] - corner[0]), corner[1] + share * (other[1] - corner[1])


def _path(points: list[tuple[float, float]], limits: list[float]) -> Path:
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    headings = [math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360 for a, b in pairwise(points)]
    at = [0.0]
    for length in lengths:
        at.append(at[-1] + length)
    speeds = [0.0] * len(points)
    for i in range(len(points) - 2, -1, -1):  # backward, so that every braking begins early enough
        speeds[i] = min(limits[i], math.sqrt(speeds[i + 1] ** 2 + 2 * BRAKING * lengths[i]))
        if i > 0:
            speeds[i] = min(speeds[i], limits[i - 1], _corner_speed(headings, lengths, i))
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return Path(xs, ys, at, speeds, limits, headings)


def _corner_speed(headings: list[float], lengths: list[float], i: int) -> float:
    """The speed at which the sideways acceleration is CORNERING: v2 = a r, r being length over angle."""
    angle = math.radians(abs((headings[i] - headings[i - 1] + 180) % 360 - 180))
    length = min(lengths[i], lengths[i - 1])
    return max(2.0, math.sqrt(CORNERING * length / angle)) if angle > 1e-6 else math.inf

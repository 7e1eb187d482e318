"""What one look at all geofences costs.

Run it:  python -m bench.geofences [--vehicles 5000] [--fences 1000] [--rounds 50]

A city of 40 by 40 kilometers with polygons of 20 points and circles, 150 to 900 meters large, over which all vehicles
drive at 15 m/s, each with a new fix at each look, once a second. The plain loop asks every geofence about every
vehicle, one after the other, with prepared shapes. Times are medians of what the process itself computed.
"""

import argparse
import math
import statistics
import sys
import time

import numpy as np
import shapely

from v2v.geofences.engine import GeofenceEngine
from v2v.geofences.index import Fence, FenceIndex, Fixes
from v2v.geofences.shapes import Area, Circle, Shape

_LAT, _LNG, _REACH = 25.2, 55.3, 0.18
_DEGREE_M = 111_195.0


def fences_of(count: int, random: np.random.Generator) -> list[Fence]:
    """Every fourth a circle."""
    return [
        Fence(pk=number + 1, fleet=1, shape=_shape(number, random), armed_at=0, hold_ms=10_000, dwell_ms=60_000)
        for number in range(count)
    ]


def _shape(number: int, random: np.random.Generator) -> Shape:
    lat, lng = _LAT + random.uniform(-_REACH, _REACH), _LNG + random.uniform(-_REACH, _REACH)
    radius = random.uniform(150, 900)
    if number % 4 == 0:
        return Circle(lng, lat, radius)
    turns = np.linspace(0, 2 * math.pi, 20, endpoint=False)
    away = radius * random.uniform(0.6, 1.0, 20) / _DEGREE_M
    ring = list(zip((lng + away * np.cos(turns)).tolist(), (lat + away * np.sin(turns)).tolist(), strict=True))
    return Area((*ring, ring[0]))


def drive(count: int, random: np.random.Generator, rounds: int) -> list[Fixes]:
    """The fixes of each second."""
    lat, lng = _LAT + random.uniform(-_REACH, _REACH, count), _LNG + random.uniform(-_REACH, _REACH, count)
    heading = random.uniform(0, 2 * math.pi, count)
    step = 15 / _DEGREE_M
    slots, ones = np.arange(count), np.ones(count, np.int64)
    unknown, speed = np.full(count, 5.0), np.full(count, 15.0)
    fixes = []
    for _ in range(rounds):
        lat, lng = lat + step * np.cos(heading), lng + step * np.sin(heading)
        fixes.append(Fixes(slots, ones, lat, lng, unknown, speed, -ones))
    return fixes


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vehicles", type=int, default=5_000)
    parser.add_argument("--fences", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    random = np.random.default_rng(7)
    fences = fences_of(options.fences, random)
    began = time.process_time()
    index = FenceIndex(fences)
    _say(f"index of {len(fences):,} geofences: {(time.process_time() - began) * 1000:.0f} ms")
    engine = GeofenceEngine()
    engine.fences_set(index)
    took, changes = [], 0
    seconds = drive(options.vehicles, random, options.rounds)
    for second, fixes in enumerate(seconds):
        began = time.process_time()
        changes += len(engine.step(fixes, now_ms=(second + 1) * 1000))
        took.append((time.process_time() - began) * 1000)
    inside = len(engine.inside())
    _say(
        f"{options.vehicles:,} vehicles: median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms, "
        f"{inside:,} inside, {changes:,} changes"
    )
    _say(f"plain loop, shapes prepared: {plain_loop(fences, seconds[-1]):,.0f} ms")


def plain_loop(fences: list[Fence], fixes: Fixes) -> float:
    """One look of the polygons alone at every 50th vehicle, scaled up; milliseconds."""
    polygons = [fence.shape.polygon for fence in fences if isinstance(fence.shape, Area)]
    shapely.prepare(polygons)
    sample = range(0, len(fixes.slots), 50)
    began = time.process_time()
    for row in sample:
        lng, lat = float(fixes.lng[row]), float(fixes.lat[row])
        for polygon in polygons:
            shapely.contains_xy(polygon, lng, lat)
    return (time.process_time() - began) * 1000 * len(fixes.slots) / len(sample)


if __name__ == "__main__":
    main()

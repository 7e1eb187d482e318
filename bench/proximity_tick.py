"""What one proximity tick costs, against the ways one would try first.

Run it:  python -m bench.proximity_tick [--sizes 1000 5000 20000 50000] [--rounds 9]

The world is flat farmland around 48 degrees north where a vehicle has 20 neighbours within 500 m on average,
however many vehicles there are. All of them drive at up to 15 m/s and send a fix every 200 ms, so that
every vehicle is a sender at every tick. The contenders take turns on the same positions in one process:

- engine: `ProximityEngine.tick` whole: index, pairs, who entered and who exited, deliveries
- NumPy rows: all pairs too, but the cosines from one vehicle to all others in one vectorized row
- bucket index: a dictionary of cells in plain Python, haversine against the 9 cells around each vehicle
- plain loop: haversine for every pair (i < j) in plain Python

Only the engine keeps track of who entered and exited; the others stop at the senders of each receiver.
Each contender must find as many deliveries as the others. Times are medians; CPU is the time
that the process itself computed, which other load on the machine disturbs less than wall time; the last
column compares it. All-pairs contenders sit out
above 5,000 vehicles, and nothing is extrapolated.
"""

import argparse
import math
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy

from v2v.proximity.engine import Positions, ProximityEngine
from v2v.proximity.geometry import EARTH_RADIUS_M, unit_vectors

RADIUS_M = 500.0
NEIGHBORS = 20
TICK_S = 0.2
CENTER_LAT, CENTER_LNG = 48.0, 11.0
ALL_PAIRS_UP_TO = 5_000
SLOW_ROUNDS = 3
METRE_DEG = math.degrees(1 / EARTH_RADIUS_M)

Contender = Callable[[Positions, float], int]
"""Takes one tick's positions and the clock, gives the number of deliveries."""


def haversine_m(lat_a: float, lng_a: float, lat_b: float, lng_b: float) -> float:
    """Metres between two points, as the textbook has it."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    dphi, dlam = phi_b - phi_a, math.radians(lng_b - lng_a)
    h = math.sin(dphi / 2) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(dlam / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(h))


def plain_loop(positions: Positions, now: float) -> int:
    """Every pair, one after the other."""
    lat, lng = positions.lat.tolist(), positions.lng.tolist()
    senders: dict[int, list[int]] = defaultdict(list)
    for i in range(len(lat)):
        for j in range(i + 1, len(lat)):
            if haversine_m(lat[i], lng[i], lat[j], lng[j]) <= RADIUS_M:
                senders[i].append(j)
                senders[j].append(i)
    return sum(map(len, senders.values()))


CELL_LAT_DEG, CELL_LNG_DEG = 180 / 2**15, 360 / 2**15
"""A geohash cell of six characters: 611 m high, and 818 m wide at this latitude."""


def bucket_index(positions: Positions, now: float) -> int:
    """Every vehicle against those in its own cell and the eight around it."""
    lat, lng = positions.lat.tolist(), positions.lng.tolist()
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    cell_of = [(int((a + 90) / CELL_LAT_DEG), int((o + 180) / CELL_LNG_DEG)) for a, o in zip(lat, lng, strict=True)]
    for i, cell in enumerate(cell_of):
        cells[cell].append(i)
    senders: dict[int, list[int]] = defaultdict(list)
    for i, (row, column) in enumerate(cell_of):
        for cell in ((row + up, column + right) for up in (-1, 0, 1) for right in (-1, 0, 1)):
            for j in cells.get(cell, ()):
                if j > i and haversine_m(lat[i], lng[i], lat[j], lng[j]) <= RADIUS_M:
                    senders[i].append(j)
                    senders[j].append(i)
    return sum(map(len, senders.values()))


def numpy_rows(positions: Positions, now: float) -> int:
    """All others at once, for one vehicle after the other."""
    points = unit_vectors(positions.lat, positions.lng)
    limit = math.cos(RADIUS_M / EARTH_RADIUS_M)
    senders = []
    for i, point in enumerate(points):
        near = np.flatnonzero(points @ point >= limit)
        senders.append(near[near != i])
    return sum(map(len, senders))


def engine() -> Contender:
    """The engine with its state from tick to tick; its hold is short, so that pairs part while we look."""
    proximity = ProximityEngine(radius_m=RADIUS_M, hold_s=5 * TICK_S)
    return lambda positions, now: proximity.tick(positions, now=now).deliveries.senders.size


class Town:
    """Vehicles that drive straight on, at a density that does not depend on their number."""

    def __init__(self, vehicles: int) -> None:
        rng = np.random.default_rng(vehicles)
        side_m = math.sqrt(vehicles * math.pi * RADIUS_M**2 / NEIGHBORS)
        self.east_m, self.north_m = rng.uniform(-side_m / 2, side_m / 2, (2, vehicles))
        heading, speed = rng.uniform(0, 2 * math.pi, vehicles), rng.uniform(0, 15, vehicles)
        self.step_east_m, self.step_north_m = (
            np.sin(heading) * speed * TICK_S,
            np.cos(heading) * speed * TICK_S,
        )

    def drive(self) -> Positions:
        """Where everybody is one tick later."""
        self.east_m = self.east_m + self.step_east_m
        self.north_m = self.north_m + self.step_north_m
        n = self.east_m.size
        lat = CENTER_LAT + self.north_m * METRE_DEG
        return Positions(
            slots=np.arange(n),
            fleets=np.zeros(n, np.int64),
            lat=lat,
            lng=CENTER_LNG + self.east_m * METRE_DEG / np.cos(np.radians(lat)),
            moved=np.ones(n, np.bool_),
        )


@dataclass
class Times:
    """Milliseconds of the rounds of one contender."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, contender: Contender, positions: Positions, now: float) -> int:
        """One tick; gives the contender's answer."""
        wall, cpu = time.perf_counter(), time.process_time()
        deliveries = contender(positions, now)
        self.cpu.append((time.process_time() - cpu) * 1e3)
        self.wall.append((time.perf_counter() - wall) * 1e3)
        return deliveries


def measure(vehicles: int, rounds: int) -> tuple[dict[str, Times], int]:
    """Times by contender, and the deliveries of the last tick."""
    contenders: dict[str, Contender] = {"engine": engine(), "bucket index": bucket_index}
    if vehicles <= ALL_PAIRS_UP_TO:
        contenders |= {"NumPy rows": numpy_rows, "plain loop": plain_loop}
    town, times = Town(vehicles), {name: Times() for name in contenders}
    warm_up = 10
    for tick in range(warm_up):
        contenders["engine"](town.drive(), tick * TICK_S)
    deliveries = 0
    for tick in range(warm_up, warm_up + rounds):
        positions = town.drive()
        found = {
            name: times[name].measure(contender, positions, tick * TICK_S)
            for name, contender in contenders.items()
            if name == "engine" or tick < warm_up + SLOW_ROUNDS
        }
        if len(set(found.values())) != 1:
            raise SystemExit(f"the contenders disagree: {found}")
        deliveries = found["engine"]
    return times, deliveries


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 5_000, 20_000, 50_000])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(argv)
    say(f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()}")
    say(f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}\n")
    say("| vehicles | deliveries | contender | wall ms | CPU ms | slowest wall ms | faster than plain loop |")
    say("|---:|---:|---|---:|---:|---:|---:|")
    for vehicles in options.sizes:
        times, deliveries = measure(vehicles, options.rounds)
        loop = statistics.median(times["plain loop"].cpu) if "plain loop" in times else None
        for name, t in times.items():
            wall, cpu, slowest = statistics.median(t.wall), statistics.median(t.cpu), max(t.wall)
            found = f"{vehicles:,} | {deliveries:,} | {name}"
            ratio = f"{loop / cpu:,.1f}" if loop else "not run"
            say(f"| {found} | {wall:,.1f} | {cpu:,.1f} | {slowest:,.1f} | {ratio} |")


def cpu_model() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0].strip() if names else platform.processor() or platform.machine()


def say(line: str) -> None:
    """One line of the report, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""What the live driving rules cost a tick, and what a day of a fleet's trips costs.

Run it:  python -m bench.driving [--vehicles 5000] [--ticks 40] [--days-of 500]

The rules: all vehicles move at every tick, 200 ms apart, with speed, heading and accuracy; speeds wander as traffic
does. A vehicle is looked at every 800 ms at most, so that most of its fixes cost a comparison. Beside the means of all
ticks stands the slowest.

The trips: a fleet's positions of a day, one in 15 s (`maxIntervalMs` of `registered.limits`), through the pure fold,
without the database; and how many fixes a second that is.
"""

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

from v2v.driving.rules import Drive, Limits, look
from v2v.driving.trips import Fix as StoredFix
from v2v.driving.trips import advance, begun
from v2v.tracking.live import Fix, Track

TICK_MS = 200
START = 1_800_000_000_000
DEGREE_M = 111_195.0


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vehicles", type=int, default=5_000)
    parser.add_argument("--ticks", type=int, default=40)
    parser.add_argument("--days-of", type=int, default=500)
    options = parser.parse_args(argv)
    count = options.vehicles
    costs = [cost * 1e6 / count for cost in tick_costs(count, options.ticks)]
    mean, slowest = statistics.mean(costs), max(costs)
    say(f"rules: {count:,} vehicles moved each tick; CPU a vehicle {mean:.2f} us in the mean of {len(costs)} ticks,")
    say(f"       {slowest:.2f} us ({slowest * count / 1e3:.1f} ms) in the slowest")
    fixes, seconds = day_cost(options.days_of)
    each_us = seconds / fixes * 1e6
    say(f"trips: a day of {options.days_of} vehicles, {fixes:,} fixes: {seconds:.1f} s, {each_us:.1f} us a fix")


def tick_costs(vehicles: int, ticks: int) -> Iterator[float]:
    """CPU seconds of the rules at each tick; the fixes are made outside of what is measured."""
    dice = random.Random(1)  # noqa: S311 - a seed is the point
    tracks = [Track(f"v{slot}", slot, 1, slot) for slot in range(vehicles)]
    drives, limits = [Drive() for _ in tracks], Limits()
    speeds, headings = [dice.uniform(0, 30) for _ in tracks], [dice.uniform(0, 360) for _ in tracks]
    for tick in range(ticks):
        for track in tracks:
            slot = track.slot
            speeds[slot] = min(35.0, max(0.0, speeds[slot] + dice.gauss(0, 0.4)))
            headings[slot] = (headings[slot] + dice.gauss(0, 1.5)) % 360
            ts = START + tick * TICK_MS + slot % 50
            lat = 25 + tick * speeds[slot] / DEGREE_M / 5
            speed, heading = speeds[slot], headings[slot]
            track.fix = Fix(lat=lat, lng=55.0, ts=ts, received_at=0.0, speed=speed, heading=heading, accuracy=5.0)
        began = time.process_time()
        for track in tracks:  # as in `DrivingWatch.moved`
            fix = track.fix
            if fix is None or (fix.ts < drives[track.slot].due and not fix.kept):
                continue
            look(drives[track.slot], fix, limits)
        yield time.process_time() - began


def day_cost(vehicles: int) -> tuple[int, float]:
    """How many fixes the day has, and the CPU seconds for their trips."""
    count, spent = 0, 0.0
    for vehicle in range(vehicles):
        fixes = list(day_of_driving(vehicle))
        began = time.process_time()
        progress = begun(fixes[0])
        for fix in fixes[1:]:
            advance(progress, fix, lambda _: "2026-11-25")
        spent += time.process_time() - began
        count += len(fixes)
    return count, spent


def day_of_driving(vehicle: int) -> Iterator[StoredFix]:
    """Ten hours: half an hour on the road, ten minutes at a customer's, and so on."""
    north = 0.0
    for second in range(0, 36_000, 15):
        speed = 0.0 if second % 2_400 >= 1_800 else 15 + 5 * math.sin(second / 100 + vehicle)
        north += speed * 15
        yield StoredFix(START + second * 1000, 25 + north / DEGREE_M, 55.0, speed, 5.0, 1)


def say(line: str) -> None:
    """One line of the report, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Trips from a vehicle's fixes in order. Plain functions: a progress and the next fix give a progress and, now and
then, a trip that is over.

A trip is a movement of 500 m, or of 300 s and 100 m (so much a parked receiver's position wanders); parking for less
than 300 s does not split it, a silence of more than 3,600 s does (thresholds of Traccar). A silence of 300 s or more in
which the vehicle got on slower than it walks is parking, too: trackers fall silent with the ignition.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from v2v.proximity.geometry import distance_m

MOVING_MPS = 5 / 3.6  # walking pace: above what a parked receiver reports
TRIP_M, TRIP_S, WANDER_M = 500.0, 300.0, 100.0
PARKING_S = 300.0
SILENCE_S = 3_600.0
SPARSE_S = 30.0  # over more, the mean tells more than the speeds at the ends
MAX_ACCURACY_M = 100.0
MAX_MPS = 70.0
JUMP_M = 200.0  # with MAX_MPS: what is farther is a faulty fix
# A vehicle that reports no speed: it is worked out from fixes so far apart, less what positions are off.
NO_SPEED_S, NO_SPEED_M = 10.0, 15.0

DayOf = Callable[[int], str]
"""The day of a moment (epoch ms) as `2026-11-25`, in the zone of whoever asks."""


class Fix(NamedTuple):
    """As stored: epoch milliseconds, degrees, m/s, meters, the fleet of that time."""

    ts: int
    lat: float
    lng: float
    speed: float | None
    accuracy: float | None
    fleet: int


class Part(msgspec.Struct):
    """What of a trip falls on one day: meters, seconds driven and stood, m/s."""

    day: str
    distance_m: float = 0.0
    moving_s: float = 0.0
    idle_s: float = 0.0
    top_mps: float = 0.0


class Place(msgspec.Struct):
    """When and where."""

    ts: int
    lat: float
    lng: float


class Trip(msgspec.Struct):
    """From start to end, by day."""

    fleet: int
    start: Place
    end: Place
    parts: list[Part]

    @property
    def distance_m(self) -> float:
        """Meters along the fixes."""
        return sum(part.distance_m for part in self.parts)

    @property
    def is_one(self) -> bool:
        """Whether it was long enough."""
        distance_m, seconds = self.distance_m, (self.end.ts - self.start.ts) / 1000
        return distance_m >= TRIP_M or (seconds >= TRIP_S and distance_m >= WANDER_M)


class Progress(msgspec.Struct):
    """How far the fixes of a vehicle are worked through: the last one, the trip so far, since when it pauses."""

    fleet: int
    last: Place
    is_moving: bool = False
    trip: Trip | None = None
    pause: Place | None = None


def begun(fix: Fix) -> Progress:
    """The progress after a vehicle's very first fix."""
    return Progress(fix.fleet, Place(fix.ts, fix.lat, fix.lng), (fix.speed or 0.0) >= MOVING_MPS)


def resumed(trip: Trip) -> Progress:
    """The progress at the end of a trip: what comes after it is found again from there."""
    return Progress(trip.fleet, trip.end)


def under_way(progress: Progress) -> Trip | None:
    """The trip that is not over yet, once it is long enough to be one."""
    return progress.trip if progress.trip is not None and progress.trip.is_one else None


def advance(progress: Progress, fix: Fix, day_of: DayOf) -> Trip | None:
    """Take the next fix; the trip that it ends."""
    last = progress.last
    seconds = (fix.ts - last.ts) / 1000
    if fix.fleet != progress.fleet:
        over = _ended(progress)
        fresh = begun(fix)
        progress.fleet, progress.last, progress.is_moving = fresh.fleet, fresh.last, fresh.is_moving
        return over
    if seconds <= 0 or (fix.accuracy or 0.0) > MAX_ACCURACY_M or (fix.speed is None and seconds < NO_SPEED_S):
        return None
    meters = distance_m(last.lat, last.lng, fix.lat, fix.lng)
    if meters > MAX_MPS * seconds + JUMP_M:
        return None
    speed = max(0.0, meters - NO_SPEED_M) / seconds if fix.speed is None else fix.speed
    over = _step(progress, fix, day_of, speed, seconds, meters)
    progress.last, progress.is_moving = Place(fix.ts, fix.lat, fix.lng), speed >= MOVING_MPS
    return over


def _step(progress: Progress, fix: Fix, day_of: DayOf, speed: float, seconds: float, meters: float) -> Trip | None:
    is_slow, is_moving = meters < MOVING_MPS * seconds, speed >= MOVING_MPS
    if seconds >= SILENCE_S or (seconds >= PARKING_S and is_slow):
        return _ended(progress)
    if (is_moving or progress.is_moving) and not (seconds > SPARSE_S and is_slow):
        _driven(progress, fix, day_of(fix.ts), speed, seconds, meters)
        return None
    if progress.trip is None:
        return None
    progress.pause = progress.pause or progress.last
    pause_s = (fix.ts - progress.pause.ts) / 1000
    if pause_s >= PARKING_S:
        return _ended(progress)
    if is_moving:
        _pause_end(progress, fix, day_of)
    return None


def _driven(progress: Progress, fix: Fix, day: str, speed: float, seconds: float, meters: float) -> None:
    trip = progress.trip
    if trip is None:
        trip = progress.trip = Trip(progress.fleet, progress.last, progress.last, [])
    if progress.pause is not None:
        _part_of(trip, day).idle_s += (progress.last.ts - progress.pause.ts) / 1000
        progress.pause = None
    part = _part_of(trip, day)
    part.distance_m += meters
    part.moving_s += seconds
    part.top_mps = max(part.top_mps, speed)
    trip.end = Place(fix.ts, fix.lat, fix.lng)


def _pause_end(progress: Progress, fix: Fix, day_of: DayOf) -> None:
    """It stood, silent, until this very fix."""
    if progress.trip is not None and progress.pause is not None:
        _part_of(progress.trip, day_of(fix.ts)).idle_s += (fix.ts - progress.pause.ts) / 1000
        progress.trip.end = Place(fix.ts, fix.lat, fix.lng)
        progress.pause = None


def _part_of(trip: Trip, day: str) -> Part:
    """What is driven or stood counts for the day in which the stretch ends."""
    if not trip.parts or trip.parts[-1].day != day:
        trip.parts.append(Part(day))
    return trip.parts[-1]


def _ended(progress: Progress) -> Trip | None:
    trip, progress.trip, progress.pause = progress.trip, None, None
    return trip if trip is not None and trip.is_one else None

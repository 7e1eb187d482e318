"""What a vehicle's fixes tell of how it is driven. Plain functions: a drive, its next fix and the limits give events.

Each event fires once, when a limit is crossed, and again only after it was kept. Changes of speed are taken from the
speeds that the receiver reports (Doppler), never from positions, over 0.8 to 10 seconds: a mean over some time that
exceeds a limit means that it was exceeded at some moment (mean value theorem), so sparse reports may miss an event but
do not invent one. Which thresholds, and from which sources: docs/driving.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from v2v.proximity.geometry import distance_m

G = 9.80665  # m/s2
WINDOW_MS = 800  # at least so long between two fixes that are compared: noise of a speed is divided by it
MAX_GAP_S = 10.0
MAX_TURN_S = 3.0  # over more, a turn of more than half a circle would look like a small one
MAX_ACCURACY_M = 30.0  # a worse fix tells nothing of the driving
MAX_BY_TIRES = 12.0  # m/s2: no tire gives more, so that more is a faulty fix, or a crash
STANDING_MPS = 1.0
CORNER_MPS = 5.0  # below it, receivers keep or guess the heading
CRASH_FROM_MPS = 30 / 3.6
CRASH_STAND_MS = 5_000  # what looks like a crash must stand for so long
CRASH_WITHIN_MS = 60_000  # and come to stand by then
CRASH_PLACE_M = 60.0  # and stand where it came to stand
ALARM_AGAIN_MS = 300_000  # a device repeats its alarm; it is another one after so much silence
BACK_BELOW = 0.97  # of the speed limit, until which an overspeed goes on


class EventType(StrEnum):
    """As on the wire."""

    OVERSPEED = "overspeed"
    HARSH_BRAKING = "harsh_braking"
    HARSH_ACCELERATION = "harsh_acceleration"
    HARSH_CORNERING = "harsh_cornering"
    CRASH = "crash"
    IDLE = "idle"
    OFFLINE = "offline"


class Sample(Protocol):
    """A fix."""

    @property
    def ts(self) -> int:
        """Epoch milliseconds."""

    @property
    def lat(self) -> float:
        """Degrees."""

    @property
    def lng(self) -> float:
        """Degrees."""

    @property
    def speed(self) -> float | None:
        """Meters per second."""

    @property
    def heading(self) -> float | None:
        """Degrees clockwise from north."""

    @property
    def accuracy(self) -> float | None:
        """Meters."""

    @property
    def ignition(self) -> bool | None:
        """Whether it is on; None when the fix does not say."""

    @property
    def alarm(self) -> str | None:
        """The type of alert that the device raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """m/s, seconds, m/s2. `stop` counts for a deceleration that ends in standing, `crash` for any."""

    speed: float = 130 / 3.6
    speed_hold_s: float = 10.0
    braking: float = 4.4
    acceleration: float = 4.4
    cornering: float = 5.5
    crash: float = 2.5 * G
    stop: float = G
    idle_s: float = 300.0


class Found(NamedTuple):
    """An event: when (epoch ms) and where it began; `value` against `limit`, None where a device only says that."""

    type: EventType
    ts: int
    lat: float
    lng: float
    value: float | None
    limit: float


class Suspicion(NamedTuple):
    """A deceleration that may be a crash; `stood_since` once the vehicle stands."""

    found: Found
    speed: float
    stood_since: int | None


NOTHING: Sequence[Found] = ()


@dataclass(slots=True)
class Drive:
    """What is known of a vehicle's driving. It is changed in place: a new one for each fix would cost half a step.

    The last usable fix, and the one before it (`before_`); since when it is too fast, and its most speed; since when
    it idles; which limits are exceeded now. `due` is when the next fix is worth a look.
    """

    due: int = 0
    ts: int = 0
    lat: float = 0.0
    lng: float = 0.0
    speed: float = 0.0
    heading: float | None = None
    before_ts: int = 0
    before_lat: float = 0.0
    before_lng: float = 0.0
    before_speed: float = 0.0
    is_harsh: bool = False
    is_cornering: bool = False
    fast_since: int | None = None
    fast_lat: float = 0.0
    fast_lng: float = 0.0
    fast_peak: float = 0.0
    is_fast_told: bool = False
    ignition: bool | None = None
    idle_since: int | None = None
    is_idle_told: bool = False
    suspicion: Suspicion | None = None
    alarm_ts: int = -ALARM_AGAIN_MS


def look(drive: Drive, fix: Sample, limits: Limits) -> Sequence[Found]:
    """The events that the next fix of a drive brings; one that comes before `drive.due` brings none but an alarm."""
    found = _alarm(drive, fix, limits) if fix.alarm == "crash" else NOTHING
    if fix.ignition is not None:
        drive.ignition = fix.ignition
    speed, accuracy = fix.speed, fix.accuracy
    if fix.ts < drive.due or speed is None or (accuracy is not None and accuracy > MAX_ACCURACY_M):
        return found
    seconds = (fix.ts - drive.ts) / 1000
    if seconds <= MAX_GAP_S:
        rate = (speed - drive.speed) / seconds
        if rate <= -limits.stop and drive.suspicion is None:
            _suspect(drive, fix, speed, -rate, limits)
        if drive.is_harsh or rate >= limits.acceleration or rate <= -limits.braking:
            found = [*found, *_harsh(drive, fix, rate, limits)]
        if speed >= CORNER_MPS and seconds <= MAX_TURN_S and drive.heading is not None:
            found = [*found, *_cornering(drive, fix, speed, seconds, limits)] if drive.heading != fix.heading else found
    else:
        drive.is_harsh = drive.is_cornering = False
    if drive.fast_since is not None or speed > limits.speed:
        found = [*found, *_overspeed(drive, fix, speed, limits)]
    if speed < STANDING_MPS or drive.idle_since is not None:
        found = [*found, *_idle(drive, fix, speed, limits)]
    if drive.suspicion is not None:
        found = [*found, *_crash(drive, fix, speed)]
    drive.before_ts, drive.before_lat, drive.before_lng, drive.before_speed = (
        drive.ts,
        drive.lat,
        drive.lng,
        drive.speed,
    )
    drive.ts, drive.lat, drive.lng, drive.speed, drive.heading = fix.ts, fix.lat, fix.lng, speed, fix.heading
    drive.due = fix.ts + WINDOW_MS
    return found


def _harsh(drive: Drive, fix: Sample, rate: float, limits: Limits) -> Sequence[Found]:
    was_harsh = drive.is_harsh
    drive.is_harsh = rate >= limits.acceleration or rate <= -limits.braking
    if was_harsh or not drive.is_harsh or abs(rate) > MAX_BY_TIRES:
        return NOTHING
    if rate < 0:
        return [Found(EventType.HARSH_BRAKING, fix.ts, fix.lat, fix.lng, -rate, limits.braking)]
    return [Found(EventType.HARSH_ACCELERATION, fix.ts, fix.lat, fix.lng, rate, limits.acceleration)]


def _cornering(drive: Drive, fix: Sample, speed: float, seconds: float, limits: Limits) -> Sequence[Found]:
    """Sideways acceleration is speed times rate of turn; of the two speeds the lower one, to be on the safe side."""
    if drive.heading is None or fix.heading is None or drive.speed < CORNER_MPS:
        drive.is_cornering = False
        return NOTHING
    turn = math.radians(abs((fix.heading - drive.heading + 180) % 360 - 180))
    sideways = min(speed, drive.speed) * turn / seconds
    was_cornering = drive.is_cornering
    drive.is_cornering = sideways >= limits.cornering
    if was_cornering or not drive.is_cornering or sideways > MAX_BY_TIRES:
        return NOTHING
    return [Found(EventType.HARSH_CORNERING, fix.ts, fix.lat, fix.lng, sideways, limits.cornering)]


def _overspeed(drive: Drive, fix: Sample, speed: float, limits: Limits) -> Sequence[Found]:
    if speed <= limits.speed:
        if not drive.is_fast_told or speed <= BACK_BELOW * limits.speed:
            drive.fast_since, drive.is_fast_told = None, False
        return NOTHING
    if drive.fast_since is None or (not drive.is_fast_told and fix.ts - drive.ts > MAX_GAP_S * 1000):
        drive.fast_since, drive.fast_lat, drive.fast_lng, drive.fast_peak = fix.ts, fix.lat, fix.lng, speed
    drive.fast_peak = max(drive.fast_peak, speed)
    if drive.is_fast_told or fix.ts - drive.fast_since < limits.speed_hold_s * 1000:
        return NOTHING
    drive.is_fast_told = True
    place = (drive.fast_since, drive.fast_lat, drive.fast_lng)
    return [Found(EventType.OVERSPEED, *place, drive.fast_peak, limits.speed)]


def _idle(drive: Drive, fix: Sample, speed: float, limits: Limits) -> Sequence[Found]:
    """Standing with the engine on; nothing is said of a vehicle that does not report its ignition."""
    if speed >= STANDING_MPS or not drive.ignition:
        drive.idle_since, drive.is_idle_told = None, False
        return NOTHING
    if drive.idle_since is None:
        drive.idle_since = fix.ts
    idle_s = (fix.ts - drive.idle_since) / 1000
    if drive.is_idle_told or idle_s < limits.idle_s:
        return NOTHING
    drive.is_idle_told = True
    return [Found(EventType.IDLE, drive.idle_since, fix.lat, fix.lng, idle_s, limits.idle_s)]


# ---- Crash


def _alarm(drive: Drive, fix: Sample, limits: Limits) -> Sequence[Found]:
    """The device itself has felt it (an accelerometer knows what positions cannot)."""
    is_new = fix.ts - drive.alarm_ts >= ALARM_AGAIN_MS
    drive.alarm_ts = max(drive.alarm_ts, fix.ts)
    drive.suspicion = None
    return [Found(EventType.CRASH, fix.ts, fix.lat, fix.lng, None, limits.crash)] if is_new else NOTHING


def _suspect(drive: Drive, fix: Sample, speed: float, rate: float, limits: Limits) -> None:
    """Begin to suspect a crash, if the speed before it was real: two fixes had it, and the way between them shows it.

    One fix with a wild speed, before or after, is the usual fault of a receiver.
    """
    if rate < limits.crash and speed >= STANDING_MPS:
        return
    slower = min(drive.speed, drive.before_speed)
    seconds = (drive.ts - drive.before_ts) / 1000
    if slower < CRASH_FROM_MPS or seconds > MAX_GAP_S:
        return
    if distance_m(drive.before_lat, drive.before_lng, drive.lat, drive.lng) < 0.5 * slower * seconds:
        return
    limit = limits.stop if rate < limits.crash else limits.crash
    found = Found(EventType.CRASH, fix.ts, fix.lat, fix.lng, rate, limit)
    drive.suspicion = Suspicion(found, speed, None)


def _crash(drive: Drive, fix: Sample, speed: float) -> Sequence[Found]:
    """A suspicion that is borne out: the vehicle came to stand, and stays where it stands."""
    suspicion = drive.suspicion
    if suspicion is None:
        return NOTHING
    found, age_ms = suspicion.found, fix.ts - suspicion.found.ts
    drives_on = speed > suspicion.speed + 3 * STANDING_MPS
    is_away = distance_m(found.lat, found.lng, fix.lat, fix.lng) > CRASH_PLACE_M
    if drives_on or is_away or (speed >= STANDING_MPS and age_ms > CRASH_WITHIN_MS):
        drive.suspicion = None
    elif speed >= STANDING_MPS:
        drive.suspicion = suspicion._replace(stood_since=None)
    elif suspicion.stood_since is None:
        drive.suspicion = suspicion._replace(stood_since=fix.ts)
    elif fix.ts - suspicion.stood_since >= CRASH_STAND_MS:
        drive.suspicion = None
        return [found]
    return NOTHING


def crash_by_silence(drive: Drive, *, now_ms: int) -> Found | None:
    """The suspicion of a vehicle of which nothing was heard since, for a minute: it is borne out by that, too."""
    suspicion = drive.suspicion
    if suspicion is None or now_ms - drive.ts < CRASH_WITHIN_MS:
        return None
    drive.suspicion = None
    return suspicion.found

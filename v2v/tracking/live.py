"""Where every vehicle is now. Plain memory of one process, without Django: the hot path of the whole system."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from v2v.protocol.events import TrackedPeer, encode_part
from v2v.protocol.fields import CLOCK_SKEW_MS
from v2v.realtime.ratelimit import Bucket

_FIRST_CAPACITY = 1024
_MAX_ASIDE = 50_000


class Fix(msgspec.Struct, kw_only=True, gc=False):
    """A position from any source: degrees, epoch milliseconds, m/s, degrees from north, meters, percent.

    `received_at` in monotonic seconds; `kept` marks one that is never replaced by a newer one before it was processed;
    `remote` one that another process has taken in, and looks after; `is_queued` one that is on its way to the database
    already.
    """

    lat: float
    lng: float
    ts: int
    received_at: float
    speed: float | None = None
    heading: float | None = None
    accuracy: float | None = None
    altitude: float | None = None
    battery: float | None = None
    signal: float | None = None
    ignition: bool | None = None
    alarm: str | None = None
    kept: bool = False
    remote: bool = False
    device_id: str = ""
    correlation_id: str = ""  # of the socket's session
    is_queued: bool = False


class Outcome(StrEnum):
    """What became of a fix."""

    LIVE = "live"
    LATE = "late"  # older than the live one: it never moves it back
    DUPLICATE = "duplicate"
    OLD = "old"  # more than 5 minutes old: history, not a live position
    STORED = "stored"  # taken where nothing is live: what it is to the others, they find out


class Aside(NamedTuple):
    """A fix that is stored in its place and was never live, and the newest one as it stood when it came."""

    track: "Track"
    fix: Fix
    outcome: Outcome
    stood: Fix | None


@dataclass(slots=True)
class Track:
    """One vehicle: its live fix, the one that waits for its turn, and its encoded parts of frames."""

    vehicle_id: str
    vehicle_pk: int
    fleet: int
    slot: int
    fix: Fix | None = None
    pending: Fix | None = None
    taken_at: float = float("-inf")
    ignition: bool | None = None
    battery: float | None = None
    signal: float | None = None
    is_active: bool = False
    bucket: Bucket | None = None  # the limit that all devices of the vehicle share
    peer_part: bytes = b""
    tracked_part: bytes = b""

    @property
    def newest(self) -> Fix | None:
        """The newest fix, even if its turn to be live has not come yet."""
        return self.pending or self.fix


class LiveState:
    """The tracks by slot, and their columns for the proximity tick.

    A vehicle keeps its slot as long as the process runs, so that a slot never changes hands.
    """

    def __init__(self, *, coalesce_s: float) -> None:
        self.tracks: list[Track] = []
        self.by_vehicle: dict[str, Track] = {}
        self.coalesced = 0
        self.aside: deque[Aside] = deque(maxlen=_MAX_ASIDE)  # what came beside the live ones since the last tick
        self.fleet_listeners: list[Callable[[Track], None]] = []
        self._coalesce_s = coalesce_s
        self._waiting: list[Track] = []
        self._kept: list[tuple[Track, Fix]] = []
        self._lat = np.zeros(_FIRST_CAPACITY)
        self._lng = np.zeros(_FIRST_CAPACITY)
        self._fleet = np.zeros(_FIRST_CAPACITY, np.int64)
        self._active = np.zeros(_FIRST_CAPACITY, np.bool_)
        self._moved = np.zeros(_FIRST_CAPACITY, np.bool_)

    def track_of(self, *, vehicle_id: str, vehicle_pk: int, fleet: int) -> Track:
        """The vehicle's track, made at its first coming.

        One that changed fleets is seen by its new one only; `fleet_listeners` are told, to forget its old one.
        """
        track = self.by_vehicle.get(vehicle_id)
        if track is None:
            track = Track(vehicle_id, vehicle_pk, fleet, len(self.tracks))
            self.tracks.append(track)
            self.by_vehicle[vehicle_id] = track
            if len(self.tracks) > len(self._lat):
                self._grow()
        self._fleet[track.slot] = fleet
        if track.fleet != fleet:
            track.fleet = fleet
            for listener in self.fleet_listeners:
                listener(track)
        return track

    def _grow(self) -> None:
        for name in ("_lat", "_lng", "_fleet", "_active", "_moved"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate((column, np.zeros_like(column))))

    def offer(self, track: Track, fix: Fix, *, now_ms: int) -> Outcome:
        """Order and coalesce: the newest fix waits for the next tick, older ones never replace it."""
        newest = track.newest
        if newest is not None and fix.ts <= newest.ts:
            return self._put_aside(track, fix, Outcome.DUPLICATE if fix.ts == newest.ts else Outcome.LATE, newest)
        if fix.ts < now_ms - CLOCK_SKEW_MS:
            return self._put_aside(track, fix, Outcome.OLD, newest)
        if fix.alarm is not None or (fix.ignition is not None and fix.ignition != track.ignition):
            fix.kept = True
        if fix.ignition is not None:
            track.ignition = fix.ignition
        if track.pending is None:
            self._waiting.append(track)
        elif track.pending.kept:
            self._kept.append((track, track.pending))
        else:
            self.coalesced += 1
        track.pending = fix
        return Outcome.LIVE

    def mirror(self, track: Track, fix: Fix) -> None:
        """Take over what another process has taken in, unless it is older than what is known here."""
        newest = track.newest
        if newest is not None and fix.ts <= newest.ts:
            return
        if track.pending is None:
            self._waiting.append(track)
        elif track.pending.kept:
            self._kept.append((track, track.pending))
        track.pending = fix

    def waiting_here(self) -> list[tuple[Track, Fix]]:
        """The newest fixes that wait for their turn and have come to this process."""
        return [(track, fix) for track in self._waiting if (fix := track.pending) is not None and not fix.remote]

    def _put_aside(self, track: Track, fix: Fix, outcome: Outcome, stood: Fix | None) -> Outcome:
        if not fix.is_queued:
            self.aside.append(Aside(track, fix, outcome, stood))
        return outcome

    def take(self, now: float) -> tuple[list[Track], list[tuple[Track, Fix]]]:
        """The vehicles that have a new live fix, and the fixes that were kept though newer ones came.

        A vehicle's turn comes at most every `coalesce_s` seconds.
        """
        kept, self._kept = self._kept, []
        self._moved[: len(self.tracks)] = False
        due_before = now - self._coalesce_s
        moved, waiting = [], []
        for track in self._waiting:
            if track.taken_at <= due_before:
                moved.append(track)
                self._make_live(track, now)
            else:
                waiting.append(track)
        self._waiting = waiting
        if moved:
            slots = [track.slot for track in moved]
            self._moved[slots] = True
            self._active[slots] = [track.is_active for track in moved]
            self._lat[slots] = [track.fix.lat for track in moved if track.fix]
            self._lng[slots] = [track.fix.lng for track in moved if track.fix]
        return moved, kept

    @staticmethod
    def _make_live(track: Track, now: float) -> None:
        fix = track.pending
        if fix is None:
            return
        track.fix, track.pending, track.taken_at = fix, None, now
        peer = TrackedPeer(
            vehicle_id=track.vehicle_id,
            lat=fix.lat,
            lng=fix.lng,
            ts=fix.ts,
            speed=fix.speed,
            heading=fix.heading,
        )
        track.peer_part = track.tracked_part = encode_part(peer)
        if fix.battery is not None or fix.signal is not None:
            track.battery = fix.battery if fix.battery is not None else track.battery
            track.signal = fix.signal if fix.signal is not None else track.signal
            peer.battery, peer.signal = fix.battery, fix.signal
            track.tracked_part = encode_part(peer)

    def set_active(self, track: Track, active: bool) -> None:
        """Whether others may see the vehicle: it is online. Its last fix stays known."""
        track.is_active = active
        self._active[track.slot] = active and track.fix is not None

    def columns(self) -> "Columns":
        """A copy of the columns of all active vehicles."""
        slots = np.flatnonzero(self._active[: len(self.tracks)]).astype(np.int64, copy=False)
        return Columns(slots, self._fleet[slots], self._lat[slots], self._lng[slots], self._moved[slots])


class Columns(NamedTuple):
    """The active vehicles, column by column: numbers, fleets, degrees, and whether they moved at the last `take`."""

    slots: NDArray[np.int64]
    fleets: NDArray[np.int64]
    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    moved: NDArray[np.bool_]

"""A position on its way to the database, and the bytes that it travels as. Without Django."""

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from v2v.tracking.live import Fix, Outcome

MAX_CHUNK = 500  # positions that travel together
_JUMP_M = 500.0
_JUMP_MPS = 150.0  # no road vehicle is faster
_NEAR_DEG = 0.004  # less than _JUMP_M apart, whatever the latitude
_METERS_A_DEGREE = 111_195.0

ConflictKind = Literal["late", "duplicate", "jump"]
_CONFLICTS: dict[Outcome, ConflictKind] = {Outcome.LATE: "late", Outcome.DUPLICATE: "duplicate"}


class Conflict(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is odd about a position, and the newest one that stood when it came: epoch milliseconds, degrees."""

    kind: ConflictKind
    stood_ts: int
    stood_lat: float
    stood_lng: float


class PositionRecord(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A position as it travels: primary keys, epoch milliseconds, and the units of the protocol."""

    vehicle: int
    fleet: int
    ts: int
    received_ts: int
    lat: float
    lng: float
    speed: float | None
    heading: float | None
    accuracy: float | None
    altitude: float | None
    battery: float | None
    signal: float | None
    ignition: bool | None
    alarm: str
    source: str
    device_id: str
    correlation_id: str
    conflict: Conflict | None = None


def record_of(
    fix: Fix, *, vehicle: int, fleet: int, received_ts: int, source: str, conflict: Conflict | None
) -> PositionRecord:
    """The fix as it is stored."""
    return PositionRecord(
        vehicle,
        fleet,
        fix.ts,
        received_ts,
        fix.lat,
        fix.lng,
        fix.speed,
        fix.heading,
        fix.accuracy,
        fix.altitude,
        fix.battery,
        fix.signal,
        fix.ignition,
        fix.alarm or "",
        source,
        fix.device_id,
        fix.correlation_id,
        conflict,
    )


def conflict_of(fix: Fix, outcome: Outcome, stood: Fix | None) -> Conflict | None:
    """What is odd about a fix beside the newest one that stood before it."""
    if stood is None:
        return None
    kind = _CONFLICTS.get(outcome)
    if kind is None:
        if outcome is not Outcome.LIVE or not is_jump(stood, fix):
            return None
        kind = "jump"
    return Conflict(kind, stood.ts, stood.lat, stood.lng)


def is_jump(before: Fix, after: Fix) -> bool:
    """Whether a vehicle cannot have come so far in that time: over 500 m at over 150 m/s, on a flat earth."""
    lat_deg = abs(after.lat - before.lat)
    lng_deg = abs(after.lng - before.lng)
    if lat_deg + lng_deg < _NEAR_DEG:
        return False
    lng_deg = min(lng_deg, 360.0 - lng_deg) * math.cos(math.radians(after.lat))
    meters = math.hypot(lat_deg, lng_deg) * _METERS_A_DEGREE
    return meters > _JUMP_M and meters * 1000 > _JUMP_MPS * max(after.ts - before.ts, 1)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[PositionRecord]).decode


def chunks_of(records: list[PositionRecord]) -> list[tuple[bytes, int]]:
    """The records as bytes, at most MAX_CHUNK together; with how many each holds."""
    parts = (records[start : start + MAX_CHUNK] for start in range(0, len(records), MAX_CHUNK))
    return [(_encode(part), len(part)) for part in parts]


def records_in(payload: bytes) -> list[PositionRecord]:
    """The records of one chunk. Raises msgspec.MsgspecError."""
    return _decode(payload)


def correlation_ids(records: Iterable[PositionRecord]) -> list[str]:
    """Of the requests that the records came with; sockets have a session for each, which the rows name."""
    return sorted({record.correlation_id for record in records if record.source != "socket"} - {""})

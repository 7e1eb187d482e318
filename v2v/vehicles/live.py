"""What the realtime engine knows at this moment, for those who ask over HTTP.

`config.realtime` registers the engine at start. A process without one (a command, a worker) answers from what was last
stored.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from math import asin, atan2, cos, degrees, radians, sin, sqrt
from typing import NamedTuple, Protocol, cast

from django.db.models import QuerySet

from v2v.protocol.events import NearbyPeer, PresenceStatus
from v2v.vehicles.models import Vehicle, VehicleStatus

MAX_NEARBY = 1000
EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a vehicle is connected, and when it was last heard."""

    status: PresenceStatus
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Stats:
    """Who is connected, to all processes together as far as this one knows."""

    connections: int = 0
    vehicles: int = 0
    users: int = 0
    stale: int = 0
    by_transport: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a vehicle was, and when; degrees."""

    lat: float
    lng: float
    at: datetime


class Live(Protocol):
    """What an engine has to answer; at once, from memory, in any thread."""

    def presence(self, vehicle_pks: Collection[int]) -> dict[int, Presence]:
        """By primary key; a vehicle that was never heard may be missing."""

    def nearby(self, vehicle_id: str, radius_m: float) -> list[NearbyPeer]:
        """The vehicles of its fleet within the radius, nearest first, 1,000 at the most; none without a position."""

    def position(self, vehicle_id: str) -> Position | None:
        """Where the vehicle was last, however long ago; None for one that never said."""

    def is_connected(self, vehicle_id: str) -> bool:
        """Whether any device of the vehicle is."""

    def dispatchers(self, fleet_pk: int) -> frozenset[str]:
        """The names of the dispatchers who are connected and may work in the fleet."""

    def stats(self) -> Stats:
        """Counts of connections."""


class StoredLive:
    """Answers from the stored states: as new as the last batch that was written."""

    def presence(self, vehicle_pks: Collection[int]) -> dict[int, Presence]:
        """As stored."""
        rows = VehicleStatus.objects.filter(vehicle__in=vehicle_pks)
        return {row.pk: Presence(cast("PresenceStatus", row.status), row.last_seen) for row in rows}

    def nearby(self, vehicle_id: str, radius_m: float) -> list[NearbyPeer]:
        """From the stored positions; a band of latitude narrows them before they are measured."""
        me = _Fix.of(_FIXES.filter(vehicle__vehicle_id=vehicle_id))
        if not me:
            return []
        (center,) = me
        band = degrees(radius_m / EARTH_RADIUS_M)
        others = _FIXES.filter(
            vehicle__fleet=center.fleet_pk, vehicle__deleted_at=None, lat__range=(center.lat - band, center.lat + band)
        )
        peers = [_peer(center, fix) for fix in _Fix.of(others.exclude(vehicle__vehicle_id=vehicle_id))]
        near = sorted((peer for peer in peers if peer.distance_m <= radius_m), key=lambda peer: peer.distance_m)
        return near[:MAX_NEARBY]

    def position(self, vehicle_id: str) -> Position | None:
        """As stored."""
        fixes = _Fix.of(_FIXES.filter(vehicle__vehicle_id=vehicle_id))
        return Position(fixes[0].lat, fixes[0].lng, fixes[0].fix_at) if fixes else None

    def is_connected(self, vehicle_id: str) -> bool:
        """As stored."""
        online = VehicleStatus.objects.exclude(status=VehicleStatus.Presence.OFFLINE)
        return online.filter(vehicle__vehicle_id=vehicle_id).exists()

    def dispatchers(self, fleet_pk: int) -> frozenset[str]:
        """Nobody: who looks at a console is not stored."""
        return frozenset()

    def stats(self) -> Stats:
        """No connections here; the vehicles that were online at the last write."""
        online = Vehicle.objects.filter(status__status=VehicleStatus.Presence.ONLINE, deleted_at=None).count()
        return Stats(vehicles=online)


_FIXES = VehicleStatus.objects.exclude(fix_at=None).exclude(lat=None).exclude(lng=None)


class _Fix(NamedTuple):
    """A stored position; degrees, meters per second."""

    vehicle_id: str
    fleet_pk: int
    lat: float
    lng: float
    fix_at: datetime
    last_seen: datetime | None
    speed: float | None
    heading: float | None

    @classmethod
    def of(cls, rows: QuerySet[VehicleStatus]) -> list["_Fix"]:
        columns = ("vehicle__vehicle_id", "vehicle__fleet", *cls._fields[2:])
        return [cls(*row) for row in rows.values_list(*columns)]


def _peer(center: _Fix, fix: _Fix) -> NearbyPeer:
    distance_m, bearing = _distance_and_bearing(center.lat, center.lng, fix.lat, fix.lng)
    return NearbyPeer(
        vehicle_id=fix.vehicle_id,
        lat=fix.lat,
        lng=fix.lng,
        ts=epoch_ms(fix.fix_at),
        speed=fix.speed,
        heading=fix.heading,
        distance_m=round(distance_m, 1),
        bearing=round(bearing, 1),
        last_seen=epoch_ms(fix.last_seen or fix.fix_at),
    )


def distance_m(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Great-circle distance in meters between two places in degrees."""
    return _distance_and_bearing(lat1, lng1, lat2, lng2)[0]


def _distance_and_bearing(lat1: float, lng1: float, lat2: float, lng2: float) -> tuple[float, float]:
    """Great-circle distance in meters (haversine) and first bearing in degrees, on a sphere."""
    a1, a2, d_lng = radians(lat1), radians(lat2), radians(lng2 - lng1)
    h = sin((a2 - a1) / 2) ** 2 + cos(a1) * cos(a2) * sin(d_lng / 2) ** 2
    bearing = atan2(sin(d_lng) * cos(a2), cos(a1) * sin(a2) - sin(a1) * cos(a2) * cos(d_lng))
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(h))), degrees(bearing) % 360


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as on the wire."""
    return round(moment.timestamp() * 1000)


_stored = StoredLive()
_engine: Live | None = None


def engine_set(engine: Live | None) -> None:
    """Have `engine` answer from now on; None takes it away again."""
    global _engine
    _engine = engine


def engine_get() -> Live | None:
    """The engine of this process, if it has one."""
    return _engine


def live() -> Live:
    """Who answers: the engine of this process, else the stored states."""
    return _engine or _stored

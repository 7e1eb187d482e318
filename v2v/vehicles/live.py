"""What the realtime engine knows at this moment, for those who ask over HTTP.

`config.realtime` registers the engine at start. A process without one (a command, a worker) answers from what was last
stored.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from math import degrees
from typing import NamedTuple, Protocol, cast

import numpy as np
from django.db.models import QuerySet

from v2v.protocol.epoch import epoch_ms
from v2v.protocol.events import NearbyPeer, PresenceStatus
from v2v.proximity.geometry import EARTH_RADIUS_M, bearings_deg, distances_m, unit_vectors
from v2v.vehicles.models import Vehicle, VehicleStatus

MAX_NEARBY = 1000


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
        return _nearest(center, _Fix.of(others.exclude(vehicle__vehicle_id=vehicle_id)), radius_m)

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


def _nearest(center: _Fix, others: list[_Fix], radius_m: float) -> list[NearbyPeer]:
    lat, lng = np.array([fix.lat for fix in others]), np.array([fix.lng for fix in others])
    distances = distances_m(unit_vectors(lat, lng), unit_vectors(np.array([center.lat]), np.array([center.lng]))[0])
    bearings = bearings_deg(center.lat, center.lng, lat, lng)
    near = [index for index in np.argsort(distances).tolist() if distances[index] <= radius_m]
    return [_peer(others[index], float(distances[index]), float(bearings[index])) for index in near[:MAX_NEARBY]]


def _peer(fix: _Fix, distance_m: float, bearing: float) -> NearbyPeer:
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

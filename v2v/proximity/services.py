"""Storing who came near whom."""

from dataclasses import dataclass

from v2v.protocol.epoch import moment
from v2v.proximity.models import ProximityEvent


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two vehicles (primary keys) that came near each other, or parted; meters, epoch milliseconds."""

    fleet: int
    vehicle: int
    peer: int
    type: str
    distance_m: float | None
    ts: int


def proximity_events_store(crossings: list[Crossing]) -> None:
    """Store them in one statement; vehicles are marked as deleted, never removed, so that every key holds."""
    ProximityEvent.objects.bulk_create(
        [
            ProximityEvent(
                fleet_id=crossing.fleet,
                vehicle_id=crossing.vehicle,
                peer_id=crossing.peer,
                type=crossing.type,
                distance_m=crossing.distance_m,
                occurred_at=moment(crossing.ts),
            )
            for crossing in crossings
        ]
    )

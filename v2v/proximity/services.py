"""Storing who came near whom."""

from dataclasses import dataclass

from v2v.bulk import rows_write, stored_moment
from v2v.proximity.models import ProximityEvent

_COLUMNS = ("fleet_id", "vehicle_id", "peer_id", "type", "distance_m", "occurred_at")


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
    rows = [
        (
            crossing.fleet,
            crossing.vehicle,
            crossing.peer,
            crossing.type,
            crossing.distance_m,
            stored_moment(crossing.ts),
        )
        for crossing in crossings
    ]
    rows_write(ProximityEvent, _COLUMNS, rows)

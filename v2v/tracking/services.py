"""Keeping the last known state of every vehicle, so that a restart does not forget where they are."""

from dataclasses import dataclass
from datetime import UTC, datetime

from v2v.vehicles.models import VehicleStatus

_FIELDS = ["status", "last_seen", "lat", "lng", "heading", "speed", "fix_at", "battery", "signal"]


@dataclass(frozen=True, slots=True)
class LastState:
    """A vehicle's state at one moment; times in epoch milliseconds, the rest as in VehicleStatus."""

    vehicle_pk: int
    status: str
    last_seen: int
    lat: float | None = None
    lng: float | None = None
    heading: float | None = None
    speed: float | None = None
    fix_at: int | None = None
    battery: float | None = None
    signal: float | None = None


def last_states_store(states: list[LastState]) -> None:
    """Store them in one statement; of a vehicle that is among them twice, the last one."""
    newest = {state.vehicle_pk: state for state in states}
    rows = [
        VehicleStatus(
            vehicle_id=state.vehicle_pk,
            status=state.status,
            last_seen=_moment(state.last_seen),
            lat=state.lat,
            lng=state.lng,
            heading=state.heading,
            speed=state.speed,
            fix_at=_moment(state.fix_at),
            battery=state.battery,
            signal=state.signal,
        )
        for state in newest.values()
    ]
    VehicleStatus.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["vehicle"], update_fields=_FIELDS, batch_size=500
    )


def _moment(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)

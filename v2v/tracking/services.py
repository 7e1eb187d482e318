"""Keeping the last known state of every vehicle, so that a restart does not forget where they are."""

from collections import defaultdict
from dataclasses import dataclass

from v2v.protocol.epoch import moment
from v2v.vehicles.models import VehicleStatus

_FIX = ["lat", "lng", "heading", "speed", "fix_at"]


@dataclass(frozen=True, slots=True)
class LastState:
    """A vehicle's state at one moment; times in epoch milliseconds, the rest as in VehicleStatus; None: not heard."""

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
    """Store them, of a vehicle that is among them twice the last one; what a state does not know stays as it was.

    After a restart a vehicle is online before it says where it is: its last position from before is kept.
    """
    newest = {state.vehicle_pk: state for state in states}
    rows: defaultdict[tuple[str, ...], list[VehicleStatus]] = defaultdict(list)
    for state in newest.values():
        rows[_known(state)].append(_row(state))
    for fields, alike in rows.items():
        VehicleStatus.objects.bulk_create(
            alike, update_conflicts=True, unique_fields=["vehicle"], update_fields=fields, batch_size=500
        )


def last_states_offline() -> None:
    """Nobody is online when a server begins: one that was killed could not say so."""
    VehicleStatus.objects.exclude(status=VehicleStatus.Presence.OFFLINE).update(status=VehicleStatus.Presence.OFFLINE)


def _known(state: LastState) -> tuple[str, ...]:
    fields = ["status", "last_seen", *(_FIX if state.fix_at is not None else ())]
    return (*fields, *(name for name in ("battery", "signal") if getattr(state, name) is not None))


def _row(state: LastState) -> VehicleStatus:
    return VehicleStatus(
        vehicle_id=state.vehicle_pk,
        status=state.status,
        last_seen=moment(state.last_seen),
        lat=state.lat,
        lng=state.lng,
        heading=state.heading,
        speed=state.speed,
        fix_at=None if state.fix_at is None else moment(state.fix_at),
        battery=state.battery,
        signal=state.signal,
    )

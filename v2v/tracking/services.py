"""Keeping the last known state of every vehicle, so that a restart does not forget where they are."""

from collections.abc import Collection
from dataclasses import dataclass

from v2v.bulk import rows_write, stored_moment
from v2v.vehicles.models import VehicleStatus

_AT_ONCE = 500  # keys in one statement
_FIX = ("lat", "lng", "heading", "speed", "fix_at")
_TELEMETRY = ("battery", "signal")
_COLUMNS = ("vehicle_id", "status", "last_seen", *_FIX, *_TELEMETRY)
_TABLE = VehicleStatus._meta.db_table
_NEWER = "ON CONFLICT (vehicle_id) DO UPDATE SET " + ", ".join(
    [
        "status = excluded.status",
        "last_seen = excluded.last_seen",
        *(f"{name} = CASE WHEN excluded.fix_at IS NULL THEN {_TABLE}.{name} ELSE excluded.{name} END" for name in _FIX),
        *(f"{name} = COALESCE(excluded.{name}, {_TABLE}.{name})" for name in _TELEMETRY),
    ]
)


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
    rows_write(VehicleStatus, _COLUMNS, [_row(state) for state in newest.values()], on_conflict=_NEWER)


def last_states_offline(*, but: Collection[int] = ()) -> None:
    """Nobody is online when a server begins, `but` those with others: one that was killed could not say so."""
    left = VehicleStatus.objects.exclude(status=VehicleStatus.Presence.OFFLINE)
    if not but:
        left.update(status=VehicleStatus.Presence.OFFLINE)
        return
    pks = list(set(left.values_list("pk", flat=True)).difference(but))
    for begin in range(0, len(pks), _AT_ONCE):
        VehicleStatus.objects.filter(pk__in=pks[begin : begin + _AT_ONCE]).update(status=VehicleStatus.Presence.OFFLINE)


def _row(state: LastState) -> tuple[object, ...]:
    return (
        state.vehicle_pk,
        state.status,
        stored_moment(state.last_seen),
        state.lat,
        state.lng,
        state.heading,
        state.speed,
        stored_moment(state.fix_at),
        state.battery,
        state.signal,
    )

"""Taking positions from everything that is not a socket; and keeping the last known state of every vehicle."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.conf import settings

from v2v.bulk import rows_write, stored_moment
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal, decode_location
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.fields import Name
from v2v.realtime import metrics
from v2v.tracking.backends import queue_get
from v2v.tracking.ingest import check_future, fix_of
from v2v.tracking.intake import Placed, place_get
from v2v.tracking.live import Fix, Outcome
from v2v.tracking.models import Source
from v2v.tracking.queue import QueueUnavailable
from v2v.tracking.records import PositionRecord, chunks_of, conflict_of, record_of
from v2v.tracking.storage import positions_store
from v2v.vehicles.models import Vehicle, VehicleStatus

PositionReport = LocationData  # as on the socket: units, limits, and `ts` in epoch milliseconds, without it now
MAX_REPORTS = 1_000
_DAY_MS = 24 * 3600 * 1000

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


def positions_report(
    *,
    vehicle: Vehicle,
    device_id: str,
    source: Source,
    reports: Sequence[PositionReport],
    correlation_id: str,
    now: datetime,
) -> list[Outcome | Refusal]:
    """Take up to 1,000 positions of a vehicle, oldest first, from a thread that may wait; what became of each.

    They are in the queue when it returns, and live where this process has an engine. One that is old is stored and
    never live; one from the future is refused with `clock_skew`, one that retention would drop with `expired`. Raises
    Refusal `validation_error` for the whole, and `unavailable` when nothing could be kept: then all may come again.
    """
    _check_names(device_id=device_id, correlation_id=correlation_id)
    if len(reports) > MAX_REPORTS:
        issue = f"at most {MAX_REPORTS} positions at a time"
        raise Refusal(ErrorCode.VALIDATION_ERROR, details={"field": "reports", "issue": issue})
    now_ms = epoch_ms(now)
    checked = reports_check(reports, device_id=device_id, correlation_id=correlation_id, now_ms=now_ms)
    fixes = [fix for fix in checked if isinstance(fix, Fix)]
    place = place_get()
    if place is None:
        placed = [Placed(Outcome.STORED, None)] * len(fixes)
    else:
        placed = place.place(vehicle_id=vehicle.vehicle_id, vehicle_pk=vehicle.pk, fleet=vehicle.fleet_id, fixes=fixes)
    records_keep(records_of(fixes, placed, vehicle_pk=vehicle.pk, fleet=vehicle.fleet_id, source=source, now_ms=now_ms))
    return outcomes_of(checked, placed)


# The steps of `positions_report`, for the event loop, which may not wait: see `v2v.tracking.reception`.


def reports_check(
    reports: Sequence[PositionReport], *, device_id: str, correlation_id: str, now_ms: int
) -> list[Fix | Refusal]:
    """Each report as a fix, or why it is none; times in epoch milliseconds."""
    checked = [_checked(report, now_ms=now_ms) for report in reports]
    for fix in checked:
        if isinstance(fix, Fix):
            fix.device_id, fix.correlation_id = device_id, correlation_id
    return checked


def records_of(
    fixes: Sequence[Fix], placed: Sequence[Placed], *, vehicle_pk: int, fleet: int, source: Source, now_ms: int
) -> list[PositionRecord]:
    """The fixes of one vehicle as they are stored."""
    return [
        record_of(
            fix,
            vehicle=vehicle_pk,
            fleet=fleet,
            received_ts=now_ms,
            source=source.value,
            conflict=conflict_of(fix, outcome, stood),
        )
        for fix, (outcome, stood) in zip(fixes, placed, strict=True)
    ]


def outcomes_of(checked: Sequence[Fix | Refusal], placed: Sequence[Placed]) -> list[Outcome | Refusal]:
    """What became of each report."""
    outcomes = iter(placed)
    return [next(outcomes).outcome if isinstance(fix, Fix) else fix for fix in checked]


def _check_names(**names: str) -> None:
    for field, name in names.items():
        try:
            msgspec.convert(name, Name)
        except msgspec.ValidationError:
            details = {"field": field, "issue": "at most 64 characters without control characters"}
            raise Refusal(ErrorCode.VALIDATION_ERROR, details=details) from None


def _checked(report: PositionReport, *, now_ms: int) -> Fix | Refusal:
    try:
        data = decode_location(report)
        ts = data.ts if data.ts is not None else now_ms
        check_future(ts, now_ms=now_ms)
    except Refusal as refusal:
        return refusal
    if settings.POSITIONS_KEEP_DAYS and ts < now_ms - settings.POSITIONS_KEEP_DAYS * _DAY_MS:
        metrics.REJECTED.labels("expired").inc()
        return Refusal(ErrorCode.EXPIRED, details={"field": "ts", "keepDays": settings.POSITIONS_KEEP_DAYS})
    return fix_of(data, ts, now=0.0)


def records_keep(records: list[PositionRecord]) -> None:
    """Into the queue, or with the engine's own while that is away. A process that has neither stores them itself.

    Blocking. Raises Refusal `unavailable` when there is no room for them anywhere.
    """
    place = place_get()
    if not records:
        return
    if place is None and not settings.REDIS_URL:
        positions_store(records)
        return
    try:
        queue_get().put(chunks_of(records))
    except QueueUnavailable as error:
        if place is None or not place.keep(records):
            raise Refusal(ErrorCode.UNAVAILABLE) from error


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

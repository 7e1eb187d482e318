"""Storing what the engine found: events, who is inside, and alerts, all or nothing; then it is told.

So nothing is told twice after a crash and nothing is stored without being told of. A crossing that the engine found
and that was not stored yet is found again by the next server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from v2v.alerts.models import Alert
from v2v.alerts.services import Origin, Report, alert_raise
from v2v.bulk import rows_write, stored_moment
from v2v.geofences import metrics
from v2v.geofences.engine import Change
from v2v.geofences.models import KMH, Geofence, GeofenceEvent, GeofencePresence
from v2v.geofences.rules import Happening
from v2v.geofences.telling import tell_event
from v2v.protocol.epoch import epoch_ms, moment
from v2v.vehicles.models import Vehicle

ALERT_RADIUS_M = 50.0  # the least relevance distance of ETSI DENM: it concerns dispatchers, not who drives near by
_COLUMNS = ("geofence_id", "vehicle_id", "since", "dwelt", "fast")
_UPSERT = (
    "ON CONFLICT (geofence_id, vehicle_id) "
    "DO UPDATE SET since = excluded.since, dwelt = excluded.dwelt, fast = excluded.fast"
)
_TOLD = {"enter", "exit", "dwell", "speed"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A change of the engine, with the vehicle's primary key and where it was; degrees."""

    change: Change
    vehicle_pk: int
    lat: float
    lng: float


@transaction.atomic
def changes_store(found: Sequence[Found], *, now: datetime) -> None:
    """Store what was found, in order, and tell of it after the commit.

    What is about a geofence that was deleted, or drawn anew, since the engine looked is left out.
    """
    pks = {each.change.fence for each in found}
    geofences = Geofence.objects.select_related("fleet").in_bulk(pks)
    vehicles = Vehicle.objects.in_bulk({each.vehicle_pk for each in found})
    live = [
        each for each in found if each.vehicle_pk in vehicles and _still_holds(geofences.get(each.change.fence), each)
    ]
    _presences_store(live)
    for each in live:
        geofence, change = geofences[each.change.fence], each.change
        if change.is_told and change.kind in _TOLD:
            _event_store(geofence, vehicles[each.vehicle_pk], each, now)


def _still_holds(geofence: Geofence | None, found: Found) -> bool:
    if geofence is None or geofence.deleted_at is not None or not geofence.is_active:
        return False
    return found.change.at >= epoch_ms(geofence.armed_at)


def _presences_store(found: Sequence[Found]) -> None:
    """Bring the stored presences to where the changes end."""
    fences, vehicles = {each.change.fence for each in found}, {each.vehicle_pk for each in found}
    stored = GeofencePresence.objects.filter(geofence__in=fences, vehicle__in=vehicles)
    before = {(row.geofence_id, row.vehicle_id): (epoch_ms(row.since), row.dwelt, row.fast) for row in stored}
    after: dict[tuple[int, int], tuple[int, bool, bool] | None] = {}
    for each in found:
        change, pair = each.change, (each.change.fence, each.vehicle_pk)
        since, dwelt, fast = after.get(pair) or before.get(pair) or (change.at, False, False)
        match change.kind:
            case "enter" | "found":
                after[pair] = (change.at, False, False)
            case "exit":
                after[pair] = None
            case "dwell":
                after[pair] = (since, True, fast)
            case _:
                after[pair] = (since, dwelt, change.kind == "speed")
    rows = [(*pair, stored_moment(now[0]), now[1], now[2]) for pair, now in after.items() if now is not None]
    rows_write(GeofencePresence, _COLUMNS, rows, on_conflict=_UPSERT)
    for (fence, vehicle), now in after.items():
        if now is None:
            GeofencePresence.objects.filter(geofence=fence, vehicle=vehicle).delete()


def _event_store(geofence: Geofence, vehicle: Vehicle, found: Found, now: datetime) -> None:
    change = found.change
    happening = Happening(change.kind)
    value = change.value
    if value is not None and happening in (Happening.EXIT, Happening.DWELL):
        value = round(value / 1000, 1)
    event_add(
        geofence=geofence,
        happening=happening,
        at=moment(change.at),
        value=value,
        vehicle=vehicle,
        place=(found.lat, found.lng),
        now=now,
    )


def event_add(
    *,
    geofence: Geofence,
    happening: Happening,
    at: datetime,
    value: float | None,
    now: datetime,
    vehicle: Vehicle | None = None,
    place: tuple[float, float],
) -> None:
    """Store an event, and raise the alert, as the geofence's rule says. Within a transaction of the caller's."""
    reaction = geofence.reaction_to(happening)
    if reaction == "none":
        return
    event = GeofenceEvent(
        fleet_id=geofence.fleet_id,
        geofence=geofence,
        vehicle=vehicle,
        type=happening.value,
        occurred_at=at,
        value=value,
        lat=place[0],
        lng=place[1],
        severity=reaction.severity or "",
    )
    event.save(force_insert=True)
    transaction.on_commit(metrics.EVENTS.labels(happening.value).inc, robust=True)
    vehicle_id = vehicle.vehicle_id if vehicle is not None else ""
    tell_event(event, geofence, vehicle_id or None)
    if reaction.severity is not None:
        origin = Origin(
            fleet_pk=geofence.fleet_id,
            via=Alert.Via.RULE,
            client_id=f"geofence-{geofence.pk}-{happening.value}-{epoch_ms(at)}",
            vehicle_pk=None if vehicle is None else vehicle.pk,
            vehicle_id=vehicle_id,
        )
        report = Report(
            type="other",
            severity=reaction.severity,
            message=alert_words(geofence, happening, value),
            lat=place[0],
            lng=place[1],
            radius_m=ALERT_RADIUS_M,
            detected_at=at,
        )
        alert_raise(origin=origin, report=report, now=now)


def alert_words(geofence: Geofence, happening: Happening, value: float | None) -> str:
    """What the alert says."""
    match happening:
        case Happening.ENTER:
            return f"Entered {geofence.name}."
        case Happening.EXIT:
            return f"Left {geofence.name}."
        case Happening.DWELL:
            return f"In {geofence.name} for {geofence.dwell_minutes} minutes."
        case Happening.SPEED:
            speed, limit = (value or 0) * KMH, geofence.speed_limit * KMH
            return f"{speed:.0f} km/h in {geofence.name}, where {limit:.0f} is the limit."
        case Happening.TOO_FEW:
            return f"{value or 0:.0f} vehicles in {geofence.name}, where at least {geofence.minimum_inside} should be."
    return f"Enough vehicles in {geofence.name} again."

"""What an actor may read of geofences, and what the engine goes by."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db.models import F, QuerySet

from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, can
from v2v.fleets.selectors import within
from v2v.geofences.engine import Standing
from v2v.geofences.index import Fence
from v2v.geofences.models import Geofence, GeofenceEvent, GeofencePresence
from v2v.geofences.rules import Reaction
from v2v.geofences.shapes import ShapeError
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)


def geofences_where(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Geofence]:
    """Those in the fleets in which the actor may do it, by name."""
    return Geofence.objects.filter(within(actor, action), deleted_at=None).select_related("fleet")


def geofence_to_edit(actor: Actor, pk: int, *, deleted: bool = False) -> Geofence:
    """The geofence. Raises Refusal: `not_found` where the actor may not see it, `forbidden` where he may only look."""
    seen = Geofence.objects.filter(within(actor, Action.VIEW), pk=pk).select_related("fleet")
    geofence = (seen if deleted else seen.filter(deleted_at=None)).first()
    if geofence is None:
        raise Refusal(ErrorCode.NOT_FOUND)
    if not can(actor, Action.DISPATCH, geofence.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    return geofence


def geofence_events_where(actor: Actor) -> QuerySet[GeofenceEvent]:
    """Those in the fleets that the actor may view, newest first; of deleted geofences, too."""
    events = GeofenceEvent.objects.filter(within(actor, Action.VIEW))
    return events.select_related("fleet", "geofence", "vehicle")


def presences_of(geofence: Geofence) -> QuerySet[GeofencePresence]:
    """Which vehicles are inside, the newest first; those that have left the fleet, or are out of service, are not."""
    there = GeofencePresence.objects.filter(geofence=geofence, vehicle__fleet=geofence.fleet_id)
    return there.filter(vehicle__deleted_at=None, vehicle__disabled_at=None).select_related("vehicle")


# ---- For the engine


Mark = tuple[object, ...]  # changes with every change of a geofence, or of a fleet's time zone


def fences_mark() -> Mark:
    """By which the geofences are known again."""
    newest = Geofence.objects.order_by("-updated_at").values_list("updated_at", flat=True).first()
    zones = Fleet.objects.order_by("pk").values_list("pk", "time_zone")
    return Geofence.objects.filter(deleted_at=None).count(), newest, tuple(zones)


def fences_read(known: Mark | None) -> tuple[Mark, list[Fence]] | None:
    """The mark and all active geofences; None when nothing has changed since the mark `known`."""
    mark = fences_mark()
    if mark == known:
        return None
    fences = []
    for geofence in Geofence.objects.filter(is_active=True, deleted_at=None).select_related("fleet"):
        try:
            fences.append(fence_of(geofence))
        except ShapeError as error:  # stored past the services: the others are still to be looked at
            log.error("geofence has no valid shape", geofence=geofence.pk, issue=error.issue)
    return mark, fences


def fence_of(geofence: Geofence) -> Fence:
    """The geofence as the engine needs it."""
    return Fence(
        pk=geofence.pk,
        fleet=geofence.fleet_id,
        shape=geofence.shape,
        armed_at=epoch_ms(geofence.armed_at),
        hold_ms=geofence.hold_s * 1000,
        dwell_ms=0 if geofence.on_dwell == Reaction.NONE else geofence.dwell_minutes * 60_000,
        speed_limit=math.inf if geofence.on_speed == Reaction.NONE else geofence.speed_limit,
        types=frozenset(name.lower() for name in geofence.vehicle_types),
        schedule=geofence.schedule,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of some vehicles: by slot when each was last seen and its type, and where they are inside."""

    seen_at: dict[int, int | None]
    types: dict[int, str]
    standings: list[Standing]


def vehicles_known(slots: Mapping[int, int]) -> Known:
    """What is stored of the vehicles with these primary keys, each with its slot."""
    seen_at: dict[int, int | None] = dict.fromkeys(slots.values())
    types: dict[int, str] = {}
    columns = ("pk", "type", "status__last_seen", "status__lat")
    vehicles: Iterable[tuple[int, str, datetime | None, float | None]]
    vehicles = Vehicle.objects.filter(pk__in=slots).values_list(*columns)
    for pk, kind, last_seen, lat in vehicles:
        types[slots[pk]] = kind.strip().lower()
        seen_at[slots[pk]] = None if last_seen is None or lat is None else epoch_ms(last_seen)
    there = GeofencePresence.objects.filter(vehicle__in=slots, vehicle__fleet=F("geofence__fleet"))
    standings = [
        Standing(slots[each.vehicle_id], each.geofence_id, epoch_ms(each.since), each.dwelt, each.fast)
        for each in there
    ]
    return Known(seen_at, types, standings)


def vehicle_types_of(vehicle_pks: Collection[int]) -> dict[int, str]:
    """The types of these vehicles, in lower case, by primary key."""
    rows: Iterable[tuple[int, str]] = Vehicle.objects.filter(pk__in=vehicle_pks).values_list("pk", "type")
    return {pk: kind.strip().lower() for pk, kind in rows}

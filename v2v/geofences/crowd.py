"""Too few vehicles in a geofence: looked at by the scheduler, once in the whole system.

It counts what is stored: who is inside, whichever server found it, and is online.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q

from v2v.geofences.models import Geofence
from v2v.geofences.rules import Happening, Reaction, crowd_after
from v2v.geofences.shapes import center_of
from v2v.geofences.store import event_add
from v2v.vehicles.models import VehicleStatus

INSIDE = Q(
    presences__vehicle__status__status=VehicleStatus.Presence.ONLINE,
    presences__vehicle__fleet=F("fleet"),
    presences__vehicle__deleted_at=None,
    presences__vehicle__disabled_at=None,
)


def crowds_look(now: datetime) -> bool:
    """Tell where there are too few vehicles, once until there are enough again. Never more work than one look."""
    minded = Geofence.objects.filter(is_active=True, deleted_at=None).exclude(on_too_few=Reaction.NONE.value)
    for geofence in minded.select_related("fleet").annotate(inside=Count("presences", filter=INSIDE)):
        _look(geofence, now)
    return False


@transaction.atomic
def _look(geofence: Geofence, now: datetime) -> None:
    """Each change is a conditional UPDATE: of several schedulers one tells."""
    since, told_at = geofence.too_few_since, geofence.too_few_told_at
    still = Geofence.objects.filter(pk=geofence.pk, too_few_since=since, too_few_told_at=told_at)
    schedule = geofence.schedule
    if schedule is not None and not schedule.is_awake(now):
        if since is not None:
            still.update(too_few_since=None, too_few_told_at=None)  # its next hours begin anew
        return
    inside: int = geofence.inside  # type: ignore[attr-defined]
    state = crowd_after(
        inside=inside,
        minimum=geofence.minimum_inside,
        since=since,
        told=told_at is not None,
        hold=geofence.too_few_hold,
        now=now,
    )
    if state in ("fine", "well"):
        if since is not None and still.update(too_few_since=None, too_few_told_at=None) and state == "well":
            _tell(geofence, Happening.ENOUGH, now, inside, now)
    elif state == "waits":
        if since is None:
            still.update(too_few_since=now)
    elif state == "tell" and since is not None and still.update(too_few_told_at=now):
        _tell(geofence, Happening.TOO_FEW, since, inside, now)


def _tell(geofence: Geofence, happening: Happening, at: datetime, inside: int, now: datetime) -> None:
    event_add(
        geofence=geofence, happening=happening, at=at, value=float(inside), place=center_of(geofence.shape), now=now
    )

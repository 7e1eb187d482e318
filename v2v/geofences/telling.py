"""What dispatchers and the engine are told of geofences, once it is stored."""

from functools import partial
from typing import cast

from django.db import transaction

from v2v.geofences.models import Geofence, GeofenceEvent
from v2v.protocol import events
from v2v.protocol.epoch import epoch_ms
from v2v.realtime.notices import Changed
from v2v.realtime.relay import ToDispatchers, publish, tell

CHANGED = "geofences"  # what the notice to all processes calls them


def geofence_part(geofence: Geofence) -> events.GeofencePart:
    """The geofence as the wire shows it; its `fleet` must have been read with it."""
    return events.GeofencePart(
        geofence_id=geofence.pk,
        fleet=geofence.fleet.slug,
        name=geofence.name,
        kind=cast("events.GeofenceKind", str(geofence.kind)),
        geometry=geofence.geometry,
        radius_m=geofence.radius_m,
        color=str(geofence.color),
        is_active=geofence.is_active,
        version=geofence.version,
    )


def tell_updated(geofence: Geofence) -> None:
    """It is new, or another than it was."""
    _tell(geofence, events.GeofenceUpdated(data=geofence_part(geofence)))


def tell_removed(geofence: Geofence) -> None:
    """It is there no longer."""
    data = events.GeofenceRemoved.Data(geofence_id=geofence.pk, fleet=geofence.fleet.slug)
    _tell(geofence, events.GeofenceRemoved(data=data))


def _tell(geofence: Geofence, event: events.Event) -> None:
    transaction.on_commit(partial(tell, Changed(CHANGED)), robust=True)
    transaction.on_commit(partial(publish, ToDispatchers(geofence.fleet_id), event), robust=True)


def tell_event(event: GeofenceEvent, geofence: Geofence, vehicle_id: str | None) -> None:
    """Something happened there."""
    data = events.GeofenceEvent.Data(
        type=cast("events.GeofenceHappening", str(event.type)),
        geofence_id=geofence.pk,
        name=geofence.name,
        fleet=geofence.fleet.slug,
        ts=epoch_ms(event.occurred_at),
        vehicle_id=vehicle_id,
        value=event.value,
        severity=event.severity or None,
    )
    told = events.GeofenceEvent(data=data)
    transaction.on_commit(partial(publish, ToDispatchers(geofence.fleet_id), told), robust=True)

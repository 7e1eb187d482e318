"""The vehicles of a fleet as a GTFS-realtime feed of VehiclePositions (https://gtfs.org/documentation/realtime/)."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from google.transit import gtfs_realtime_pb2

from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.vehicles.models import VehicleStatus

CONTENT_TYPE = "application/x-protobuf"
_VERSION = "2.0"


def statuses_since(*, actor: Actor, since: datetime, fleet: str | None = None) -> QuerySet[VehicleStatus]:
    """The last known states of vehicles that the actor may view and whose last fix is not older, by vehicle."""
    found = VehicleStatus.objects.filter(
        within(actor, Action.VIEW, fleet="vehicle__fleet"),
        vehicle__deleted_at=None,
        vehicle__disabled_at=None,
        fix_at__gte=since,
    )
    if fleet is not None:
        found = found.filter(vehicle__fleet__slug=fleet)
    return found.select_related("vehicle").order_by("vehicle__vehicle_id")


def feed_of(statuses: Iterable[VehicleStatus], *, now: datetime) -> gtfs_realtime_pb2.FeedMessage:
    """The whole feed: one entity a vehicle, its id that of the vehicle; speed in m/s, as GTFS-realtime has it."""
    feed = gtfs_realtime_pb2.FeedMessage()
    feed.header.gtfs_realtime_version = _VERSION
    feed.header.incrementality = gtfs_realtime_pb2.FeedHeader.FULL_DATASET
    feed.header.timestamp = int(now.timestamp())
    for status in statuses:
        if status.fix_at is None or status.lat is None or status.lng is None:
            continue
        entity = feed.entity.add(id=status.vehicle.vehicle_id)
        entity.vehicle.timestamp = int(status.fix_at.timestamp())
        entity.vehicle.vehicle.id = entity.vehicle.vehicle.label = status.vehicle.vehicle_id
        if status.vehicle.plate:
            entity.vehicle.vehicle.license_plate = status.vehicle.plate
        position = entity.vehicle.position
        position.latitude, position.longitude = status.lat, status.lng
        if status.heading is not None:
            position.bearing = status.heading
        if status.speed is not None:
            position.speed = status.speed
    return feed

"""What dispatchers are told of the vehicles themselves, once it is stored.

Vehicles that are made thousands at a time are not told one by one: they show when they come online, and in snapshots.
"""

from functools import partial

from django.db import transaction

from v2v.protocol import events
from v2v.realtime.relay import ToDispatchers, publish
from v2v.vehicles.models import Vehicle


def tell_updated(vehicle: Vehicle) -> None:
    """Tell the dispatchers of its fleet what is known of it now."""
    data = events.VehicleUpdated.Data(
        vehicle_id=vehicle.vehicle_id,
        fleet=vehicle.fleet.slug,
        driver_name=vehicle.driver_name or None,
        type=vehicle.type or None,
    )
    _tell(vehicle, events.VehicleUpdated(data=data))


def tell_removed(vehicle: Vehicle) -> None:
    """Tell the dispatchers of its fleet that it is no longer there for them. Its sessions must have been ended."""
    _tell(vehicle, events.VehicleRemoved(data=events.VehicleRemoved.Data(vehicle_id=vehicle.vehicle_id)))


def _tell(vehicle: Vehicle, event: events.Event) -> None:
    transaction.on_commit(partial(publish, ToDispatchers(vehicle.fleet_id), event), robust=True)

"""What an actor may read of vehicles and devices."""

from django.db.models import QuerySet

from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.vehicles.models import Device, Vehicle


def vehicles_where(actor: Actor, action: Action) -> QuerySet[Vehicle]:
    """The vehicles of the fleets in which the actor may do it, without those that were deleted."""
    return Vehicle.objects.filter(within(actor, action), deleted_at=None).select_related("fleet")


def devices_where(actor: Actor, action: Action) -> QuerySet[Device]:
    """Their devices, without those that were removed, or whose vehicle was."""
    there = Device.objects.filter(deleted_at=None, vehicle__deleted_at=None)
    return there.filter(within(actor, action, fleet="vehicle__fleet")).select_related("vehicle__fleet")

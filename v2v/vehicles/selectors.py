"""What an actor may read of vehicles and devices."""

from collections.abc import Collection

from django.db.models import QuerySet

from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.vehicles.models import Device, Vehicle

_AT_ONCE = 500  # keys in one statement


def vehicles_where(actor: Actor, action: Action) -> QuerySet[Vehicle]:
    """The vehicles of the fleets in which the actor may do it, without those that were deleted."""
    return Vehicle.objects.filter(within(actor, action), deleted_at=None).select_related("fleet")


def devices_where(actor: Actor, action: Action) -> QuerySet[Device]:
    """Their devices, without those that were removed, or whose vehicle was."""
    there = Device.objects.filter(deleted_at=None, vehicle__deleted_at=None)
    return there.filter(within(actor, action, fleet="vehicle__fleet")).select_related("vehicle__fleet")


def devices_with_rights(pks: Collection[int]) -> dict[int, int]:
    """Of these devices those that may come in, with the fleet of each one's vehicle."""
    wanted, found = list(pks), dict[int, int]()
    for begin in range(0, len(wanted), _AT_ONCE):
        devices = Device.objects.filter(
            pk__in=wanted[begin : begin + _AT_ONCE],
            revoked_at=None,
            deleted_at=None,
            vehicle__disabled_at=None,
            vehicle__deleted_at=None,
        )
        found.update(devices.values_list("pk", "vehicle__fleet"))
    return found

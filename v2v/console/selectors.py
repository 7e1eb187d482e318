"""What the console shows, as its viewer may see it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from v2v.fleets.policy import Action, Actor
from v2v.vehicles.live import Presence, live
from v2v.vehicles.models import Vehicle, VehicleStatus
from v2v.vehicles.selectors import vehicles_where

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class VehicleChoice:
    """Which vehicles: whose callsign, driver or plate holds `search`, in one `state` or any, `count` behind `after`."""

    search: str = ""
    state: str = ""
    after: str = ""
    count: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class ListedVehicle:
    """A vehicle with its presence at this moment."""

    vehicle: Vehicle
    status: str
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class VehiclePage:
    """A part of the list in the order of callsigns; `next_after` is the callsign that the next part follows."""

    vehicles: list[ListedVehicle]
    next_after: str | None


def vehicle_page(*, actor: Actor, choice: VehicleChoice) -> VehiclePage:
    """The chosen vehicles that the actor may view."""
    vehicles = _in_service(actor).order_by("vehicle_id")
    if text := choice.search:
        named = Q(vehicle_id__icontains=text) | Q(driver_name__icontains=text) | Q(plate__icontains=text)
        vehicles = vehicles.filter(named)
    if choice.after:
        vehicles = vehicles.filter(vehicle_id__gt=choice.after)
    if choice.state:
        vehicles = vehicles.filter(pk__in=_in_state(vehicles, choice.state)[: choice.count + 1])
    found = list(vehicles[: choice.count + 1])
    shown = found[: choice.count]
    next_after = shown[-1].vehicle_id if len(found) > choice.count else None
    return VehiclePage(vehicles=_listed(shown), next_after=next_after)


def vehicle_listed(*, actor: Actor, vehicle_id: str) -> ListedVehicle | None:
    """One vehicle, if the actor may view it."""
    return next(iter(_listed(_in_service(actor).filter(vehicle_id=vehicle_id))), None)


def vehicle_counts(*, actor: Actor) -> dict[str, int]:
    """How many vehicles are in each state, and `all`; one that was never heard is offline."""
    pks = list(_in_service(actor).values_list("pk", flat=True))
    known = live().presence(pks)
    states = Counter(_status(known, pk) for pk in pks)
    return {"all": len(pks)} | {state: states[state] for state in VehicleStatus.Presence.values}


def _in_service(actor: Actor) -> QuerySet[Vehicle]:
    """The vehicles that the actor may view; one that is disabled can neither come online nor be dispatched."""
    return vehicles_where(actor, Action.VIEW).filter(disabled_at=None)


def _in_state(vehicles: QuerySet[Vehicle], state: str) -> list[int]:
    pks = list(vehicles.values_list("pk", flat=True))
    known = live().presence(pks)
    return [pk for pk in pks if _status(known, pk) == state]


def _listed(vehicles: Iterable[Vehicle]) -> list[ListedVehicle]:
    vehicles = list(vehicles)
    known = live().presence([vehicle.pk for vehicle in vehicles])
    return [
        ListedVehicle(vehicle, _status(known, vehicle.pk), known[vehicle.pk].last_seen if vehicle.pk in known else None)
        for vehicle in vehicles
    ]


def _status(known: dict[int, Presence], pk: int) -> str:
    return known[pk].status if pk in known else VehicleStatus.Presence.OFFLINE

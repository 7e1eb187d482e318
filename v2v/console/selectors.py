"""What the console shows, as its viewer may see it."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from v2v.fleets.policy import Action, Actor
from v2v.vehicles.models import Vehicle, VehicleStatus
from v2v.vehicles.selectors import vehicles_where

PAGE_SIZE = 100
OFFLINE = VehicleStatus.Presence.OFFLINE


@dataclass(frozen=True, slots=True)
class VehiclePage:
    """A part of the list in the order of callsigns; `next_after` is the callsign that the next part follows."""

    vehicles: list[Vehicle]
    next_after: str | None


def vehicles_visible(*, actor: Actor) -> QuerySet[Vehicle]:
    """The vehicles that the actor may view, each with its last known state."""
    return vehicles_where(actor, Action.VIEW).select_related("status")


def vehicle_page(*, actor: Actor, search: str = "", state: str = "", after: str = "") -> VehiclePage:
    """The vehicles whose callsign, driver or plate holds the search, in one state or in any."""
    vehicles = vehicles_visible(actor=actor).order_by("vehicle_id")
    if search:
        vehicles = vehicles.filter(
            Q(vehicle_id__icontains=search) | Q(driver_name__icontains=search) | Q(plate__icontains=search)
        )
    if state == OFFLINE:
        vehicles = vehicles.filter(Q(status=None) | Q(status__status=state))
    elif state:
        vehicles = vehicles.filter(status__status=state)
    if after:
        vehicles = vehicles.filter(vehicle_id__gt=after)
    found = list(vehicles[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return VehiclePage(vehicles=shown, next_after=shown[-1].vehicle_id if len(found) > PAGE_SIZE else None)


def vehicle_counts(*, actor: Actor) -> dict[str, int]:
    """How many vehicles are in each state, and `all`; one that was never heard is offline."""
    counts = dict.fromkeys(["all", *VehicleStatus.Presence.values], 0)
    rows = vehicles_visible(actor=actor).order_by().values_list("status__status").annotate(Count("pk"))
    for state, count in rows:
        counts[state or OFFLINE] += count
        counts["all"] += count
    return counts

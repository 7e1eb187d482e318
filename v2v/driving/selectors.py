"""What an actor may read of driving."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import OuterRef, QuerySet, Subquery

from v2v.driving.models import DailyFigures, DrivingEvent, FleetRules, SpeedLimit, Trip
from v2v.driving.rules import EventType, Limits
from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.vehicles.models import Vehicle


def driving_events_where(actor: Actor) -> QuerySet[DrivingEvent]:
    """The events of the fleets that the actor may view, newest first."""
    return DrivingEvent.objects.filter(within(actor, Action.VIEW)).select_related("fleet", "vehicle")


def trips_where(actor: Actor) -> QuerySet[Trip]:
    """The trips in the fleets that the actor may view, newest first; `next_at` is when the vehicle set off again."""
    later = Trip.objects.filter(vehicle=OuterRef("vehicle"), fleet=OuterRef("fleet"))
    later = later.filter(started_at__gt=OuterRef("started_at")).order_by("started_at")
    visible = Trip.objects.filter(within(actor, Action.VIEW)).select_related("fleet", "vehicle")
    return visible.annotate(next_at=Subquery(later.values("started_at")[:1]))


def daily_where(actor: Actor) -> QuerySet[DailyFigures]:
    """The figures of each vehicle and day in the fleets that the actor may view, newest first."""
    return DailyFigures.objects.filter(within(actor, Action.VIEW)).select_related("fleet", "vehicle")


# ---- For the live rules


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules of all fleets: each fleet's actions by event, its limits, and those of vehicles with their own."""

    actions: Mapping[int, Mapping[EventType, str]] = field(default_factory=dict)
    of_fleet: Mapping[int, Limits] = field(default_factory=dict)
    of_vehicle: Mapping[tuple[int, int], Limits] = field(default_factory=dict)  # by fleet and vehicle

    def limits(self, fleet: int, vehicle_pk: int) -> Limits:
        """The limits of a vehicle."""
        return self.of_vehicle.get((fleet, vehicle_pk)) or self.of_fleet.get(fleet) or _USUAL_LIMITS

    def action_on(self, event: EventType, fleet: int) -> str:
        """What the event leads to in the fleet."""
        return self.actions.get(fleet, _USUAL_ACTIONS)[event]


def _actions(rules: FleetRules) -> dict[EventType, str]:
    return {event: rules.action_on(event) for event in EventType}


_USUAL_LIMITS, _USUAL_ACTIONS = FleetRules().limits(), _actions(FleetRules())


def rule_book() -> RuleBook:
    """All rules, as they are stored now."""
    of_fleet = {rules.pk: rules for rules in FleetRules.objects.all()}
    by_type: dict[tuple[int, str], Limits] = {}
    for limit in SpeedLimit.objects.filter(rules__in=of_fleet):
        by_type[limit.rules_id, limit.vehicle_type.lower()] = of_fleet[limit.rules_id].limits(limit.limit_kmh)
    typed = Vehicle.objects.filter(fleet__in={fleet for fleet, _ in by_type}, deleted_at=None).exclude(type="")
    rows = typed.values_list("fleet_id", "pk", "type") if by_type else ()
    return RuleBook(
        actions={pk: _actions(rules) for pk, rules in of_fleet.items()},
        of_fleet={pk: rules.limits() for pk, rules in of_fleet.items()},
        of_vehicle={
            (fleet, pk): by_type[fleet, kind.lower()] for fleet, pk, kind in rows if (fleet, kind.lower()) in by_type
        },
    )

"""What stores driving events, and raises alerts from them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone

from v2v.alerts.models import Alert
from v2v.alerts.services import Origin, Report, alert_raise
from v2v.bulk import rows_write, stored_moment
from v2v.driving.daily import daily_touch
from v2v.driving.days import days_of_fleets
from v2v.driving.forms import RulesForm
from v2v.driving.models import Action, DrivingEvent, FleetRules
from v2v.driving.rules import EventType, Found
from v2v.driving.trips import MOVING_MPS
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms, moment
from v2v.vehicles.models import VehicleStatus

log = structlog.get_logger(__name__)

_COLUMNS = ("fleet_id", "vehicle_id", "type", "occurred_at", "day", "lat", "lng", "value", "limit")
_DESERVES = {EventType.CRASH: ("crash", "critical")}  # any other event: a hazard of low severity, to dispatchers
_TOLD_AROUND_M = {EventType.CRASH: 1_000.0}
_LOOK_BACK = timedelta(seconds=120)  # of the step that looks for who went silent
_MAX_OFFLINE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """A driving event of a vehicle, with its primary key and its name."""

    fleet: int
    vehicle_pk: int
    vehicle_id: str
    found: Found


def driving_events_store(events: list[Event]) -> None:
    """Store them in one statement; one that is stored already stays as it is."""
    days = days_of_fleets({event.fleet for event in events})
    rows = [
        (
            event.fleet,
            event.vehicle_pk,
            event.found.type.value,
            stored_moment(event.found.ts),
            days[event.fleet](event.found.ts),
            event.found.lat,
            event.found.lng,
            event.found.value,
            event.found.limit,
        )
        for event in events
        if event.fleet in days  # it was removed meanwhile
    ]
    if rows:
        rows_write(DrivingEvent, _COLUMNS, rows, on_conflict="ON CONFLICT DO NOTHING")
        daily_touch(day=date.fromisoformat(min(row[4] for row in rows)), now=timezone.now())


def driving_alerts_raise(events: list[Event]) -> None:
    """Raise an alert from each; one that was raised already is the same alert again.

    While the database is away this raises its error, and the batch is tried again.
    """
    for event in events:
        try:
            driving_alert_raise(event=event, now=timezone.now())
        except (Refusal, ObjectDoesNotExist):
            log.exception("no alert was raised", vehicle=event.vehicle_id, type=event.found.type.value)


def driving_alert_raise(*, event: Event, now: datetime) -> None:
    """Raise the alert that this event deserves."""
    found = event.found
    kind, severity = _DESERVES.get(found.type, ("hazard", "low"))
    origin = Origin(
        fleet_pk=event.fleet,
        via=Alert.Via.RULE,
        client_id=f"{found.type.value}-{found.ts}",
        vehicle_pk=event.vehicle_pk,
        vehicle_id=event.vehicle_id,
    )
    report = Report(
        type=kind,
        severity=severity,
        message=said_of(found),
        lat=found.lat,
        lng=found.lng,
        fix_at=moment(found.ts),
        radius_m=_TOLD_AROUND_M.get(found.type, 50.0),
        detected_at=moment(found.ts),
    )
    alert_raise(origin=origin, report=report, now=now)


def said_of(found: Found) -> str:
    """The event in words, for the alert's message."""
    label = DrivingEvent.Type(found.type.value).label
    if found.value is None:
        return f"{label} by the vehicle's device."
    match found.type:
        case EventType.CRASH:
            return f"{label}: slowed down by {found.value:.1f} m/s\N{SUPERSCRIPT TWO}, and stands."
        case EventType.OVERSPEED:
            return f"{label}: {found.value * 3.6:.0f} km/h where {found.limit * 3.6:.0f} km/h is the limit."
        case EventType.IDLE | EventType.OFFLINE:
            return f"{label} for {found.value / 60:.0f} min."
    return f"{label}: {found.value:.1f} m/s\N{SUPERSCRIPT TWO}, the limit is {found.limit:.1f}."


@transaction.atomic
def driving_rules_change(*, form: RulesForm, limits: Any) -> None:
    """Store a fleet's rules and its speed limits, which must be valid; servers follow within 10 s."""
    limits.instance = form.save()
    limits.save()


def vehicles_offline_find(now: datetime) -> bool:
    """Note each vehicle that moved when it was last heard, and has been silent for as long as its fleet allows.

    Whoever went silent longer ago is left out, so that a server that was down for an hour does not report the fleet
    that could not reach it. Any number of processes may look: an event is stored once, and so is its alert.
    """
    events: list[Event] = []
    rules_of = {rules.pk: rules for rules in FleetRules.objects.all()}
    spans = {rules.offline_after_s for rules in rules_of.values()} | {FleetRules().offline_after_s}
    for after_s in spans:
        silent_since = now - timedelta(seconds=after_s)
        silent = VehicleStatus.objects.exclude(status=VehicleStatus.Presence.ONLINE).filter(
            last_seen__lte=silent_since,
            last_seen__gt=silent_since - _LOOK_BACK,
            speed__gte=MOVING_MPS,
            lat__isnull=False,
            vehicle__deleted_at=None,
            vehicle__disabled_at=None,
        )
        for status in silent.select_related("vehicle").order_by("pk")[:_MAX_OFFLINE]:
            rules = rules_of.get(status.vehicle.fleet_id, FleetRules())
            if rules.offline_after_s == after_s and rules.on_offline != Action.OFF:
                events.append(_offline(status, rules))
    known = _known(events)
    new = [event for event in events if (event.vehicle_pk, event.found.ts) not in known]
    if new:
        driving_alerts_raise([e for e in new if rules_of.get(e.fleet, FleetRules()).on_offline == Action.ALERT])
        driving_events_store(new)
    return False


def _offline(status: VehicleStatus, rules: FleetRules) -> Event:
    vehicle = status.vehicle
    last_seen, lat, lng = status.last_seen, status.lat, status.lng
    if last_seen is None or lat is None or lng is None:
        raise ValueError("a vehicle that was never heard is not silent")
    seconds = float(rules.offline_after_s)
    found = Found(EventType.OFFLINE, epoch_ms(last_seen), lat, lng, seconds, seconds)
    return Event(vehicle.fleet_id, vehicle.pk, vehicle.vehicle_id, found)


def _known(events: list[Event]) -> set[tuple[int, int]]:
    stored = DrivingEvent.objects.filter(
        type=EventType.OFFLINE.value, vehicle__in=[event.vehicle_pk for event in events]
    ).filter(occurred_at__in=[moment(event.found.ts) for event in events])
    return {(vehicle, epoch_ms(at)) for vehicle, at in stored.values_list("vehicle_id", "occurred_at")}

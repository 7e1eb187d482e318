"""What a replay reads, as its viewer may see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from v2v.alerts.models import Alert
from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.replay.columns import Fix
from v2v.tracking.history import positions_of
from v2v.vehicles.models import Vehicle

MAX_VEHICLES = 20
MAX_SPAN = timedelta(hours=25)  # the longest day: the one on which clocks go back
CHUNK = 20_000  # fixes in one answer: a day at a fix every 5 s
SUGGESTIONS = 20
BEFORE_ALERT, AFTER_ALERT = timedelta(minutes=10), timedelta(minutes=5)
_ROUND_ALERT = 9  # vehicles beside the sender that a replay of an alert begins with


@dataclass(frozen=True, slots=True)
class Chunk:
    """Fixes of one vehicle in order of time; `next_start` is where the next chunk begins, if there is more."""

    fixes: list[Fix]
    next_start: datetime | None


def vehicles_replayed(actor: Actor) -> QuerySet[Vehicle]:
    """The vehicles that the actor may replay: also those that were deleted since, for what they did is still asked."""
    return Vehicle.objects.filter(within(actor, Action.VIEW)).select_related("fleet")


def vehicles_suggested(*, actor: Actor, text: str) -> list[Vehicle]:
    """The first vehicles whose callsign holds the text; those that were deleted must be named in full."""
    found = vehicles_replayed(actor).filter(vehicle_id__icontains=text, deleted_at=None)
    return list(found.order_by("vehicle_id")[:SUGGESTIONS])


def chunk_of(*, actor: Actor, vehicle_id: str, start: datetime, end: datetime, size: int = CHUNK) -> Chunk:
    """The vehicle's fixes from `start` on, before `end`, at most `size` of them."""
    found = positions_of(actor=actor, vehicle_ids=[vehicle_id], start=start, end=end).order_by("recorded_at")
    rows = list(found.values_list("recorded_at", "lat", "lng", "speed", "heading")[: size + 1])
    fixes = [Fix(*row) for row in rows[:size]]
    return Chunk(fixes, rows[size][0] if len(rows) > size else None)


def vehicles_round(alert: Alert) -> list[str]:
    """Callsigns to replay an alert with: its sender, and the first of those whom it concerned, if it had a radius."""
    callsigns = [alert.sender.vehicle_id] if alert.sender else []
    if alert.radius_m:
        told = alert.recipients.exclude(vehicle=alert.sender).select_related("vehicle")[:_ROUND_ALERT]
        callsigns += [recipient.vehicle.vehicle_id for recipient in told]
    return callsigns

"""Trips from stored positions: a little at a time, each vehicle from where it was left; anew where late ones came."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.functions import Coalesce

from v2v.driving import trips
from v2v.driving.daily import daily_touch
from v2v.driving.days import Days, days_of_fleets
from v2v.driving.models import DrivingWork, Trip, TripPart, TripProgress
from v2v.fleets.models import Fleet
from v2v.protocol.epoch import epoch_ms, moment
from v2v.tracking.models import Position, PositionConflict
from v2v.vehicles.models import Vehicle

_NAME = "trips"
EVERY_S = 30.0
_LEASE = timedelta(minutes=5)  # of a step whose process has died; two at once come to the same rows
# What came within the last seconds may still be overtaken by another batch of the queue, or by another writer.
SETTLED = timedelta(seconds=15)
# At once, in one transaction: about a third of a second, for which other periodic work waits.
_VEHICLES = 100
_FIXES = 20_000
_LATE = 1_000
_BEGIN = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_FIX = ("recorded_at", "lat", "lng", "speed", "accuracy", "fleet_id")
_TRIP = ("fleet_id", "ended_at", "end_lat", "end_lng", "distance_m", "moving_s", "idle_s", "top_mps", "is_open")
_PART = ("fleet_id", "distance_m", "moving_s", "idle_s", "top_mps", "trips", "stops")


def trips_step(now: datetime) -> bool:
    """Bring the trips of all vehicles up to date, every 30 s in the whole system, a bounded piece at a time.

    It never says that there is more: other periodic work has its turn before the next piece.
    """
    work, _ = DrivingWork.objects.get_or_create(name=_NAME, defaults={"due_at": now})
    if work.due_at > now or not DrivingWork.objects.filter(pk=_NAME, due_at=work.due_at).update(due_at=now + _LEASE):
        return False  # not yet, or another process got there first
    pause = timedelta(seconds=EVERY_S)
    try:
        if _late_take_back(now) | trips_advance(until=now - SETTLED):
            pause = timedelta()
    finally:
        DrivingWork.objects.filter(pk=_NAME).update(due_at=now + pause)
    return False


def trips_advance(*, until: datetime) -> bool:
    """Work the next positions of some vehicles through; whether there are more."""
    done = Coalesce(OuterRef("trip_progress__done_until"), Value(_BEGIN))
    newer = Position.objects.filter(vehicle=OuterRef("pk"), recorded_at__gt=done, recorded_at__lte=until)
    waiting = Vehicle.objects.filter(Exists(newer)).order_by(F("trip_progress__done_until").asc(nulls_first=True))
    vehicles = list(waiting.values_list("pk", flat=True)[: _VEHICLES + 1])
    stored = {progress.pk: progress for progress in TripProgress.objects.filter(pk__in=vehicles)}
    days = days_of_fleets(set(Fleet.objects.values_list("pk", flat=True)))
    batch, room = _Batch(), _FIXES
    for number, vehicle in enumerate(vehicles):
        if number == _VEHICLES or room <= 0:
            break
        room -= _vehicle_advance(vehicle, stored.get(vehicle), until, days, batch, room)
    else:
        batch.store()
        return room <= 0
    batch.store()
    return True


@dataclass(slots=True)
class _Batch:
    """What was found of some vehicles: their trips, and how far they are worked through."""

    found: list[tuple[int, trips.Trip, bool]] = field(default_factory=list)  # vehicle, trip, is open
    progress: list[TripProgress] = field(default_factory=list)

    @transaction.atomic
    def store(self) -> None:
        """In one transaction; what is there already is brought up to date."""
        newest = {(vehicle, trip.start.ts): (vehicle, trip, is_open) for vehicle, trip, is_open in self.found}
        rows = [(_trip_row(*found), found) for found in newest.values()]
        Trip.objects.bulk_create(
            [row for row, _ in rows],
            update_conflicts=True,
            unique_fields=["vehicle", "started_at"],
            update_fields=list(_TRIP),
        )
        parts = [part for row, (_, trip, _) in rows for part in _part_rows(row, trip)]
        TripPart.objects.bulk_create(
            parts, update_conflicts=True, unique_fields=["trip", "day"], update_fields=list(_PART)
        )
        TripProgress.objects.bulk_create(
            self.progress,
            update_conflicts=True,
            unique_fields=["vehicle"],
            update_fields=["done_until", "state"],
        )
        if parts:
            first = min(part.day for part in parts)
            daily_touch(day=first, now=self.progress[0].done_until)


def _vehicle_advance(
    vehicle: int, stored: TripProgress | None, until: datetime, days: dict[int, Days], batch: _Batch, room: int
) -> int:
    """Work up to `room` positions through; how many there were."""
    fixes = _fixes(vehicle, after=stored.done_until if stored else _BEGIN, until=until, count=room)
    progress = msgspec.json.decode(bytes(stored.state), type=trips.Progress) if stored else None
    for fix in fixes:
        if progress is None:
            progress = trips.begun(fix)
        elif (over := trips.advance(progress, fix, days[fix.fleet])) is not None:
            batch.found.append((vehicle, over, False))
    if progress is not None and fixes:
        if (trip := trips.under_way(progress)) is not None:
            batch.found.append((vehicle, trip, True))
        state = msgspec.json.encode(progress)
        batch.progress.append(TripProgress(vehicle_id=vehicle, done_until=moment(fixes[-1].ts), state=state))
    return len(fixes)


def _fixes(vehicle: int, *, after: datetime, until: datetime, count: int) -> list[trips.Fix]:
    positions = Position.objects.filter(vehicle=vehicle, recorded_at__gt=after, recorded_at__lte=until)
    rows = positions.order_by("recorded_at").values_list(*_FIX)[:count]
    return [trips.Fix(epoch_ms(at), *rest) for at, *rest in rows]


def _trip_row(vehicle: int, trip: trips.Trip, is_open: bool) -> Trip:
    return Trip(
        fleet_id=trip.fleet,
        vehicle_id=vehicle,
        started_at=moment(trip.start.ts),
        ended_at=moment(trip.end.ts),
        start_lat=trip.start.lat,
        start_lng=trip.start.lng,
        end_lat=trip.end.lat,
        end_lng=trip.end.lng,
        distance_m=trip.distance_m,
        moving_s=sum(part.moving_s for part in trip.parts),
        idle_s=sum(part.idle_s for part in trip.parts),
        top_mps=max(part.top_mps for part in trip.parts),
        is_open=is_open,
    )


def _part_rows(row: Trip, trip: trips.Trip) -> Iterable[TripPart]:
    for number, part in enumerate(trip.parts, 1):
        yield TripPart(
            trip=row,
            fleet_id=row.fleet_id,
            vehicle_id=row.vehicle_id,
            day=date.fromisoformat(part.day),
            distance_m=part.distance_m,
            moving_s=part.moving_s,
            idle_s=part.idle_s,
            top_mps=part.top_mps,
            trips=int(number == 1),
            stops=int(number == len(trip.parts) and not row.is_open),
        )


# ---- Late positions


def _late_take_back(now: datetime) -> bool:
    """Take back the trips of vehicles of which late positions were stored, from the last one that they leave alone."""
    work = DrivingWork.objects.get(pk=_NAME)
    late = PositionConflict.objects.filter(
        id__gt=work.cursor, received_at__lte=now - SETTLED, kind=PositionConflict.Kind.LATE
    )
    rows = list(late.order_by("id").values_list("id", "vehicle_id", "recorded_at")[:_LATE])
    earliest: defaultdict[int, list[datetime]] = defaultdict(list)
    for _, vehicle, recorded_at in rows:
        earliest[vehicle].append(recorded_at)
    for vehicle, moments in earliest.items():
        trips_take_back(vehicle=vehicle, since=min(moments), now=now)
    if rows:
        DrivingWork.objects.filter(pk=_NAME).update(cursor=rows[-1][0])
    return len(rows) == _LATE


@transaction.atomic
def trips_take_back(*, vehicle: int, since: datetime, now: datetime) -> None:
    """Forget the vehicle's trips that a position of that moment may touch; the next step finds them anew.

    The last trip that began before it may go on otherwise, and what stood behind the one before that has been decided.
    """
    if not TripProgress.objects.filter(vehicle=vehicle, done_until__gte=since).exists():
        return  # it is worked through in its place
    mine = Trip.objects.filter(vehicle=vehicle)
    kept = mine.filter(started_at__lt=since).order_by("-started_at")[1:2].first()
    gone = mine if kept is None else mine.filter(started_at__gt=kept.started_at)
    parts = TripPart.objects.filter(trip__in=gone)
    if (first := parts.order_by("day").values_list("day", flat=True).first()) is not None:
        daily_touch(day=first, now=now)
    gone.delete()
    if kept is None:
        TripProgress.objects.filter(vehicle=vehicle).delete()
        return
    place = trips.Place(epoch_ms(kept.ended_at), kept.end_lat, kept.end_lng)
    progress = trips.resumed(trips.Trip(kept.fleet_id, place, place, []))
    state = msgspec.json.encode(progress)
    TripProgress.objects.filter(vehicle=vehicle).update(done_until=kept.ended_at, state=state)

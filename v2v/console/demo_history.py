"""The demo's past: days that some of its trucks have driven, so that trips and analytics have something to show."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import time as time_of_day

from django.db import transaction

from v2v.client.simulation.truck import Truck
from v2v.driving.models import FleetRules, SpeedLimit
from v2v.driving.rules import Drive, look
from v2v.driving.selectors import rule_book
from v2v.driving.services import Event, driving_events_store
from v2v.fleets.models import Fleet
from v2v.protocol.epoch import epoch_ms
from v2v.tracking.live import Fix
from v2v.tracking.models import Position, Source
from v2v.tracking.records import record_of
from v2v.tracking.storage import positions_store
from v2v.vehicles.demo import PREFIX
from v2v.vehicles.models import Vehicle

TRUCKS, DAYS = 5, 3
BEGIN, HOURS = time_of_day(7, 30), 4
EVERY_S = 10  # a position is kept; the truck drives, and is judged, every second
SPEED_LIMIT_KMH, VAN_LIMIT_KMH = 80, 100  # the first is that of trucks on the main roads of Dubai
SEED = 1  # other ways than those that the trucks drive live


@transaction.atomic
def demo_rules_make() -> None:
    """Give the demo fleet its speed limits, unless somebody has made rules for it."""
    fleet = Fleet.objects.get(slug="demo")
    rules, is_new = FleetRules.objects.get_or_create(fleet=fleet, defaults={"speed_limit_kmh": SPEED_LIMIT_KMH})
    if is_new:
        SpeedLimit.objects.create(rules=rules, vehicle_type="van", limit_kmh=VAN_LIMIT_KMH)


def demo_history_make(*, now: datetime) -> int:
    """Store the past, unless there is one; how many positions. The scheduler makes trips of them."""
    fleet = Fleet.objects.get(slug="demo")
    today = now.astimezone(fleet.zone).date()
    midnight = datetime.combine(today, time_of_day.min, fleet.zone)
    vehicles = Vehicle.objects.filter(fleet=fleet, vehicle_id__startswith=PREFIX, deleted_at=None)
    if Position.objects.filter(vehicle__in=vehicles, recorded_at__lt=midnight).exists():
        return 0
    trucks = [(vehicle, Truck(vehicle.vehicle_id, seed=SEED)) for vehicle in vehicles.order_by("vehicle_id")]
    trucks.sort(key=lambda each: not each[1].is_hurried)  # there is more to tell of those who hurry
    chosen = [*trucks[: TRUCKS // 2], *trucks[len(trucks) // 2 :][: TRUCKS - TRUCKS // 2]]
    count = 0
    for days_ago in range(DAYS, 0, -1):
        begin = datetime.combine(today - timedelta(days=days_ago), BEGIN, fleet.zone)
        count += sum(_day_store(vehicle, truck, begin, now) for vehicle, truck in chosen)
    return count


def _day_store(vehicle: Vehicle, truck: Truck, begin: datetime, now: datetime) -> int:
    limits, drive = rule_book().limits(vehicle.fleet_id, vehicle.pk), Drive()
    records, events = [], []
    for second, fix in enumerate(_driven(truck, begin)):
        events += [Event(vehicle.fleet_id, vehicle.pk, vehicle.vehicle_id, each) for each in look(drive, fix, limits)]
        if second % EVERY_S == 0:
            known = {"vehicle": vehicle.pk, "fleet": vehicle.fleet_id, "received_ts": epoch_ms(now)}
            records.append(record_of(fix, source=Source.SOCKET, conflict=None, **known))
    driving_events_store(events)
    return positions_store(records)


def _driven(truck: Truck, begin: datetime) -> Iterator[Fix]:
    """The seconds of a day: it drives from hub to hub, and parks at some of them for longer than the live ones do."""
    dice = random.Random(f"{truck.vehicle_id} {begin.date()}")  # noqa: S311 - a seed is the point
    parked_s, was_moving = 0, False
    for second in range(HOURS * 3600):
        if parked_s > 0:
            parked_s -= 1
        else:
            truck.advance(1.0)
            if was_moving and truck.speed == 0:
                parked_s = dice.choice((0, 600, 1_500))
            was_moving = truck.speed > 0
        lat, lng = truck.position
        ts, speed, heading = epoch_ms(begin) + second * 1000, round(truck.speed, 1), round(truck.heading, 1)
        yield Fix(lat=round(lat, 6), lng=round(lng, 6), ts=ts, received_at=0.0, speed=speed, heading=heading)

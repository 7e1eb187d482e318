"""Trips from stored positions, and the figures of days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.integration.driving.conftest import drive, positions_of
from tests.integration.people import NOW, fleet_make, vehicle_make
from v2v.driving.daily import daily_refresh, daily_touch
from v2v.driving.models import DailyFigures, DrivingEvent, DrivingWork, Trip, TripPart, TripProgress
from v2v.driving.trip_services import EVERY_S, SETTLED, trips_step
from v2v.fleets.models import Fleet
from v2v.tracking.models import Position, PositionConflict
from v2v.vehicles.models import Vehicle

LATER = NOW + timedelta(hours=6)


def step(now: datetime = LATER) -> None:
    """The step, as often as it says that there is more."""
    for _ in range(50):
        trips_step(now)
        if DrivingWork.objects.get(pk="trips").due_at > now:
            DrivingWork.objects.filter(pk="trips").update(due_at=now)
            return
    raise AssertionError("it never ends")


def rows() -> list[tuple[Any, ...]]:
    """All that is stored of trips, without its keys."""
    trips = Trip.objects.order_by("vehicle", "started_at")
    columns = ("vehicle", "started_at", "ended_at", "distance_m", "moving_s", "idle_s", "top_mps", "is_open")
    parts = TripPart.objects.order_by("vehicle", "trip__started_at", "day")
    return [*trips.values_list(*columns), *parts.values_list("vehicle", "day", "distance_m", "trips", "stops")]


def late(position: Position, received_at: datetime) -> None:
    """The position comes after newer ones."""
    position.received_at = received_at
    position.save(force_insert=True)
    stood = {"stood_at": NOW, "stood_lat": 25.0, "stood_lng": 55.0}
    columns = ("vehicle", "fleet", "recorded_at", "received_at", "lat", "lng", "source")
    PositionConflict.objects.create(kind="late", **stood, **{name: getattr(position, name) for name in columns})


def test_a_drive_becomes_trips_with_their_places_and_figures(truck: Vehicle) -> None:
    positions = drive(truck, (600, 15), (320, 0), (300, 20), (320, 0))
    step()
    later, earlier = Trip.objects.all()
    assert (earlier.started_at, earlier.ended_at) == (NOW, NOW + timedelta(seconds=610))
    assert (earlier.start_lat, earlier.end_lat) == (positions[0].lat, pytest.approx(positions[60].lat))
    assert earlier.distance_m == pytest.approx(9_000, rel=0.001)
    assert (earlier.top_mps, earlier.is_open) == (15, False)
    assert later.top_mps == 20


def test_an_open_trip_grows_until_it_is_over(truck: Vehicle) -> None:
    drive(truck, (600, 15), (320, 0))
    step(NOW + timedelta(seconds=300))
    trip = Trip.objects.get()
    assert (trip.is_open, round(trip.distance_m)) == (True, pytest.approx(4_275, abs=160))
    step()
    trip.refresh_from_db()
    assert (trip.is_open, round(trip.distance_m)) == (False, pytest.approx(9_000, abs=10))


def test_in_small_pieces_it_comes_to_the_same_as_at_once(truck: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(truck, (600, 15), (100, 0), (300, 8), (400, 0), (900, 25), (200, 0))
    step()
    at_once = rows()
    TripProgress.objects.all().delete()
    Trip.objects.all().delete()
    monkeypatch.setattr("v2v.driving.trip_services._FIXES", 7)
    step()
    assert rows() == at_once
    assert len(at_once) == 4


def test_a_step_does_its_work_once_and_not_before_its_time(truck: Vehicle) -> None:
    drive(truck, (600, 15))
    trips_step(LATER)
    assert DrivingWork.objects.get(pk="trips").due_at == LATER + timedelta(seconds=EVERY_S)
    Trip.objects.all().delete()
    TripProgress.objects.all().delete()
    trips_step(LATER + timedelta(seconds=EVERY_S - 1))
    assert not Trip.objects.exists()


def test_what_has_just_come_waits_until_it_has_settled(truck: Vehicle) -> None:
    drive(truck, (600, 15))
    step(NOW + SETTLED - timedelta(seconds=1))
    assert not TripProgress.objects.exists()


@pytest.mark.parametrize("missing", [(20, 40), (58, 70), (92, 110), (150, 200), (0, 30)], ids=str)
def test_late_positions_make_the_trips_anew_as_if_they_had_come_in_time(
    truck: Vehicle, missing: tuple[int, int]
) -> None:
    stretches = ((600, 15), (320, 0), (500, 20), (320, 0), (700, 10), (320, 0))
    positions = positions_of(truck, *stretches)
    Position.objects.bulk_create(positions)
    step()
    wanted = rows()
    Position.objects.all().delete()
    TripProgress.objects.all().delete()
    Trip.objects.all().delete()
    begin, end = missing
    Position.objects.bulk_create([*positions[:begin], *positions[end:]])
    step()
    for position in positions[begin:end]:
        late(position, LATER)
    step(LATER + timedelta(minutes=1))
    assert rows() == wanted


def test_a_late_position_touches_its_own_vehicle_only(truck: Vehicle, fleet: Fleet) -> None:
    other = vehicle_make(fleet, "truck-2")
    for vehicle in (truck, other):
        drive(vehicle, (600, 15), (320, 0))
    step()
    kept = Trip.objects.get(vehicle=other).pk
    late(positions_of(truck, begin=NOW + timedelta(seconds=305))[0], LATER)
    step(LATER + timedelta(minutes=1))
    assert Trip.objects.get(vehicle=other).pk == kept
    assert Trip.objects.filter(vehicle=truck).count() == 1


# ---- Days


def figures() -> list[tuple[Any, ...]]:
    rows = DailyFigures.objects.order_by("day", "vehicle")
    return [(str(row.day), round(row.distance_m / 1000), row.trips, row.stops, row.events) for row in rows]


def event(vehicle: Vehicle, kind: str, at: datetime, day: date) -> None:
    DrivingEvent.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, type=kind, occurred_at=at, day=day, value=5.0, limit=4.4
    )


def test_days_are_those_of_the_fleets_time_zone(truck: Vehicle) -> None:
    midnight = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)  # in Dubai
    drive(truck, (600, 15), (320, 0), begin=midnight - timedelta(minutes=5))
    step()
    event(truck, "harsh_braking", midnight, date(2026, 11, 25))
    daily_touch(day=date(2026, 11, 25), now=NOW)
    assert daily_refresh(LATER)
    assert figures() == [("2026-11-24", 4, 1, 0, 0), ("2026-11-25", 5, 0, 1, 1)]


def test_figures_are_refreshed_when_something_changed_and_for_the_days_that_did(truck: Vehicle) -> None:
    assert not daily_refresh(LATER)
    drive(truck, (600, 15), (320, 0))
    step()
    assert daily_refresh(LATER)
    assert not daily_refresh(LATER + timedelta(hours=1))
    drive(truck, (300, 20), (320, 0), begin=NOW + timedelta(hours=1), north=9_000)
    step(LATER + timedelta(hours=1))
    assert daily_refresh(LATER + timedelta(hours=1))
    assert figures() == [("2026-11-25", 15, 2, 2, 0)]


def test_a_day_with_events_alone_has_figures(truck: Vehicle) -> None:
    event(truck, "overspeed", NOW, NOW.date())
    event(truck, "harsh_cornering", NOW, NOW.date())
    daily_touch(day=NOW.date(), now=NOW)
    daily_refresh(LATER)
    row = DailyFigures.objects.get()
    assert (row.overspeeds, row.harsh_events, row.events, row.distance_m) == (1, 1, 2, 0)


def test_a_refresh_that_fails_is_done_again(truck: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(truck, (600, 15), (320, 0))
    step()

    def fails(**_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("v2v.driving.daily._refresh", fails)
        with pytest.raises(RuntimeError):
            daily_refresh(LATER)
    assert daily_refresh(LATER + timedelta(minutes=10))
    assert len(figures()) == 1


def test_a_vehicle_that_changes_fleets_has_figures_in_both(truck: Vehicle) -> None:
    south = fleet_make("south")
    drive(truck, (600, 15))
    truck.fleet = south
    drive(truck, (600, 15), (320, 0), begin=NOW + timedelta(seconds=610), north=9_000)
    step()
    daily_refresh(LATER)
    assert sorted(DailyFigures.objects.values_list("fleet__slug", "trips")) == [("north", 1), ("south", 1)]

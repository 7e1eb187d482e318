"""Events stored, alerts raised, vehicles that went silent."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.people import NOW, vehicle_make
from v2v.alerts.models import Alert
from v2v.driving.daily import daily_refresh
from v2v.driving.models import Action, DailyFigures, DrivingEvent, FleetRules, SpeedLimit
from v2v.driving.rules import EventType, Found
from v2v.driving.selectors import rule_book
from v2v.driving.services import (
    Event,
    driving_alerts_raise,
    driving_events_store,
    said_of,
    vehicles_offline_find,
)
from v2v.fleets.models import Fleet
from v2v.protocol.epoch import epoch_ms
from v2v.vehicles.models import Vehicle, VehicleStatus

NOW_MS = epoch_ms(NOW)


def found(kind: EventType = EventType.HARSH_BRAKING, **changes: Any) -> Found:
    return Found(kind, NOW_MS, 25.0, 55.0, 5.2, 4.4)._replace(**changes)


def event(vehicle: Vehicle, **changes: Any) -> Event:
    return Event(vehicle.fleet_id, vehicle.pk, vehicle.vehicle_id, found(**changes))


def test_an_event_is_stored_once_on_the_day_of_its_fleet(truck: Vehicle) -> None:
    evening = NOW_MS + 9 * 3_600_000  # 21:00 UTC, past midnight in Dubai
    driving_events_store([event(truck, ts=evening), event(truck, ts=evening)])
    driving_events_store([event(truck, ts=evening, value=9.9)])
    stored = DrivingEvent.objects.get()
    assert (stored.type, stored.value, stored.limit, stored.lat) == ("harsh_braking", 5.2, 4.4, 25.0)
    assert (str(stored.day), stored.fleet) == ("2026-11-26", truck.fleet)
    assert epoch_ms(stored.occurred_at) == evening
    daily_refresh(datetime.now(NOW.tzinfo) + timedelta(days=1))
    assert DailyFigures.objects.get().harsh_events == 1


def test_events_of_a_fleet_that_is_gone_do_not_hold_up_the_others(truck: Vehicle) -> None:
    driving_events_store([Event(999_999, truck.pk, "truck-1", found()), event(truck)])
    assert DrivingEvent.objects.count() == 1


def test_a_suspected_crash_is_a_critical_alert_once(truck: Vehicle) -> None:
    crash = event(truck, type=EventType.CRASH, value=20.0)
    driving_alerts_raise([crash, crash])
    driving_alerts_raise([crash])
    alert = Alert.objects.get()
    assert (alert.type, alert.severity, alert.via, alert.sender) == ("crash", "critical", "rule", truck)
    assert (alert.lat, alert.lng, alert.detected_at, alert.fix_at) == (25.0, 55.0, NOW, NOW)
    assert alert.message == "Crash suspected: slowed down by 20.0 m/s², and stands."


def test_another_event_is_a_hazard_of_low_severity_near_it(truck: Vehicle) -> None:
    driving_alerts_raise([event(truck, type=EventType.OVERSPEED, value=30.0, limit=25.0)])
    alert = Alert.objects.get()
    assert (alert.type, alert.severity, alert.radius_m) == ("hazard", "low", 50.0)
    assert alert.message == "Overspeed: 108 km/h where 90 km/h is the limit."


@pytest.mark.parametrize("kind", list(EventType))
def test_each_event_has_words_with_and_without_a_value(kind: EventType) -> None:
    assert said_of(found(kind))
    assert said_of(found(kind, value=None)).endswith("by the vehicle's device.")


def test_an_alert_that_cannot_be_raised_does_not_hold_up_the_next(truck: Vehicle) -> None:
    driving_alerts_raise([Event(999_999, 999_999, "nobody", found(EventType.CRASH)), event(truck)])
    assert Alert.objects.count() == 1


# ---- Rules


def test_each_vehicle_has_the_limit_of_its_type_in_its_fleet(truck: Vehicle, fleet: Fleet) -> None:
    van, other = vehicle_make(fleet, "van-1", type="van"), vehicle_make(fleet, "car-1")
    rules = FleetRules.objects.create(fleet=fleet, speed_limit_kmh=100, braking=3.5, on_idle=Action.OFF)
    SpeedLimit.objects.create(rules=rules, vehicle_type="Truck", limit_kmh=80)
    book = rule_book()
    speeds = [round(book.limits(fleet.pk, vehicle.pk).speed * 3.6) for vehicle in (truck, van, other)]
    assert speeds == [80, 100, 100]
    assert book.limits(fleet.pk, truck.pk).braking == 3.5
    assert book.action_on(EventType.IDLE, fleet.pk) == Action.OFF
    assert book.action_on(EventType.IDLE, fleet.pk + 1) == Action.EVENT
    assert round(book.limits(fleet.pk + 1, truck.pk).speed * 3.6) == 130


# ---- Offline


def silent(vehicle: Vehicle, seconds: float, **changes: Any) -> None:
    columns: dict[str, Any] = {"status": "offline", "speed": 20.0, "lat": 25.0, "lng": 55.0} | changes
    VehicleStatus.objects.create(vehicle=vehicle, last_seen=NOW - timedelta(seconds=seconds), **columns)


def offline() -> list[tuple[str, int]]:
    vehicles_offline_find(NOW)
    vehicles_offline_find(NOW + timedelta(seconds=30))
    events = DrivingEvent.objects.filter(type="offline").order_by("vehicle")
    return [(event.vehicle.vehicle_id, round((NOW - event.occurred_at).total_seconds())) for event in events]


def test_a_vehicle_that_moved_and_went_silent_is_noted_once(truck: Vehicle) -> None:
    silent(truck, 610)
    assert offline() == [("truck-1", 610)]
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"seconds": 500}, {"seconds": 3_600}, {"speed": 0.5}, {"speed": None}, {"status": "online"}],
    ids=["not long enough", "while the server was down", "parked", "no speed", "online"],
)
def test_others_are_not(truck: Vehicle, changes: dict[str, Any]) -> None:
    silent(truck, **{"seconds": 610, **changes})
    assert offline() == []


def test_a_fleet_may_wait_less_and_want_an_alert(truck: Vehicle, fleet: Fleet) -> None:
    FleetRules.objects.create(fleet=fleet, offline_after_s=180, on_offline=Action.ALERT)
    silent(truck, 200)
    assert offline() == [("truck-1", 200)]
    assert Alert.objects.get().message == "Offline for 3 min."


def test_a_fleet_may_want_nothing(truck: Vehicle, fleet: Fleet) -> None:
    FleetRules.objects.create(fleet=fleet, on_offline=Action.OFF)
    silent(truck, 610)
    assert offline() == []

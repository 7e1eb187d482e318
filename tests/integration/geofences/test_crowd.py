"""Too few vehicles in a geofence: told once, until there are enough again."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.people import NOW, fleet_make, vehicle_make
from v2v.alerts.models import Alert
from v2v.geofences.crowd import crowds_look
from v2v.geofences.models import Geofence, GeofenceEvent, GeofencePresence
from v2v.geofences.services import geofence_create, geofence_update
from v2v.vehicles.models import Vehicle, VehicleStatus

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def depot(**more: Any) -> Geofence:
    rules = {"on_too_few": "high", "minimum_inside": 2, "too_few_minutes": 5, **more}
    geometry = {"type": "Point", "coordinates": [55.0, 25.0]}
    return geofence_create(
        fleet=fleet_make(), by="amina", now=NOW, name="Depot", kind="circle", geometry=geometry, radius_m=500.0, **rules
    )


def put_inside(geofence: Geofence, name: str) -> Vehicle:
    vehicle = vehicle_make(geofence.fleet, name)
    VehicleStatus.objects.create(vehicle=vehicle, status="online")
    GeofencePresence.objects.create(geofence=geofence, vehicle=vehicle, since=NOW)
    return vehicle


def look(*moments: datetime) -> list[tuple[str, float | None]]:
    """What is stored after a look at each moment, oldest first."""
    for moment in moments:
        crowds_look(moment)
    return list(GeofenceEvent.objects.order_by("id").values_list("type", "value"))


def test_too_few_are_told_once_they_have_been_for_long_enough_and_once() -> None:
    geofence = depot()
    put_inside(geofence, "truck-1")
    assert look(NOW, NOW + 4 * MINUTE) == []
    assert look(NOW + 5 * MINUTE, NOW + 6 * MINUTE, NOW + 60 * MINUTE) == [("too_few", 1.0)]
    alert = Alert.objects.get()
    assert (alert.via, alert.severity, alert.sender, alert.raised_by) == ("rule", "high", None, None)
    assert (alert.message, alert.sender_name) == ("1 vehicles in Depot, where at least 2 should be.", "rule")
    assert alert.detected_at == NOW


def test_enough_again_is_told_and_the_next_time_is_another() -> None:
    geofence = depot()
    put_inside(geofence, "truck-1")
    look(NOW, NOW + 5 * MINUTE)
    second = put_inside(geofence, "truck-2")
    assert look(NOW + 6 * MINUTE) == [("too_few", 1.0), ("enough", 2.0)]
    VehicleStatus.objects.filter(vehicle=second).update(status="offline")
    assert look(NOW + 7 * MINUTE, NOW + 11 * MINUTE) == [("too_few", 1.0), ("enough", 2.0)]
    assert look(NOW + 12 * MINUTE)[2:] == [("too_few", 1.0)]
    assert Alert.objects.count() == 2


def test_a_moment_with_enough_begins_the_wait_anew() -> None:
    geofence = depot(minimum_inside=1)
    look(NOW)
    vehicle = put_inside(geofence, "truck-1")
    look(NOW + 4 * MINUTE)
    GeofencePresence.objects.filter(vehicle=vehicle).delete()
    assert look(NOW + 5 * MINUTE, NOW + 9 * MINUTE) == []
    assert look(NOW + 10 * MINUTE) == [("too_few", 0.0)]


def test_outside_of_its_hours_nobody_is_missed() -> None:
    hours = {"begins": (NOW + 10 * MINUTE).time(), "ends": (NOW + 60 * MINUTE).time()}
    depot(**hours)
    assert look(NOW, NOW + 9 * MINUTE, NOW + 11 * MINUTE) == []
    assert look(NOW + 16 * MINUTE, NOW + 61 * MINUTE) == [("too_few", 0.0)]
    assert Geofence.objects.get().too_few_told_at is None


def test_another_minimum_begins_anew() -> None:
    geofence = depot()
    look(NOW, NOW + 5 * MINUTE)
    geofence_update(geofence=geofence, version=1, by="amina", now=NOW, minimum_inside=1)
    assert look(NOW + 6 * MINUTE, NOW + 10 * MINUTE) == [("too_few", 0.0)]
    assert look(NOW + 11 * MINUTE) == [("too_few", 0.0), ("too_few", 0.0)]


def test_without_the_rule_nobody_looks() -> None:
    depot(on_too_few="none")
    assert look(NOW, NOW + 60 * MINUTE) == []

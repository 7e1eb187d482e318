"""The days that the demo fleet has driven before it is first seen."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.people import NOW, vehicle_make
from v2v.console import demo_history
from v2v.console.demo_history import demo_history_make, demo_rules_make
from v2v.driving.models import FleetRules, SpeedLimit, Trip
from v2v.driving.trip_services import trips_advance
from v2v.fleets.models import Fleet
from v2v.tracking.models import Position

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet() -> Fleet:
    fleet = Fleet.objects.create(slug="demo", name="Demo", time_zone="Asia/Dubai")
    for number in range(1, 9):
        vehicle_make(fleet, f"truck-{number:03d}")
    return fleet


def test_some_trucks_have_driven_some_days_before_today_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_history, "HOURS", 1)
    demo_rules_make()
    count = demo_history_make(now=NOW)
    assert count == demo_history.TRUCKS * demo_history.DAYS * 360
    newest: Any = Position.objects.order_by("-recorded_at").first()
    assert NOW - timedelta(days=2) < newest.recorded_at < NOW - timedelta(hours=12)
    assert demo_history_make(now=NOW) == 0
    while trips_advance(until=NOW):
        pass
    assert Trip.objects.values("vehicle").distinct().count() == demo_history.TRUCKS


def test_rules_that_somebody_has_made_stay(fleet: Fleet) -> None:
    demo_rules_make()
    SpeedLimit.objects.all().delete()
    FleetRules.objects.update(speed_limit_kmh=70)
    demo_rules_make()
    assert FleetRules.objects.get().speed_limit_kmh == 70
    assert not SpeedLimit.objects.exists()

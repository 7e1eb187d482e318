"""A fleet in Dubai with a truck, and positions of a drive."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.integration.people import NOW, fleet_make, vehicle_make
from v2v.fleets.models import Fleet
from v2v.tracking.models import Position, Source
from v2v.vehicles.models import Vehicle

METERS = 1 / 111_195  # in degrees of latitude
Stretch = tuple[float, float]  # seconds, meters per second
Drive = Callable[..., list[Position]]


@pytest.fixture
def fleet(db: None) -> Fleet:
    fleet = fleet_make("north")
    fleet.time_zone = "Asia/Dubai"
    fleet.save()
    return fleet


@pytest.fixture
def truck(fleet: Fleet) -> Vehicle:
    return vehicle_make(fleet, "truck-1", driver_name="Amina Noor", type="truck")


def positions_of(
    vehicle: Vehicle, *stretches: Stretch, begin: datetime = NOW, every_s: float = 10.0, north: float = 0.0
) -> list[Position]:
    """A drive to the north, for so many seconds at each speed."""
    at, rows = begin, []
    for seconds, speed in ((0.0, 0.0), *stretches):
        for _ in range(max(1, round(seconds / every_s))):
            at += timedelta(seconds=every_s) if seconds else timedelta()
            north += speed * every_s
            rows.append(
                Position(
                    vehicle=vehicle,
                    fleet_id=vehicle.fleet_id,
                    recorded_at=at,
                    received_at=at,
                    lat=25 + north * METERS,
                    lng=55.0,
                    speed=speed,
                    cell=0,
                    source=Source.SOCKET,
                )
            )
    return rows


def drive(vehicle: Vehicle, *stretches: Stretch, **more: object) -> list[Position]:
    """The same, stored."""
    return Position.objects.bulk_create(positions_of(vehicle, *stretches, **more))  # type: ignore[arg-type]

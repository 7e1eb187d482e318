"""Stored positions to ask for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.integration.people import NOW
from v2v.tracking.area import cell_of
from v2v.tracking.models import Position
from v2v.vehicles.models import Vehicle

Point = tuple[float, float]


def track_make(
    vehicle: Vehicle,
    points: Sequence[Point],
    *,
    start: datetime = NOW,
    step: timedelta = timedelta(seconds=1),
    **fields: Any,
) -> list[datetime]:
    """Store the points (latitude, longitude) of a vehicle, one each `step`; when it was at them."""
    times = [start + n * step for n in range(len(points))]
    given = {"source": "socket", "fleet_id": vehicle.fleet_id, **fields}
    rows = [
        Position(
            vehicle=vehicle,
            recorded_at=time,
            received_at=time + timedelta(milliseconds=40),
            lat=lat,
            lng=lng,
            cell=cell_of(lat, lng),
            **given,
        )
        for time, (lat, lng) in zip(times, points, strict=True)
    ]
    Position.objects.bulk_create(rows)
    return times


def road(count: int, *, lat: float = 25.0, lng: float = 55.0) -> list[Point]:
    """Points that go north, 11 m from one to the next."""
    return [(lat + n / 10_000, lng) for n in range(count)]

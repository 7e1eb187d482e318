"""Positions of radios, on the way of everybody else's."""

from datetime import datetime

from radio.link.payloads import Position
from v2v.vehicles.models import Vehicle


def vehicle_reports(vehicle: Vehicle, position: Position, *, ts: int, device_id: str, now: datetime) -> None:
    """Hand a position on; `ts` in epoch milliseconds."""

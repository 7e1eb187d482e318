"""Positions of radios, on the way of everybody else's."""

from datetime import datetime

from radio.link.payloads import Position
from v2v.protocol.decode import Refusal
from v2v.tracking.models import Source
from v2v.tracking.services import PositionReport, positions_report
from v2v.vehicles.models import Vehicle


def vehicle_reports(vehicle: Vehicle, position: Position, *, ts: int, radio: str, now: datetime) -> None:
    """Hand a position on; `ts` in epoch milliseconds. Raises Refusal as `positions_report` refuses it."""
    report = PositionReport(lat=position.lat, lng=position.lng, ts=ts, speed=position.speed, heading=position.heading)
    (outcome,) = positions_report(
        vehicle=vehicle,
        device_id=f"radio-{radio}",
        source=Source.RADIO,
        reports=[report],
        correlation_id="",
        now=now,
    )
    if isinstance(outcome, Refusal):
        raise outcome

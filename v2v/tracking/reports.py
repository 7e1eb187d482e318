"""What a request over HTTP reports, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.tracking.live import Outcome
from v2v.tracking.models import Source
from v2v.tracking.services import positions_report
from v2v.vehicles.identity import Authenticated
from v2v.vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of each report, under the id that the log line of the stored batch has."""

    correlation_id: str
    results: list[Outcome | Refusal]

    def as_json(self) -> dict[str, object]:
        """By the names on the wire."""
        return {"correlationId": self.correlation_id, "results": [_result(result) for result in self.results]}


def reports_take(
    *, who: Authenticated, source: Source, reports: Sequence[LocationData | Refusal], now: datetime
) -> Taken:
    """Hand on what is valid of up to 1,000 reports, oldest first; what was refused before stays so.

    Raises Refusal `unavailable` when nothing could be kept: then all may come again.
    """
    correlation_id = uuid4().hex
    valid = [report for report in reports if isinstance(report, LocationData)]
    outcomes = iter(
        positions_report(
            vehicle=vehicle_of(who),
            device_id=who.device_id,
            source=source,
            reports=valid,
            correlation_id=correlation_id,
            now=now,
        )
        if valid
        else ()
    )
    return Taken(correlation_id, [report if isinstance(report, Refusal) else next(outcomes) for report in reports])


def vehicle_of(who: Authenticated) -> Vehicle:
    """The vehicle as far as its token tells, without asking the database again."""
    return Vehicle(pk=who.vehicle_pk, vehicle_id=who.vehicle_id, fleet_id=who.fleet_pk)


def _result(result: Outcome | Refusal) -> dict[str, object]:
    if isinstance(result, Outcome):
        return {"outcome": str(result)}
    document: dict[str, object] = {"outcome": "refused", "code": str(result.code)}
    for name in ("field", "issue"):
        if result.details and name in result.details:
            document[name] = result.details[name]
    return document

"""Positions that come otherwise than by a socket, where no engine runs: checked, and stored."""

from typing import Any

import pytest

from tests.integration.tracking.records import T0
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import moment
from v2v.tracking.live import Outcome
from v2v.tracking.models import Position, Source
from v2v.tracking.services import PositionReport, positions_report
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
NOW = moment(T0)
DAY_MS = 24 * 3600 * 1000


def report(truck: Vehicle, *reports: PositionReport, **more: Any) -> list[Outcome | Refusal]:
    given: dict[str, Any] = {"device_id": "phone", "source": Source.HTTP, "correlation_id": "c-1", "now": NOW} | more
    return positions_report(vehicle=truck, reports=reports, **given)


def codes(answers: list[Outcome | Refusal]) -> list[str]:
    return [str(answer.code) if isinstance(answer, Refusal) else str(answer) for answer in answers]


def test_a_batch_is_stored_with_where_it_came_from(truck: Vehicle) -> None:
    answers = report(
        truck, PositionReport(lat=25.0, lng=55.0, ts=T0 - 1_000, heading=360.0), PositionReport(lat=25.1, lng=55.0)
    )
    assert answers == [Outcome.STORED, Outcome.STORED]
    first, second = Position.objects.order_by("recorded_at")
    assert (first.recorded_at, second.recorded_at) == (moment(T0 - 1_000), NOW)
    assert (first.source, first.device_id, first.correlation_id, first.heading) == ("http", "phone", "c-1", 0.0)
    assert first.fleet == truck.fleet


def test_each_is_judged_by_itself(truck: Vehicle) -> None:
    answers = report(
        truck,
        PositionReport(lat=91.0, lng=55.0),
        PositionReport(lat=25.0, lng=float("nan")),
        PositionReport(lat=25.0, lng=55.0, ts=T0 + 300_001),
        PositionReport(lat=25.0, lng=55.0, ts=T0 + 300_000),
        PositionReport(lat=25.0, lng=55.0, ts=T0 - 399 * DAY_MS),
        PositionReport(lat=25.0, lng=55.0, ts=T0 - 401 * DAY_MS),
    )
    assert codes(answers) == ["invalid_location", "invalid_location", "clock_skew", "stored", "stored", "expired"]
    assert isinstance(answers[0], Refusal)
    assert answers[0].details == {"field": "lat", "issue": "Expected `float` <= 90.0"}
    assert Position.objects.count() == 2


@pytest.mark.parametrize("more", [{"device_id": "a\x00b"}, {"device_id": "d" * 65}, {"correlation_id": "one\ntwo"}])
def test_names_that_no_column_or_log_line_should_hold_are_refused(truck: Vehicle, more: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        report(truck, PositionReport(lat=25.0, lng=55.0), **more)
    assert refused.value.code is ErrorCode.VALIDATION_ERROR


def test_more_than_a_thousand_are_too_many(truck: Vehicle) -> None:
    with pytest.raises(Refusal) as refused:
        report(truck, *[PositionReport(lat=25.0, lng=55.0)] * 1_001)
    assert refused.value.code is ErrorCode.VALIDATION_ERROR
    assert not Position.objects.exists()


def test_the_same_batch_again_is_taken_again_and_stored_once(truck: Vehicle) -> None:
    batch = [PositionReport(lat=25.0, lng=55.0, ts=T0 - n) for n in range(10)]
    assert report(truck, *batch) == report(truck, *batch)
    assert Position.objects.count() == 10

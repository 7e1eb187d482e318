"""A position's way in, step by step."""

from typing import Any

import pytest

from tests.unit.world import NOW_MS
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.tracking.ingest import fix_ingest
from v2v.tracking.live import Fix, LiveState, Outcome, Track


@pytest.fixture
def live() -> LiveState:
    return LiveState(coalesce_s=0.15)


@pytest.fixture
def track(live: LiveState) -> Track:
    return live.track_of(vehicle_id="truck-1", vehicle_pk=7, fleet=1)


def ingest(live: LiveState, track: Track, **data: Any) -> Outcome:
    return fix_ingest(live, track, LocationData(lat=1.0, lng=2.0, **data), now=5.0, now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(0, Outcome.LIVE), (300, Outcome.LIVE), (-300, Outcome.LIVE), (-300.001, Outcome.OLD), (-86_400, Outcome.OLD)],
)
def test_the_clock_may_be_five_minutes_off(live: LiveState, track: Track, seconds: float, outcome: Outcome) -> None:
    assert ingest(live, track, ts=NOW_MS + round(seconds * 1000)) is outcome


def test_a_fix_from_the_future_is_refused_with_the_servers_time(live: LiveState, track: Track) -> None:
    with pytest.raises(Refusal) as refused:
        ingest(live, track, ts=NOW_MS + 300_001)
    assert refused.value.code is ErrorCode.CLOCK_SKEW
    assert refused.value.details == {"field": "ts", "serverTs": NOW_MS}
    assert track.pending is None


def test_a_fix_without_a_time_is_of_now(live: LiveState, track: Track) -> None:
    assert ingest(live, track) is Outcome.LIVE
    assert track.pending is not None
    assert track.pending.ts == NOW_MS


def test_everything_that_was_reported_arrives_and_360_degrees_are_north(live: LiveState, track: Track) -> None:
    said: dict[str, Any] = {
        "speed": 12.5, "accuracy": 4.0, "altitude": 30.0, "battery": 80.0, "signal": 60.0, "ignition": True,
        "alarm": "hazard",
    }  # fmt: skip
    ingest(live, track, ts=NOW_MS - 10, heading=360.0, **said)
    expected = Fix(lat=1.0, lng=2.0, ts=NOW_MS - 10, received_at=5.0, heading=0.0, kept=True, **said)
    assert track.pending == expected

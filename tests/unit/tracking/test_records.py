"""Positions as they travel, and what is odd about one."""

import msgspec
import pytest

from tests.unit.world import NOW_MS
from v2v.tracking.live import Fix, Outcome
from v2v.tracking.records import chunks_of, conflict_of, correlation_ids, is_jump, record_of, records_in


def fix(lat: float = 25.0, lng: float = 55.0, ts: int = NOW_MS, **more: object) -> Fix:
    return Fix(lat=lat, lng=lng, ts=ts, received_at=0.0, **more)  # type: ignore[arg-type]


def test_records_come_out_of_the_bytes_as_they_went_in_at_most_500_together() -> None:
    records = [
        record_of(fix(ts=NOW_MS + n, alarm="crash"), vehicle=n, fleet=1, received_ts=5, source="http", conflict=None)
        for n in range(1_201)
    ]
    chunks = chunks_of(records)
    assert [count for _, count in chunks] == [500, 500, 201]
    assert [record for payload, _ in chunks for record in records_in(payload)] == records


def test_bytes_that_are_no_records_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        records_in(b"\xc1 not a record")


@pytest.mark.parametrize(
    ("before", "after", "jumps"),
    [
        (fix(), fix(lat=25.01, ts=NOW_MS + 10_000), False),  # 1.1 km in 10 s: 111 m/s
        (fix(), fix(lat=25.01, ts=NOW_MS + 5_000), True),
        (fix(), fix(lat=25.003, ts=NOW_MS + 1), False),  # 330 m: a bad fix, not another place
        (fix(lat=0, lng=179.999), fix(lat=0, lng=-179.999, ts=NOW_MS + 2_000), False),  # over the date line
        (fix(lat=89.9, lng=0), fix(lat=89.9, lng=10, ts=NOW_MS + 60_000), False),  # meridians are near at the pole
        (fix(), fix(lat=-25.0, ts=NOW_MS + 1_000), True),
    ],
)
def test_a_jump_is_farther_than_any_vehicle_drives(before: Fix, after: Fix, jumps: bool) -> None:
    assert is_jump(before, after) is jumps


def test_a_conflict_names_what_stood() -> None:
    stood = fix(lat=24.0, ts=NOW_MS + 5)
    late = conflict_of(fix(), Outcome.LATE, stood)
    assert late is not None
    assert (late.kind, late.stood_ts, late.stood_lat) == ("late", NOW_MS + 5, 24.0)
    assert conflict_of(fix(), Outcome.OLD, stood) is None  # in order, only long ago
    assert conflict_of(fix(), Outcome.LIVE, None) is None


def test_sockets_are_not_named_by_their_sessions_and_others_once_by_their_request() -> None:
    def record(source: str, correlation_id: str) -> object:
        one = fix(correlation_id=correlation_id)
        return record_of(one, vehicle=1, fleet=1, received_ts=5, source=source, conflict=None)

    records = [record("socket", "s1"), record("http", "b"), record("osmand", "a"), record("http", "b")]
    assert correlation_ids(records) == ["a", "b"]  # type: ignore[arg-type]

import pytest

from v2v.protocol.commands import Heartbeat, HeartbeatData
from v2v.protocol.decode import Refusal, check_time
from v2v.protocol.fields import CLOCK_SKEW_MS

NOW = 1_764_066_000_000
SKEW = CLOCK_SKEW_MS

TAKEN = [
    (None, None),
    (None, 1),
    (NOW, None),
    (NOW + SKEW, None),
    (NOW - SKEW, None),
    (NOW - SKEW, 1),
    (NOW - SKEW - 60_000, 60_000),
    (NOW + SKEW, 60_000),
]
REFUSED = [
    (NOW + SKEW + 1, None, "clock_skew"),
    (NOW + SKEW + 1, 60_000, "clock_skew"),
    (NOW - SKEW - 1, None, "clock_skew"),
    (NOW - SKEW - 2, 1, "expired"),
    (NOW - SKEW - 60_001, 60_000, "expired"),
    (0, None, "clock_skew"),
]


@pytest.mark.parametrize(("ts", "ttl_ms"), TAKEN)
def test_a_command_in_time_is_taken(ts: int | None, ttl_ms: int | None) -> None:
    check_time(Heartbeat(data=HeartbeatData(), ts=ts, ttl_ms=ttl_ms), now_ms=NOW)


@pytest.mark.parametrize(("ts", "ttl_ms", "code"), REFUSED)
def test_a_command_out_of_time_is_refused(ts: int, ttl_ms: int | None, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_time(Heartbeat(data=HeartbeatData(), ts=ts, ttl_ms=ttl_ms), now_ms=NOW)
    assert caught.value.code == code
    assert caught.value.details == {"serverTs": NOW}

"""A position's way in, from any source: one ordered list of steps, each of which may end it.

limit -> plausible clock -> order -> coalesce -> live state (at the vehicle's turn). What came is counted either way.
"""

from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.protocol.fields import CLOCK_SKEW_MS
from v2v.realtime import metrics
from v2v.tracking.live import Fix, LiveState, Outcome, Track

_FULL_CIRCLE = 360.0


def fix_ingest(
    live: LiveState,
    track: Track,
    data: LocationData,
    *,
    now: float,
    now_ms: int,
    device_id: str = "",
    correlation_id: str = "",
) -> Outcome:
    """Take a validated position; `now` in monotonic seconds. Raises Refusal(clock_skew) for one from the future."""
    ts = data.ts if data.ts is not None else now_ms
    check_future(ts, now_ms=now_ms)
    fix = fix_of(data, ts, now=now)
    fix.device_id, fix.correlation_id = device_id, correlation_id
    return fix_offer(live, track, fix, now_ms=now_ms)


def check_future(ts: int, *, now_ms: int) -> None:
    """Raise Refusal(clock_skew) for a fix that is more than 5 minutes ahead; epoch milliseconds."""
    if ts > now_ms + CLOCK_SKEW_MS:
        metrics.REJECTED.labels("clock_skew").inc()
        raise Refusal(ErrorCode.CLOCK_SKEW, details={"field": "ts", "serverTs": now_ms})


def fix_of(data: LocationData, ts: int, *, now: float) -> Fix:
    """The validated position as a fix; `ts` in epoch milliseconds, `now` in monotonic seconds."""
    return Fix(
        lat=data.lat,
        lng=data.lng,
        ts=ts,
        received_at=now,
        speed=data.speed,
        heading=0.0 if data.heading == _FULL_CIRCLE else data.heading,
        accuracy=data.accuracy,
        altitude=data.altitude,
        battery=data.battery,
        signal=data.signal,
        ignition=data.ignition,
        alarm=data.alarm,
    )


def fix_offer(live: LiveState, track: Track, fix: Fix, *, now_ms: int) -> Outcome:
    """Hand a fix to the live state, and count what does not become live."""
    outcome = live.offer(track, fix, now_ms=now_ms)
    if outcome is not Outcome.LIVE:
        metrics.REJECTED.labels(outcome).inc()
    return outcome

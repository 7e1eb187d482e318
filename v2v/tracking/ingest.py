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


def fix_ingest(live: LiveState, track: Track, data: LocationData, *, now: float, now_ms: int) -> Outcome:
    """Take a validated position; `now` in monotonic seconds. Raises Refusal(clock_skew) for one from the future."""
    ts = data.ts if data.ts is not None else now_ms
    if ts > now_ms + CLOCK_SKEW_MS:
        metrics.REJECTED.labels("clock_skew").inc()
        raise Refusal(ErrorCode.CLOCK_SKEW, details={"field": "ts", "serverTs": now_ms})
    fix = Fix(
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
    outcome = live.offer(track, fix, now_ms=now_ms)
    if outcome is not Outcome.LIVE:
        metrics.REJECTED.labels(outcome).inc()
    return outcome

"""Positions and signs of life on the vehicle's socket."""

from v2v.protocol import events
from v2v.protocol.commands import Heartbeat, LocationUpdate
from v2v.realtime import metrics
from v2v.realtime.ratelimit import Bucket
from v2v.realtime.session import Answer, AtOnce, Session, rate_limited
from v2v.tracking.ingest import fix_ingest
from v2v.tracking.live import LiveState, Outcome


def location_handler(live: LiveState) -> AtOnce:
    """Takes `location_update`: answered only when it carries an id."""

    def location_update(session: Session, command: LocationUpdate) -> Answer:
        engine = session.engine
        tally = engine.tally
        tally.received += 1
        track = live.tracks[session.slot]
        now = session.heard_at
        bucket = track.bucket
        if bucket is None:
            bucket = track.bucket = Bucket(engine.config.location, now)
        if wait_s := bucket.take(now):
            metrics.REJECTED.labels("rate_limited").inc()
            raise rate_limited("location", wait_s)
        outcome = fix_ingest(
            live,
            track,
            command.data,
            now=now,
            now_ms=engine.clock.now_ms(),
            device_id=session.device_id,
            correlation_id=session.id,
        )
        if command.id is None:
            return None
        data = events.Ack.Data(id=command.id, outcome=None if outcome is Outcome.LIVE else outcome)
        return events.Ack(data=data)

    return location_update


def heartbeat_handler(live: LiveState) -> AtOnce:
    """Takes `heartbeat`, and the telemetry that may come with it."""

    def heartbeat(session: Session, command: Heartbeat) -> Answer:
        session.take_other()
        if session.slot >= 0:
            track = live.tracks[session.slot]
            track.battery = command.data.battery if command.data.battery is not None else track.battery
            track.signal = command.data.signal if command.data.signal is not None else track.signal
        data = events.HeartbeatAck.Data(ts=session.engine.clock.now_ms())
        return events.HeartbeatAck(data=data)

    return heartbeat

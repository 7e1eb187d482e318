"""`nearby_refresh` on both sockets."""

from collections.abc import Callable

from v2v.protocol import events
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import NearbyRefresh
from v2v.protocol.decode import Refusal
from v2v.proximity.nearby import nearby_peers
from v2v.realtime.session import Answer, AtOnce, Session, rate_limited
from v2v.tracking.live import LiveState, Track

MaySee = Callable[[Session, int], bool]  # whether the session's principal may view that fleet


def nearby_refresh_handler(live: LiveState, *, radius_m: float, may_see: MaySee) -> AtOnce:
    """Takes `nearby_refresh`. A dispatcher watches the vehicle from then on: its proximity events come too."""

    def nearby_refresh(session: Session, command: NearbyRefresh) -> Answer:
        engine = session.engine
        bucket = engine.limiter.bucket(f"refresh:{session.id}", engine.config.refresh)
        if wait_s := bucket.take(session.heard_at):
            raise rate_limited("refresh", wait_s)
        track = _track(session, command, live, may_see)
        radius = command.data.radius_m or radius_m
        peers = nearby_peers(engine, live, track, radius_m=radius)
        data = events.NearbySnapshot.Data(vehicle_id=track.vehicle_id, radius_m=radius, peers=peers)
        return events.NearbySnapshot(data=data)

    return nearby_refresh


def _track(session: Session, command: NearbyRefresh, live: LiveState, may_see: MaySee) -> Track:
    wanted = command.data.vehicle_id
    if session.slot >= 0:
        if wanted not in (None, session.name):
            raise Refusal(ErrorCode.FORBIDDEN)
        return live.tracks[session.slot]
    if wanted is None:
        details = {"field": "vehicleId", "issue": "missing"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)
    track = live.by_vehicle.get(wanted)
    if track is None or not may_see(session, track.fleet):
        raise Refusal(ErrorCode.NOT_FOUND)
    session.watched = wanted
    return track

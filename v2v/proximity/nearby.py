"""Who is near a vehicle at this moment, as the wire says it."""

from collections.abc import Sequence

import numpy as np

from v2v.protocol.events import NearbyPeer
from v2v.proximity.engine import Positions, nearby
from v2v.proximity.geometry import distances_m, unit_vectors
from v2v.realtime.engine import Engine
from v2v.tracking.live import LiveState, Track

MAX_PEERS = 500


def nearby_peers(engine: Engine, live: LiveState, track: Track, *, radius_m: float) -> list[NearbyPeer]:
    """The online vehicles of the track's fleet within `radius_m` meters, nearest first, at most 500.

    Computed now from the live positions; empty while the vehicle itself has no position.
    """
    if track.fix is None:
        return []
    found = nearby(
        Positions(*live.columns()),
        lat=track.fix.lat,
        lng=track.fix.lng,
        fleet=track.fleet,
        radius_m=radius_m,
        exclude_slot=track.slot,
    )
    peers = []
    for slot, distance_m, bearing in zip(*(column[:MAX_PEERS].tolist() for column in found), strict=True):
        peer = live.tracks[slot]
        if (fix := peer.fix) is None:
            continue
        last_seen = engine.presence.last_seen(peer.vehicle_id, engine.hub.by_vehicle.get(peer.vehicle_id, []))
        peers.append(
            NearbyPeer(
                vehicle_id=peer.vehicle_id,
                lat=fix.lat,
                lng=fix.lng,
                ts=fix.ts,
                speed=fix.speed,
                heading=fix.heading,
                distance_m=round(distance_m, 1),
                bearing=round(bearing, 1),
                last_seen=last_seen or fix.ts,
            )
        )
    return peers


def distances_from(live: LiveState, slots: Sequence[int], lat: float, lng: float) -> list[float | None]:
    """How far the vehicles with these slots are from a place, in meters; None for one whose position is not known."""
    fixes = [live.tracks[slot].newest for slot in slots]
    known = [fix for fix in fixes if fix is not None]
    if not known:
        return [None] * len(fixes)
    there = unit_vectors(np.array([fix.lat for fix in known]), np.array([fix.lng for fix in known]))
    center = unit_vectors(np.array([lat]), np.array([lng]))[0]
    found = iter(distances_m(there, center).tolist())
    return [None if fix is None else next(found) for fix in fixes]

"""What the running engine answers to those who ask over HTTP, on whatever thread they run."""

from collections.abc import Collection, Iterator

from v2v.protocol.epoch import moment
from v2v.protocol.events import NearbyPeer
from v2v.proximity.nearby import nearby_peers
from v2v.realtime.engine import Engine
from v2v.realtime.hub import works_in
from v2v.realtime.notices import Pulse
from v2v.realtime.session import Session
from v2v.tracking.holders import Holders
from v2v.tracking.live import LiveState
from v2v.vehicles.live import Position, Presence, Stats, StoredLive


class EngineLive:
    """A `v2v.vehicles.live.Live`. The event loop goes on changing what is read here: so each look is one copy.

    `holders` knows what the other processes have told; positions are known of vehicles that this process listens to.
    """

    def __init__(self, engine: Engine, live: LiveState, holders: Holders | None) -> None:
        self._engine = engine
        self._live = live
        self._holders = holders

    def presence(self, vehicle_pks: Collection[int]) -> dict[int, Presence]:
        """By primary key; only vehicles that were heard of since this server's start."""
        wanted = set(vehicle_pks)
        found = {}
        for track in list(self._live.tracks):
            entry = self._engine.presence.entries.get(track.vehicle_id)
            if track.vehicle_pk in wanted and entry is not None:
                last_seen = self._engine.presence.last_seen(track.vehicle_id, self._sessions(track.vehicle_id))
                found[track.vehicle_pk] = Presence(entry.status, moment(last_seen or entry.last_seen))
        return found

    def nearby(self, vehicle_id: str, radius_m: float) -> list[NearbyPeer]:
        """The online vehicles of its fleet within the radius, nearest first."""
        track = self._live.by_vehicle.get(vehicle_id)
        return [] if track is None else nearby_peers(self._engine, self._live, track, radius_m=radius_m)

    def position(self, vehicle_id: str) -> Position | None:
        """The live one; as stored, for a vehicle that has not reported to this server, or now does so to another."""
        track = self._live.by_vehicle.get(vehicle_id)
        fix = track.newest if track else None
        live = None if fix is None else Position(fix.lat, fix.lng, moment(fix.ts))
        if fix is not None and not fix.remote:
            return live
        stored = StoredLive().position(vehicle_id)
        return max((each for each in (live, stored) if each is not None), key=lambda each: each.at, default=None)

    def is_connected(self, vehicle_id: str) -> bool:
        """Whether any device of the vehicle is, to any process."""
        if vehicle_id in self._engine.hub.by_vehicle:
            return True
        entry = self._engine.presence.entries.get(vehicle_id)
        return entry is not None and entry.status != "offline"

    def dispatchers(self, fleet_pk: int) -> frozenset[str]:
        """The names of the dispatchers who are connected, to any process, and may work in the fleet."""
        here = (session.name for session in list(self._engine.hub.dispatchers) if works_in(session, fleet_pk))
        elsewhere = (name for name, works in self._workers_elsewhere() if works is None or fleet_pk in works)
        return frozenset((*here, *elsewhere))

    def stats(self) -> Stats:
        """Counts of the connections to all processes."""
        hub, pulses = self._engine.hub, self._pulses()
        connections = len(hub.sessions) + sum(pulse.connections for pulse in pulses)
        users = {session.name for session in list(hub.dispatchers)} | {name for name, _ in self._workers_elsewhere()}
        entries = list(self._engine.presence.entries.values())
        return Stats(
            connections=connections,
            vehicles=sum(entry.status != "offline" for entry in entries),
            users=len(users),
            stale=self._engine.stale_total + sum(pulse.stale for pulse in pulses),
            by_transport={"websocket": connections},
        )

    def _workers_elsewhere(self) -> Iterator[tuple[str, tuple[int, ...] | None]]:
        for desk in list(self._holders.desks.values()) if self._holders is not None else ():
            yield from desk.workers

    def _pulses(self) -> list[Pulse]:
        return list(self._engine.members.pulses.values()) if self._engine.members is not None else []

    def _sessions(self, vehicle_id: str) -> list[Session]:
        return list(self._engine.hub.by_vehicle.get(vehicle_id, []))

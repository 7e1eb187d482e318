"""Several times a second: who moved, who is near whom, who came and went; and one frame to everybody concerned."""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import structlog

from v2v.protocol import events
from v2v.proximity.crowd import deliveries_bound
from v2v.proximity.engine import Crossings, Deliveries, Positions, ProximityEngine, Tick
from v2v.proximity.services import Crossing
from v2v.proximity.views import Views, may_see
from v2v.realtime import metrics
from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.realtime.presence import Entry
from v2v.realtime.session import Session
from v2v.tracking.live import Fix, LiveState, Track

# Who moved, and the fixes that were kept though newer ones came; on the event loop, so it takes next to no time.
MovedListener = Callable[[Sequence[Track], Sequence[tuple[Track, Fix]]], None]

log = structlog.get_logger(__name__)

# Over so many vehicles, or deliveries at the last tick, the numbers are crunched on a thread: NumPy and SciPy let go of
# the interpreter meanwhile. Not sooner: these take about 15 ms on the event loop, and with 3,200 vehicles on the thread
# (5 ms) the wait for the interpreter brought the 99th percentile of deliveries from 250 to 620 ms.
INLINE_VEHICLES = 10_000
INLINE_DELIVERIES = 250_000


class Ticker:
    """Joins the live positions, the proximity engine and the hub. `step` is one tick."""

    def __init__(
        self, engine: Engine, live: LiveState, proximity: ProximityEngine, storage: BatchWriter[Crossing]
    ) -> None:
        self._engine = engine
        self._live = live
        self._proximity = proximity
        self._storage = storage
        self._views = Views(engine.hub, live)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="proximity")
        self._taken_at = 0.0
        self._turn = 0
        self._deliveries = 0
        self._is_narrow = False
        self.moved_listeners: list[MovedListener] = []  # told of the vehicles that report to this process
        self.stores: Callable[[Track, Track], bool] = lambda one, other: True  # whether a crossing is ours to store
        self._is_away = False  # a tick is on the thread, and
        self._moved_away: set[int] = set()  # these changed their fleet meanwhile
        live.fleet_listeners.append(self.fleet_changed)

    async def step(self) -> None:
        """One tick. The next one waits for it, and those that were missed meanwhile are left out."""
        self._taken_at = self._engine.clock.monotonic()
        moved, kept = self._live.take(self._taken_at)
        ours = moved if self._engine.members is None else [track for track in moved if not _is_remote(track)]
        self._engine.tally.processed += len(ours) + len(kept)
        self._engine.tally.coalesced += self._live.coalesced
        self._live.coalesced = 0
        positions = Positions(*self._live.columns())
        now = self._taken_at
        with metrics.TICK.time():
            if len(positions.slots) > INLINE_VEHICLES or self._deliveries > INLINE_DELIVERIES:
                tick = await self._tick_on_thread(positions, now)
            else:
                tick = self._proximity.tick(positions, now=now)
        self._note_crowd(tick)
        self._deliver(deliveries_bound(tick.deliveries, turn=self._turn))
        self._tell_crossings(tick)
        self._views.tell(moved, self._taken_at)
        for listener in self.moved_listeners:
            listener(ours, kept)
        self._moved_away.clear()
        if moved and (fix := random.choice(moved).fix) is not None:  # noqa: S311 - a fair sample
            metrics.LATENCY.observe(self._engine.clock.monotonic() - fix.received_at)

    async def _tick_on_thread(self, positions: Positions, now: float) -> Tick:
        self._is_away = True
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, lambda: self._proximity.tick(positions, now=now))
        finally:
            self._is_away = False
            for slot in self._moved_away:  # the tick has seen it in its old fleet
                self._proximity.forget(slot)

    def fleet_changed(self, track: Track) -> None:
        """Part the vehicle from the neighbors that it had in its old fleet, without a word to either."""
        self._proximity.forget(track.slot)
        if self._is_away:
            self._moved_away.add(track.slot)

    def _note_crowd(self, tick: Tick) -> None:
        self._turn += 1
        self._deliveries = tick.deliveries.senders.size
        is_narrow = tick.radius_m < self._proximity.radius_m
        if is_narrow:
            metrics.NARROW_TICKS.inc()
            if not self._is_narrow:  # once a crowd, not five times a second
                log.warning("too many pairs of vehicles: looked less far", radius_m=tick.radius_m)
        self._is_narrow = is_narrow

    async def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # ---- To vehicles

    def _deliver(self, deliveries: Deliveries) -> None:
        """One frame a receiver, put together from parts that were encoded once a vehicle."""
        if not len(deliveries.receivers):
            return
        by_slot, tracks = self._engine.hub.by_slot, self._live.tracks
        if self._moved_away:
            by_slot = {slot: sessions for slot, sessions in by_slot.items() if slot not in self._moved_away}
        senders = deliveries.senders.tolist()
        parts = [tracks[slot].peer_part for slot in senders]
        starts = deliveries.starts.tolist()
        for index, receiver in enumerate(deliveries.receivers.tolist()):
            sessions = by_slot.get(receiver)
            if sessions is not None:
                begin, end = starts[index], starts[index + 1]
                for session in sessions:
                    session.send_positions(senders[begin:end], parts[begin:end])
        self._engine.tally.delivered += len(senders)

    def _tell_crossings(self, tick: Tick) -> None:
        now_ms = self._engine.clock.now_ms()
        watchers: dict[str, list[Session]] = {}
        for session in self._engine.hub.dispatchers:
            watched = self._live.by_vehicle.get(session.watched)
            if watched is not None and may_see(session, watched):
                watchers.setdefault(session.watched, []).append(session)
        self._tell(tick.entered, "enter", now_ms, watchers)
        self._tell(tick.exited, "exit", now_ms, watchers)

    def _tell(self, crossings: Crossings, kind: str, now_ms: int, watchers: dict[str, list[Session]]) -> None:
        columns = (crossings.first.tolist(), crossings.second.tolist(), np.round(crossings.distance_m, 1).tolist())
        for first, second, distance in zip(*columns, strict=True):
            one, other = self._live.tracks[first], self._live.tracks[second]
            if one.fleet != other.fleet:  # one of them changed its fleet while the tick was on the thread
                continue
            distance_m = None if math.isnan(distance) else distance
            crossing = Crossing(one.fleet, one.vehicle_pk, other.vehicle_pk, kind, distance_m, now_ms)
            if self.stores(one, other):
                self._storage.add(crossing)
            self._tell_one(one, other, crossing, watchers)
            self._tell_one(other, one, crossing, watchers)

    def _tell_one(self, receiver: Track, peer: Track, crossing: Crossing, watchers: dict[str, list[Session]]) -> None:
        sessions = self._engine.hub.by_slot.get(receiver.slot, ())
        watching = watchers.get(receiver.vehicle_id, ())
        if sessions:
            event = _event(crossing, peer.vehicle_id, None)
            encoded = events.encode_event(event)
            for session in sessions:
                session.outbox.post(encoded)
                if crossing.type == "enter" and peer.taken_at != self._taken_at:
                    # It stands still: without this nobody would hear of it before it moves.
                    session.send_positions([peer.slot], [peer.peer_part])
        if watching:
            encoded = events.encode_event(_event(crossing, peer.vehicle_id, receiver.vehicle_id))
            for session in watching:
                session.outbox.post(encoded)

    # ---- To both

    def presence_changed(self, entry: Entry) -> None:
        """Tell the dispatchers of the fleet, and the vehicles that are near."""
        track = self._live.tracks[entry.slot]
        self._live.set_active(track, entry.status == "online")
        event = events.PresenceUpdate(
            data=events.PresenceUpdate.Data(
                vehicle_id=entry.vehicle_id,
                status=entry.status,
                last_seen=entry.last_seen,
                driver_name=entry.driver_name,
            )
        )
        self._engine.hub.to_dispatchers(entry.fleet, event)
        peers = [self._live.tracks[slot].vehicle_id for slot in self._proximity.peers_of(entry.slot).tolist()]
        if peers:
            self._engine.hub.to_vehicles(peers, event)


def _is_remote(track: Track) -> bool:
    return track.fix is not None and track.fix.remote


def _event(crossing: Crossing, peer_vehicle_id: str, vehicle_id: str | None) -> events.ProximityEvent:
    data = events.ProximityEvent.Data(
        type="enter" if crossing.type == "enter" else "exit",
        peer_vehicle_id=peer_vehicle_id,
        ts=crossing.ts,
        distance_m=crossing.distance_m,
        vehicle_id=vehicle_id,
    )
    return events.ProximityEvent(data=data)

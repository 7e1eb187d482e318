"""Which process holds which vehicle and which dispatcher: told at each change, and kept in Redis under a lease."""

import asyncio

import msgspec
import redis
import structlog

from v2v.realtime.engine import Engine
from v2v.realtime.members import Members
from v2v.realtime.notices import Came, Desk, Held, Seen
from v2v.realtime.presence import Elsewhere, Entry
from v2v.tracking.live import LiveState, Track

_WHOLE = "*"  # the field that says that all vehicles are there; no vehicle is called so
_SEEN_EVERY_S = 10.0
_DESK_EVERY_S = 1.0
_SEEN_AT_ONCE = 2_000
_STORED_AT_ONCE = 500
_PAGE = 1_000
_LOOK_AGAIN_S = 1.0
log = structlog.get_logger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Held).decode


class Holders:
    """Keeps the presence of this process's vehicles known to the others, and theirs known here.

    One who joins reads what the others hold from Redis; a change that it is told meanwhile is newer by its version.
    """

    def __init__(self, engine: Engine, live: LiveState, members: Members) -> None:
        self.desks: dict[str, Desk] = {}
        self._engine = engine
        self._live = live
        self._members = members
        self._publisher = members.relay.publisher
        self._key = members.held_key(members.process)
        self._version = 0
        self._held_last: set[str] = set()  # vehicles that no process has held since this one
        self._orphans: set[str] = set()  # vehicles whose process has died
        self._seen: dict[str, int] = {}
        self._own_desk: Desk | None = None
        self._loading: set[asyncio.Task[None]] = set()
        engine.presence.here_listeners.append(self._here_changed)
        relay = members.relay
        relay.on(Held, self._told)
        relay.on(Seen, self._heed_seen)
        relay.on(Desk, self._heed_desk)
        relay.on(Came, self._other_came)
        relay.up_listeners.append(self._load_all)
        members.came_listeners.append(self._load)
        members.gone_listeners.append(self._gone)
        members.emptied_listeners.append(self._store_all)
        engine.every("seen", _SEEN_EVERY_S, self.tell_seen)
        engine.every("desk", _DESK_EVERY_S, self.tell_desk)

    # ---- Who looks after what

    def stores(self, one: Track, other: Track) -> bool:
        """Whether this process stores what happens between two vehicles: the holder of the lower key does."""
        for track in sorted((one, other), key=lambda track: track.vehicle_pk):
            entry = self._engine.presence.entries.get(track.vehicle_id)
            if entry is not None and (entry.here != "offline" or entry.holders):
                return self._is_first_of(entry)
        return self._members.is_first

    def keeps(self, entry: Entry) -> bool:
        """Whether this process stores the vehicle's last state: who holds it, or did last; for a dead one the first."""
        if entry.here != "offline" or entry.holders:
            return self._is_first_of(entry)
        if entry.vehicle_id in self._held_last:
            return True
        return entry.vehicle_id in self._orphans and self._members.is_first

    def held_elsewhere(self) -> list[int]:
        """The primary keys of the vehicles that other processes hold; from any thread."""
        entries = list(self._engine.presence.entries.values())
        return [self._live.tracks[entry.slot].vehicle_pk for entry in entries if entry.holders]

    def _is_first_of(self, entry: Entry) -> bool:
        return entry.here != "offline" and all(self._members.process < other for other in entry.holders)

    # ---- Ours

    def _here_changed(self, entry: Entry) -> None:
        self._held_last.add(entry.vehicle_id)
        self._orphans.discard(entry.vehicle_id)
        held = self._held(entry)
        if entry.here == "offline":
            self._publisher.command("HDEL", self._key, entry.vehicle_id)
        else:
            self._publisher.command("HSET", self._key, entry.vehicle_id, _encode(held))
        self._publisher.tell_notice(held)

    def _store_all(self) -> None:
        """Redis has lost what we hold, or never had it."""
        held = [entry for entry in self._engine.presence.entries.values() if entry.here != "offline"]
        for begin in range(0, len(held), _STORED_AT_ONCE):
            fields: list[str | bytes] = []
            for entry in held[begin : begin + _STORED_AT_ONCE]:
                fields += (entry.vehicle_id, _encode(self._held(entry)))
            self._publisher.command("HSET", self._key, *fields)
        self._publisher.command("HSET", self._key, _WHOLE, b"")

    def _held(self, entry: Entry) -> Held:
        self._version += 1
        return Held(
            process=self._members.process,
            vehicle_id=entry.vehicle_id,
            vehicle_pk=self._live.tracks[entry.slot].vehicle_pk,
            fleet=entry.fleet,
            status=entry.here,
            last_seen=entry.last_seen,
            version=self._version,
            driver_name=entry.driver_name,
        )

    def tell_seen(self) -> None:
        """Tell when our vehicles were last heard, as far as that has changed."""
        entries = self._engine.presence.entries.values()
        seen = {entry.vehicle_id: entry.last_seen for entry in entries if entry.here != "offline"}
        news = [item for item in seen.items() if self._seen.get(item[0]) != item[1]]
        self._seen = seen
        if not self._members.others:
            return
        for begin in range(0, len(news), _SEEN_AT_ONCE):
            part = dict(news[begin : begin + _SEEN_AT_ONCE])
            self._publisher.tell_notice(Seen(self._members.process, part))

    def tell_desk(self) -> None:
        """Tell which dispatchers are here, when that has changed."""
        workers = {
            (session.name, None if session.works is None else tuple(sorted(session.works)))
            for session in self._engine.hub.dispatchers
        }
        desk = Desk(self._members.process, tuple(sorted(workers, key=repr)))
        if desk != self._own_desk:
            self._own_desk = desk
            self._publisher.tell_notice(desk)

    def _other_came(self, _: Came) -> None:
        self._own_desk = None
        self.tell_desk()

    # ---- Theirs

    def _told(self, held: Held) -> None:
        if held.status != "offline":
            self._held_last.discard(held.vehicle_id)
            self._orphans.discard(held.vehicle_id)
        entry = self._engine.presence.entries.get(held.vehicle_id)
        fleet = held.fleet
        if entry is not None:
            known = entry.elsewhere.get(held.process)
            if known is not None and known.version >= held.version:
                return
            if entry.here != "offline" or held.status == "offline":  # whoever has left it does not know its new fleet
                fleet = entry.fleet
        track = self._live.track_of(vehicle_id=held.vehicle_id, vehicle_pk=held.vehicle_pk, fleet=fleet)
        self._engine.presence.told(
            held.vehicle_id,
            fleet=fleet,
            slot=track.slot,
            process=held.process,
            at=Elsewhere(held.status, held.version),
            last_seen=held.last_seen,
            driver_name=held.driver_name,
        )

    def _heed_seen(self, notice: Seen) -> None:
        for vehicle_id, last_seen in notice.last_seen.items():
            self._engine.presence.seen(vehicle_id, last_seen)

    def _heed_desk(self, notice: Desk) -> None:
        self.desks[notice.process] = notice

    def _gone(self, process: str) -> None:
        self.desks.pop(process, None)
        entries = self._engine.presence.entries.values()
        self._orphans |= {entry.vehicle_id for entry in entries if process in entry.holders}
        self._engine.presence.process_gone(process)

    def _load_all(self) -> None:
        for process in self._members.others:
            self._load(process)

    def _load(self, process: str) -> None:
        task = asyncio.get_running_loop().create_task(self._read(process))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    async def _read(self, process: str) -> None:
        """Read what the process holds, until it is all there: it stores it again after Redis has lost it."""
        while process in self._members.others:
            known = self._versions(process)
            try:
                if (found := await self._read_once(process)) is not None:
                    for vehicle_id, version in known.items():
                        if vehicle_id not in found and self._versions(process).get(vehicle_id) == version:
                            self._engine.presence.not_with(process, vehicle_id)
                    return
            except (redis.RedisError, OSError, TimeoutError):
                return  # once Redis is back, all is read again
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _versions(self, process: str) -> dict[str, int]:
        entries = self._engine.presence.entries.values()
        return {e.vehicle_id: at.version for e in entries if (at := e.elsewhere.get(process)) is not None}

    async def _read_once(self, process: str) -> set[str] | None:
        """The vehicles that it holds; None when they are not all there."""
        found: set[str] = set()
        pages = self._members.client.hscan_iter(self._members.held_key(process), count=_PAGE)
        async for field, value in pages:
            if value:
                held = _decode(value)
                found.add(held.vehicle_id)
                self._told(held)
            else:
                found.add(field.decode())
        return found - {_WHOLE} if _WHOLE in found else None

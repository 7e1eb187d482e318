"""Positions between processes: what moved here goes out shortly before each tick, one message a fleet and coarse cell.

A process listens on the cells round its own vehicles, and on the whole fleets of its dispatchers. So the messages grow
with the cells that are in use, not with vehicles times processes. What comes from others becomes a live position like
any other, a `remote` one: it is near, and seen, but never stored, published or ruled upon here.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

import h3.api.basic_int as h3
import msgspec
from msgspec import Raw, Struct

from v2v.proximity.engine import ProximityEngine
from v2v.realtime import metrics
from v2v.realtime.between import Unreadable
from v2v.realtime.engine import Engine
from v2v.realtime.members import Members
from v2v.realtime.notices import Want
from v2v.realtime.presence import Entry
from v2v.tracking.live import Fix, LiveState, Track

LEAD_S = 0.02
"""So long before a tick moves go out. All processes tick at the same moments: what has arrived goes into the same tick
as if it had been reported here, and the way between processes costs this lead, not the wait for another tick."""

_ROOM = 4  # edges of a cell are so many times the exit radius at least
_MAX_CELLS = 200  # of a fleet; whoever listens to more takes the whole fleet
_AT_ONCE = 1_000  # moves in one message
_MAX_BYTES = 1024 * 1024
_ANEW_EVERY_S = 10.0  # also who stands still is told again, in turns: what was missed heals by itself
_TURNS = 50
_FORGOTTEN_S = 3 * _ANEW_EVERY_S


class Move(Struct, frozen=True, array_like=True):
    """A vehicle's position; units as in `Fix`."""

    vehicle_id: str
    vehicle_pk: int
    lat: float
    lng: float
    ts: int
    speed: float | None
    heading: float | None
    battery: float | None
    signal: float | None


class Message(Struct, frozen=True, array_like=True):
    """Moves of one fleet's vehicles that the process holds."""

    process: str
    fleet: int
    moves: list[Move]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


def resolution_for(exit_radius_m: float) -> int:
    """The finest H3 resolution at which whoever is near a vehicle surely stands in its cell or one beside it.

    The way from a cell to the next but one is an edge of a cell at least. H3's edges differ by a third from their mean,
    a vehicle drives on for a second before its process listens anew, and cells that are larger yet cost less: most
    vehicles that they bring in vain are of a town that the process listens to anyway.
    """
    finest_first = range(9, 0, -1)
    edges_m = ((each, h3.average_hexagon_edge_length(each, unit="m")) for each in finest_first)
    return next((each for each, edge_m in edges_m if edge_m >= _ROOM * exit_radius_m), 0)


@lru_cache(maxsize=20_000)
def _around(cell: int) -> frozenset[int]:
    return frozenset(h3.grid_disk(cell, 1))


class Moves:
    """`publish` runs LEAD_S before each tick, `listen` once a second."""

    def __init__(self, engine: Engine, live: LiveState, members: Members, proximity: ProximityEngine) -> None:
        self._engine = engine
        self._live = live
        self._members = members
        self._relay = members.relay
        self._resolution = resolution_for(proximity.exit_radius_m)
        self._told: dict[int, int] = {}  # time of the last fix that went out, by slot
        self._fresh: dict[int, float] = {}  # when others last told of a vehicle (monotonic seconds), by slot
        self._channels: frozenset[str] = frozenset()
        self._asked: set[str] = set()  # channels on which others want to hear of all
        self._turn = 0
        self._held: set[int] = set()  # slots of the vehicles that are here, by a socket or otherwise
        self._relay.positions = self.take
        self._relay.up_listeners.append(self._forget_channels)
        self._relay.on(Want, self._wanted)
        engine.presence.here_listeners.append(self._here_changed)
        engine.presence_listeners.append(self._presence_changed)

    # ---- Out

    def publish(self) -> None:
        """Tell the others who moved, who has not been told of for a while, and all whom they ask for."""
        if not self._members.others:
            return
        told = {track.slot: (track, fix) for track, fix in self._due_again()}
        told |= {t.slot: (t, fix) for t, fix in self._live.waiting_here() if self._told.get(t.slot) != fix.ts}
        by_channel = self._by_channel(told.values())
        if self._asked:
            asked, self._asked = self._asked, set()
            answers = self._by_channel(self._ours(self._held))
            by_channel |= {channel: answers[channel] for channel in asked & answers.keys()}
        if by_channel:
            self._relay.publisher.positions(self._messages(by_channel))

    def _ours(self, slots: Iterable[int]) -> list[tuple[Track, Fix]]:
        """Of these vehicles those whose newest fixes came to this process."""
        tracks = (self._live.tracks[slot] for slot in slots)
        return [(track, fix) for track in tracks if (fix := track.newest) is not None and not fix.remote]

    def _due_again(self) -> list[tuple[Track, Fix]]:
        turn = int(self._engine.clock.monotonic() / _ANEW_EVERY_S * _TURNS)
        due = {each % _TURNS for each in range(max(self._turn, turn - _TURNS) + 1, turn + 1)}
        self._turn = turn
        return self._ours(slot for slot in self._held if slot % _TURNS in due)

    def _by_channel(self, fixes: Iterable[tuple[Track, Fix]]) -> dict[str, tuple[int, list[Raw]]]:
        """The fleet and the encoded moves for each channel: that of the cell, and that of the fleet."""
        found: dict[str, tuple[int, list[Raw]]] = {}
        for track, fix in fixes:
            self._told[track.slot] = fix.ts
            move = Raw(_encode(_move(track, fix)))
            cell = h3.latlng_to_cell(fix.lat, fix.lng, self._resolution)
            for channel in (self._channel(track.fleet, cell), self._channel(track.fleet)):
                found.setdefault(channel, (track.fleet, []))[1].append(move)
        return found

    def _messages(self, by_channel: dict[str, tuple[int, list[Raw]]]) -> list[tuple[str, bytes]]:
        return [
            (channel, _encode((self._members.process, fleet, moves[begin : begin + _AT_ONCE])))
            for channel, (fleet, moves) in by_channel.items()
            for begin in range(0, len(moves), _AT_ONCE)
        ]

    def _channel(self, fleet: int, cell: int | None = None) -> str:
        return self._relay.address.name("moves", fleet, "all" if cell is None else format(cell, "x"))

    # ---- In

    def take(self, payload: bytes) -> None:
        """A message of another process. Raises Unreadable."""
        if len(payload) > _MAX_BYTES:
            raise Unreadable(f"{len(payload)} bytes")
        try:
            message = _decode(payload)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Unreadable(str(error)) from None
        if message.process == self._members.process:
            return
        metrics.CONSUMED.labels("moves").inc()
        now = self._engine.clock.monotonic()
        for move in message.moves:
            self._mirror(move, message.fleet, now)

    def _mirror(self, move: Move, fleet: int, now: float) -> None:
        track = self._live.by_vehicle.get(move.vehicle_id)
        if track is None:
            track = self._live.track_of(vehicle_id=move.vehicle_id, vehicle_pk=move.vehicle_pk, fleet=fleet)
        if track.fleet != fleet:  # it has just changed its fleet: the word of that is on its way, or was faster
            return
        self._fresh[track.slot] = now
        fix = Fix(
            lat=move.lat,
            lng=move.lng,
            ts=move.ts,
            received_at=now,
            speed=move.speed,
            heading=move.heading,
            battery=move.battery,
            signal=move.signal,
            remote=True,
        )
        self._live.mirror(track, fix)
        if not track.is_active:
            entry = self._engine.presence.entries.get(move.vehicle_id)
            if entry is not None and entry.status == "online":
                self._live.set_active(track, True)

    def _presence_changed(self, entry: Entry) -> None:
        """A vehicle of another process counts as near while that one tells where it is, and not by an old position."""
        if entry.here == "offline" and entry.slot not in self._fresh:
            self._live.set_active(self._live.tracks[entry.slot], False)

    def _here_changed(self, entry: Entry) -> None:
        if entry.here != "offline":
            self._held.add(entry.slot)
            return
        self._held.discard(entry.slot)
        self._fresh[entry.slot] = self._engine.clock.monotonic()  # if others hold it, they go on telling

    def _forget_the_old(self) -> None:
        before = self._engine.clock.monotonic() - _FORGOTTEN_S
        for slot in [slot for slot, at in self._fresh.items() if at < before]:
            del self._fresh[slot]
            if slot not in self._held:
                self._live.set_active(self._live.tracks[slot], False)

    # ---- What to listen to

    async def listen(self) -> None:
        """Listen round our vehicles and to our dispatchers' fleets, and ask on new channels who is there already."""
        self._forget_the_old()
        channels = self._wanted_channels()
        new = channels - self._channels
        self._channels = channels
        await self._relay.listen_to(channels)
        if new:
            self._relay.publisher.tell_notice(Want(self._members.process, tuple(new)))

    def _wanted_channels(self) -> frozenset[str]:
        whole = self._dispatched_fleets()
        cells: defaultdict[int, set[int]] = defaultdict(set)
        for slot in self._engine.hub.by_slot:
            track = self._live.tracks[slot]
            if (fix := track.newest) is not None and track.fleet not in whole:
                cells[track.fleet].add(h3.latlng_to_cell(fix.lat, fix.lng, self._resolution))
        channels = {self._channel(fleet) for fleet in whole}
        for fleet, centers in cells.items():
            around = frozenset().union(*map(_around, centers))
            if len(around) > _MAX_CELLS:
                channels.add(self._channel(fleet))
            else:
                channels |= {self._channel(fleet, cell) for cell in around}
        return frozenset(channels)

    def _dispatched_fleets(self) -> set[int]:
        """The fleets that dispatchers here may see. What is outside of their views they are shown now and then, too."""
        seen = {session.fleets for session in self._engine.hub.dispatchers}
        if None in seen:
            return {entry.fleet for entry in self._engine.presence.entries.values()}
        return set().union(*(fleets for fleets in seen if fleets is not None))

    def _wanted(self, want: Want) -> None:
        if want.process != self._members.process:
            self._asked.update(want.channels)

    def _forget_channels(self) -> None:
        """What was said while Redis was away is asked for anew."""
        self._channels = frozenset()


def _move(track: Track, fix: Fix) -> Move:
    return Move(
        track.vehicle_id, track.vehicle_pk, fix.lat, fix.lng, fix.ts, fix.speed, fix.heading, fix.battery, fix.signal
    )

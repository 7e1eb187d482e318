"""A Meshtastic radio on a serial port as a link: the same payloads in and out as on the own frame.

The radio repeats, relays and answers by itself; we hand it one packet at a time and learn what became of it. An
emergency is a text that says so, of the priority of an alert, since whoever holds the other radio reads it; a text that
begins with SOS, MAYDAY or EMERGENCY is one.
"""

import heapq
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

from radio.link import meshtastic_wire as wire
from radio.link.meshtastic_payloads import packet_encode, packet_received
from radio.link.payloads import BadPayload, Flaw, Position, Status
from radio.link.protocol import ALERT_ROOM, MAX_ITEMS, NO_ANSWER
from radio.link.repeats import Repeats
from radio.link.traffic import (
    Acked,
    Failed,
    Full,
    HeardAgain,
    LinkEvent,
    LinkLost,
    NodeNamed,
    Outgoing,
    Priority,
    Received,
    Relayed,
    Sent,
    State,
    StateChanged,
)

HANDSHAKE_S = 5.0
HANDSHAKES = 3  # then the port is opened anew
HEARTBEAT_S = 60.0  # a radio takes a silent port for one that nobody reads after some minutes
TAKEN_S = 5.0  # how long a radio may take to say that it has queued a packet
RESULT_S = 120.0  # it sends three times, and a packet at long range takes seconds
MAX_PLACES = 5_000
HOPS = 3  # of a packet, unless the radio is set otherwise: 0 would keep it from being passed on


@dataclass(slots=True, kw_only=True)
class _Item:
    key: int
    port: wire.Port
    body: bytes
    to: int
    priority: int
    wants_ack: bool
    id: int | None
    attempts: int = 0
    deadline: float | None = None


class MeshtasticLink:
    """The conversation with one radio. Packets are numbered from `first_sequence`, 0 left out."""

    def __init__(self, *, first_sequence: int = 0) -> None:
        self.address: int | None = None
        self.counts: Counter[str] = Counter()
        self._decoder = wire.StreamDecoder(self.counts)
        self._next_id = first_sequence & 0xFFFFFFFF
        self._order = itertools.count()
        self._queue: list[tuple[int, int, _Item]] = []
        self._open: dict[int, _Item] = {}
        self._held = 0
        self._events: list[LinkEvent] = []
        self._repeats = Repeats()
        self._failed_to: set[int] = set()
        self._places: dict[int, tuple[float, float]] = {}
        self._hops = HOPS
        self._up = False
        self._handshakes = 0
        self._ask_at = 0.0
        self._beat_at = 0.0
        self._handed: int | None = None  # the packet that the radio has not taken yet
        self._handed_at = 0.0

    def opened(self, now: float) -> None:
        """The port is open; the link is up once the radio has told its state."""
        self._handshakes = 0
        self._ask_at = now

    def closed(self, now: float, reason: str) -> None:
        """The port was lost: what the radio has is taken up again, and its results are still good."""
        del now
        self._up = False
        self._handed = None
        self._decoder = wire.StreamDecoder(self.counts)
        for item in list(self._open.values()):
            if item.deadline is not None:
                item.attempts -= 1
                self._enqueue(item)
        self._events.append(StateChanged(state=State.AWAY, reason=reason))

    def offer(self, item: Outgoing) -> None:
        """Queue an item. Raises Full, or BadPayload for what such a radio does not carry: a hello, a text too long."""
        if self._held >= MAX_ITEMS + (ALERT_ROOM if item.priority >= Priority.ALERT else 0):
            raise Full
        port, body = packet_encode(item.payload)
        to = wire.BROADCAST if item.recipient is None else item.recipient
        if not 0 <= to <= wire.BROADCAST:
            raise BadPayload(Flaw.RANGE)
        entry = _Item(
            key=item.key,
            port=port,
            body=body,
            to=to,
            priority=item.priority,
            wants_ack=item.wants_ack,
            id=None,
        )
        if item.sequence and item.sequence not in self._open:
            entry.id = item.sequence
            self._open[item.sequence] = entry
        self._held += 1
        self._enqueue(entry)

    def acknowledge(self, received: Received, status: Status, now: float) -> None:
        """Nothing: the radio has answered already."""

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the radio."""
        for from_radio in self._decoder.feed(data):
            self._from_radio(from_radio, now)

    def transmit(self, now: float) -> bytes:
        """What to write next. Raises LinkLost when the radio says nothing of itself."""
        if not self._up:
            return self._handshake(now)
        for item in [item for item in self._open.values() if item.deadline is not None and item.deadline <= now]:
            self._fail(item, NO_ANSWER)
        if self._handed is not None:
            if now < self._handed_at + TAKEN_S:
                return b""
            self._handed = None
        while self._queue:
            _, _, item = heapq.heappop(self._queue)
            if item.id is None or self._open.get(item.id) is item:
                return self._send(item, now)
        if now >= self._beat_at:
            self._beat_at = now + HEARTBEAT_S
            beat = wire.ToRadio()
            beat.heartbeat.SetInParent()
            return wire.framed(beat)
        return b""

    def take_events(self) -> list[LinkEvent]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def _handshake(self, now: float) -> bytes:
        if now < self._ask_at:
            return b""
        if self._handshakes == HANDSHAKES:
            raise LinkLost("No answer from a Meshtastic radio")
        self._handshakes += 1
        self._ask_at = now + HANDSHAKE_S
        return wire.WAKE + wire.framed(wire.ToRadio(want_config_id=self._handshakes))

    def _enqueue(self, item: _Item) -> None:
        item.deadline = None
        heapq.heappush(self._queue, (-item.priority, next(self._order), item))

    def _send(self, item: _Item, now: float) -> bytes:
        if item.id is None:
            while self._next_id == 0 or self._next_id in self._open:
                self._next_id = (self._next_id + 1) & 0xFFFFFFFF
            item.id = self._next_id
            self._open[item.id] = item
            self._next_id = (self._next_id + 1) & 0xFFFFFFFF
        packet = wire.MeshPacket(to=item.to, id=item.id, want_ack=item.wants_ack, priority=item.priority)
        packet.hop_limit = self._hops
        packet.decoded.portnum = item.port
        packet.decoded.payload = item.body
        item.attempts += 1
        item.deadline = now + RESULT_S
        self._handed, self._handed_at = item.id, now
        self.counts["sent"] += 1
        self._events.append(Sent(key=item.key, sequence=item.id, attempt=item.attempts))
        if not item.wants_ack:
            self._end(item)
        return wire.framed(wire.ToRadio(packet=packet))

    def _end(self, item: _Item) -> None:
        if item.id is not None:
            del self._open[item.id]
        self._held -= 1

    def _fail(self, item: _Item, reason: str) -> None:
        self._end(item)
        if item.to != wire.BROADCAST and reason == NO_ANSWER:
            self._failed_to.add(item.to)
        self._events.append(Failed(key=item.key, reason=reason))

    def _from_radio(self, told: Any, now: float) -> None:
        if told.HasField("packet"):
            self._packet(told.packet, now)
        elif told.HasField("my_info"):
            self.address = told.my_info.my_node_num
        elif told.HasField("config"):
            self._hops = told.config.lora.hop_limit or self._hops
        elif told.HasField("node_info"):
            self._node_info(told.node_info)
        elif told.HasField("queue_status"):
            self._queue_status(told.queue_status)
        elif told.config_complete_id and told.config_complete_id == self._handshakes and not self._up:
            self._up = True
            self._beat_at = now + HEARTBEAT_S
            self._events.append(StateChanged(state=State.UP))
        elif told.rebooted:
            # not LinkLost: to open the port starts some boards anew, and so for ever
            self.closed(now, "The radio has started anew")
            self.opened(now)

    def _node_info(self, info: Any) -> None:
        name = info.user.long_name or info.user.short_name or info.user.id
        battery = info.device_metrics.battery_level
        if name and info.num != self.address:
            # 101 stands for a radio on mains
            self._events.append(NodeNamed(node=info.num, name=name, battery=min(battery, 100) or None))

    def _queue_status(self, status: Any) -> None:
        if status.mesh_packet_id != self._handed:
            return
        self._handed = None
        item = self._open.get(status.mesh_packet_id)
        if status.res and item is not None:
            self._fail(item, wire.ROUTING_ERRORS.get(status.res, "radio_refused"))

    def _packet(self, packet: Any, now: float) -> None:
        if packet.decoded.portnum == wire.Port.ROUTING:
            self._result(packet)
            return
        if packet.sender in (0, self.address):
            return
        if packet.sender in self._failed_to:
            self._failed_to.remove(packet.sender)
            self._events.append(HeardAgain(node=packet.sender))
        if not packet.HasField("decoded"):
            self.counts["encrypted"] += 1
            return
        if self._repeats.heard((packet.sender, packet.id, 0), now)[0]:
            self.counts["repeats"] += 1
            return
        if packet.decoded.portnum == wire.Port.NODE_INFO:
            user = wire.parse(wire.User, packet.decoded.payload)
            if user is not None and user.long_name:
                self._events.append(NodeNamed(node=packet.sender, name=user.long_name))
        else:
            self._payloads(packet)

    def _payloads(self, packet: Any) -> None:
        try:
            received = packet_received(packet, self._places.get(packet.sender))
        except BadPayload as error:
            self.counts[f"payload_{error.flaw}"] += 1
            return
        self._events += received
        for event in received:
            if isinstance(event.payload, Position) and (len(self._places) < MAX_PLACES or event.sender in self._places):
                self._places[event.sender] = (event.payload.lat, event.payload.lng)

    def _result(self, packet: Any) -> None:
        item = self._open.get(packet.decoded.request_id)
        routing = wire.parse(wire.Routing, packet.decoded.payload)
        if item is None or routing is None:
            return
        if routing.error_reason:
            self._fail(item, wire.ROUTING_ERRORS.get(routing.error_reason, "radio_refused"))
        elif packet.sender == item.to:
            self._end(item)
            self._events.append(Acked(key=item.key))
        else:  # our own radio tells that it heard another one pass it on
            self._events.append(Relayed(key=item.key))
            if item.to == wire.BROADCAST:
                self._end(item)

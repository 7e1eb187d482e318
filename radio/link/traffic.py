"""The words between a radio link and who uses it: what goes out, and what the link tells."""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from radio.link.payloads import Payload, Status


class Priority(IntEnum):
    """What goes first (as Meshtastic ranks it: MeshPacket.Priority)."""

    BACKGROUND = 10
    DEFAULT = 64
    RELIABLE = 70
    ALERT = 110
    ACK = 120


class State(StrEnum):
    """Of a link: `up` only while the modem answers, or for the own frame, while the port is open."""

    AWAY = "away"
    UP = "up"
    CLOSED = "closed"


class LinkLost(Exception):
    """The modem is there but does not answer: the port is to be opened anew."""


class Full(Exception):
    """The link has as many items as it holds; offer this one again once others are acked or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One payload to send. Events about it carry `key`, which is the caller's own.

    One that was sent before a restart and is offered again keeps its `sequence`: who has it already then knows it as
    a repeat. Without one the link gives it the next. A recipient of None is everybody; nobody answers what went to
    everybody but an emergency.
    """

    key: int
    payload: Payload
    recipient: int | None = None
    priority: Priority = Priority.DEFAULT
    wants_ack: bool = False
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """It was handed to the modem, for the `attempt`-th time (from 1). Without `wants_ack` this is the last event."""

    key: int
    sequence: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """Another radio passed it on; its recipient may not have it yet (Meshtastic only)."""

    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """Its recipient has it. The item is done."""

    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It was given up: no answer after the last attempt, refused by the recipient or by the radio, or unfit to send."""

    key: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A payload from the air. With `wants_ack` it is repeated until `RadioLink.acknowledge` has answered it.

    It may come more than once until then: only what was acknowledged is known as a repeat (for 10 minutes). What a
    Meshtastic radio hands on it has answered itself: that comes once, without `wants_ack`. `rssi` in
    dBm and `snr` in dB are of the last hop, None where the modem does not say. A `recipient` of None is everybody; one
    that is not the link's own was overheard. `check` is a checksum of what the frame carries: together with sender
    and sequence it names this frame among all of 10 minutes.
    """

    sender: int
    recipient: int | None
    sequence: int
    payload: Payload
    wants_ack: bool
    check: int
    rssi: int | None = None
    snr: float | None = None
    hops: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardAgain:
    """A node to which something has failed was heard: what failed may be offered anew."""

    node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeNamed:
    """What a Meshtastic radio knows about a node, not heard just now; `battery` in percent."""

    node: int
    name: str
    battery: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The link came up or went away; `reason` in words of the operating system."""

    state: State
    reason: str = ""


LinkEvent = Sent | Relayed | Acked | Failed | Received | HeardAgain | NodeNamed | StateChanged

ANSWERS = frozenset({Status.ACCEPTED, Status.REFUSED})


class Conversation(Protocol):
    """What one kind of modem is told and asked, without input or output: bytes and the clock are passed in.

    `now` is any clock in seconds that only goes forward.
    """

    counts: Counter[str]

    def opened(self, now: float) -> None:
        """The port is open."""

    def closed(self, now: float, reason: str) -> None:
        """The port was lost, or could not be opened."""

    def offer(self, item: Outgoing) -> None:
        """Queue it. Raises `Full`, and `BadPayload` for what cannot be sent at all."""

    def acknowledge(self, received: Received, status: Status, now: float) -> None:
        """Answer a frame that wants it."""

    def receive(self, data: bytes, now: float) -> None:
        """Bytes that came."""

    def transmit(self, now: float) -> bytes:
        """The bytes to write next; none when nothing may go out now. Raises LinkLost."""

    def take_events(self) -> list[LinkEvent]:
        """What happened since the last call."""

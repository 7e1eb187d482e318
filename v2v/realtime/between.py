"""Messages between processes as bytes. What comes is checked like a client's: its size, its types, its events."""

import msgspec
from msgspec import Struct

from v2v.protocol import events
from v2v.realtime.audience import Audience
from v2v.realtime.notices import AnyNotice

MAX_BYTES = 256 * 1024

# What a service may tell: never an answer, a snapshot, or anything about one connection.
Relayed = (
    events.VehicleUpdated
    | events.VehicleRemoved
    | events.GeofenceEvent
    | events.GeofenceUpdated
    | events.GeofenceRemoved
    | events.EmergencyAlert
    | events.AlertUpdated
    | events.Message
    | events.MessageStatus
    | events.CallIncoming
    | events.CallState
    | events.WebrtcOffer
    | events.WebrtcAnswer
    | events.WebrtcIceCandidate
    | events.LockAcquired
    | events.LockReleased
    | events.LockExpired
    | events.RadioText
)


class Told(Struct, frozen=True, array_like=True):
    """An event, as its clients get it, for everybody of the audience."""

    audience: Audience
    event: bytes


class Envelope(Struct, frozen=True, array_like=True):
    """`source` is new with each start of a process, `number` its running number: so nothing counts twice."""

    source: str
    number: int
    told: Told | None = None
    notice: AnyNotice | None = None


class Unreadable(Exception):
    """What came is none of ours, or of another version."""


encode_envelope = msgspec.msgpack.Encoder().encode
_decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
_decode_event = msgspec.json.Decoder(Relayed).decode


def decode_envelope(payload: bytes) -> Envelope:
    """Raises Unreadable."""
    if len(payload) > MAX_BYTES:
        raise Unreadable(f"{len(payload)} bytes")
    try:
        return _decode_envelope(payload)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def decode_event(told: Told) -> events.Event:
    """The event of one that was told. Raises Unreadable."""
    try:
        event: events.Event = _decode_event(told.event)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    return event

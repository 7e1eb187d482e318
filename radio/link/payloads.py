"""What a radio frame carries: positions, texts, emergencies, names, control; typed, and as bytes.

Layouts are big-endian. Whoever decodes gets a payload in which every value is within its range, or `BadPayload`.
"""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from v2v.protocol.commands import AlertType, Severity
from v2v.protocol.fields import VEHICLE_ID_PATTERN

MAX_PAYLOAD_BYTES = 200
MAX_PARTS = 16
MAX_SPEED_MPS = 200.0
UNKNOWN_U16 = 0xFFFF  # no speed, no heading
UNKNOWN_I32 = 0x7FFFFFFF  # no latitude, no longitude
DRILL_BIT = 0x80  # of an emergency's type

_POSITION = struct.Struct(">iiHHI")
_TEXT = struct.Struct(">BBB")
_EMERGENCY = struct.Struct(">BBii")
_CONTROL = struct.Struct(">HB")
MAX_PART_BYTES = MAX_PAYLOAD_BYTES - _TEXT.size
MAX_EMERGENCY_TEXT_BYTES = MAX_PAYLOAD_BYTES - _EMERGENCY.size
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_VEHICLE_ID = re.compile(VEHICLE_ID_PATTERN)

# In the order of their numbers on air, which begin at 1.
EMERGENCY_TYPES: tuple[AlertType, ...] = ("crash", "medical", "breakdown", "hazard", "security", "other")
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class FrameType(IntEnum):
    """The type byte of a frame, without the bit that says that a signal is behind it."""

    POSITION = 0x01
    TEXT = 0x02
    EMERGENCY = 0x03
    HELLO = 0x04
    CONTROL = 0x10


class Status(IntEnum):
    """What a control frame says of the frame that it names.

    The first two answer a frame and end its repeats. The others tell, later, how an emergency stands; they are
    themselves answered like any frame to one recipient. `CANCELLED` also comes from the sender of the emergency.
    """

    ACCEPTED = 0
    REFUSED = 1
    DISPLAYED = 2
    ACKNOWLEDGED = 3
    RESOLVED = 4
    CANCELLED = 5


class Flaw(StrEnum):
    """Why a payload was refused."""

    LENGTH = "length"
    RANGE = "range"
    TEXT = "text"
    TYPE = "type"


class BadPayload(ValueError):
    """A payload that cannot be read, or cannot be sent; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a vehicle is: degrees WGS 84, meters per second, degrees from true north, and its clock in epoch seconds.

    What the vehicle does not know is None.
    """

    lat: float
    lng: float
    speed: float | None = None
    heading: float | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, or one part of a longer one: the parts of one text share its `group`. `part` counts from 0."""

    content: str
    part: int = 0
    parts: int = 1
    group: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A call for help; where, when it is known; whether it is only a drill."""

    type: AlertType = "other"
    severity: Severity = "critical"
    lat: float | None = None
    lng: float | None = None
    content: str = ""
    drill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Which vehicle an address speaks for."""

    vehicle_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """How the frame with that sequence number stands, of those that the recipient of this one has sent."""

    sequence: int
    status: Status = Status.ACCEPTED


Payload = Position | Text | Emergency | Hello | Control


def payload_type(payload: Payload) -> FrameType:
    """The type byte of the frame that carries it."""
    return _TYPES[type(payload)]


def payload_encode(payload: Payload) -> bytes:
    """At most 200 bytes. Raises BadPayload for what no receiver would take."""
    match payload:
        case Position():
            speed = _hundredths(payload.speed, MAX_SPEED_MPS)
            heading = _hundredths(payload.heading, 360)
            heading = 0 if heading == 36_000 else heading
            return _POSITION.pack(
                _degrees(payload.lat, 90), _degrees(payload.lng, 180), speed, heading, _u32(payload.at)
            )
        case Text():
            content = _text_encode(payload.content, MAX_PART_BYTES)
            _in_range(0 <= payload.part < payload.parts <= MAX_PARTS and 0 <= payload.group <= 0xFF and bool(content))
            return _TEXT.pack(payload.group, payload.part, payload.parts) + content
        case Emergency():
            return _emergency_encode(payload)
        case Hello():
            if not _VEHICLE_ID.match(payload.vehicle_id):
                raise BadPayload(Flaw.TEXT)
            return payload.vehicle_id.encode()
        case Control():
            _in_range(0 <= payload.sequence <= 0xFFFF)
            return _CONTROL.pack(payload.sequence, payload.status)


def payload_decode(frame_type: int, data: bytes) -> Payload:
    """The payload of a frame of that type. Raises BadPayload."""
    decode = _DECODERS.get(frame_type)
    if decode is None:
        raise BadPayload(Flaw.TYPE)
    return decode(data)


def text_parts(content: str, group: int) -> list[Text]:
    """A text of any length in parts that a frame holds, cut between characters; `group` (0..255) tells texts apart.

    Raises BadPayload when it needs more than 16 parts, or has nothing in it.
    """
    pieces: list[str] = []
    piece: list[str] = []
    size = 0
    for character in content:
        length = len(character.encode(errors="replace"))
        if size + length > MAX_PART_BYTES:
            pieces.append("".join(piece))
            piece, size = [], 0
        piece.append(character)
        size += length
    if piece:
        pieces.append("".join(piece))
    if not 1 <= len(pieces) <= MAX_PARTS:
        raise BadPayload(Flaw.LENGTH)
    return [Text(content=text, part=part, parts=len(pieces), group=group) for part, text in enumerate(pieces)]


def _position_decode(data: bytes) -> Position:
    lat, lng, speed, heading, at = _unpack(_POSITION, data)
    _in_range(speed == UNKNOWN_U16 or speed <= MAX_SPEED_MPS * 100)
    _in_range(heading == UNKNOWN_U16 or heading < 36_000)
    return Position(
        lat=_from_degrees(lat, 90),
        lng=_from_degrees(lng, 180),
        speed=None if speed == UNKNOWN_U16 else speed / 100,
        heading=None if heading == UNKNOWN_U16 else heading / 100,
        at=at or None,
    )


def _text_decode(data: bytes) -> Text:
    group, part, parts = _unpack(_TEXT, data[: _TEXT.size])
    _in_range(part < parts <= MAX_PARTS)
    content = _utf8(data[_TEXT.size :])
    if not content:
        raise BadPayload(Flaw.LENGTH)
    return Text(content=content, part=part, parts=parts, group=group)


def _emergency_encode(payload: Emergency) -> bytes:
    _in_range((payload.lat is None) == (payload.lng is None))
    kind = EMERGENCY_TYPES.index(payload.type) + 1 | (DRILL_BIT if payload.drill else 0)
    lat = UNKNOWN_I32 if payload.lat is None else _degrees(payload.lat, 90)
    lng = UNKNOWN_I32 if payload.lng is None else _degrees(payload.lng, 180)
    content = _text_encode(payload.content, MAX_EMERGENCY_TEXT_BYTES)
    return _EMERGENCY.pack(kind, SEVERITIES.index(payload.severity) + 1, lat, lng) + content


def _emergency_decode(data: bytes) -> Emergency:
    kind, severity, lat, lng = _unpack(_EMERGENCY, data[: _EMERGENCY.size])
    kind, drill = kind & ~DRILL_BIT, bool(kind & DRILL_BIT)
    _in_range(1 <= kind <= len(EMERGENCY_TYPES) and 1 <= severity <= len(SEVERITIES))
    known = lat != UNKNOWN_I32
    _in_range(known == (lng != UNKNOWN_I32))
    return Emergency(
        type=EMERGENCY_TYPES[kind - 1],
        severity=SEVERITIES[severity - 1],
        lat=_from_degrees(lat, 90) if known else None,
        lng=_from_degrees(lng, 180) if known else None,
        content=_utf8(data[_EMERGENCY.size :]),
        drill=drill,
    )


def _hello_decode(data: bytes) -> Hello:
    vehicle_id = _utf8(data)
    if not _VEHICLE_ID.match(vehicle_id):
        raise BadPayload(Flaw.TEXT)
    return Hello(vehicle_id=vehicle_id)


def _control_decode(data: bytes) -> Control:
    sequence, status = _unpack(_CONTROL, data)
    _in_range(status <= max(Status))
    return Control(sequence=sequence, status=Status(status))


def _unpack(layout: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) != layout.size:
        raise BadPayload(Flaw.LENGTH)
    return layout.unpack(data)


def _in_range(holds: bool) -> None:
    if not holds:
        raise BadPayload(Flaw.RANGE)


def _hundredths(value: float | None, limit: float) -> int:
    if value is None:
        return UNKNOWN_U16
    _in_range(0 <= value <= limit)  # NaN is not
    return round(value * 100)


def _degrees(value: float, limit: int) -> int:
    _in_range(math.fabs(value) <= limit)
    return round(value * 10_000_000)


def _from_degrees(value: int, limit: int) -> float:
    _in_range(abs(value) <= limit * 10_000_000)
    return value / 10_000_000


def _u32(value: int | None) -> int:
    _in_range(value is None or 0 < value <= 0xFFFFFFFF)
    return value or 0


def _text_encode(content: str, limit: int) -> bytes:
    try:
        data = content.encode()
    except UnicodeEncodeError:
        raise BadPayload(Flaw.TEXT) from None
    if len(data) > limit:
        raise BadPayload(Flaw.LENGTH)
    if _CONTROL_CHARACTERS.search(content):
        raise BadPayload(Flaw.TEXT)
    return data


def _utf8(data: bytes) -> str:
    try:
        content = data.decode()
    except UnicodeDecodeError:
        raise BadPayload(Flaw.TEXT) from None
    if _CONTROL_CHARACTERS.search(content):
        raise BadPayload(Flaw.TEXT)
    return content


_TYPES: dict[type[Payload], FrameType] = {
    Position: FrameType.POSITION,
    Text: FrameType.TEXT,
    Emergency: FrameType.EMERGENCY,
    Hello: FrameType.HELLO,
    Control: FrameType.CONTROL,
}
_DECODERS: dict[int, Callable[[bytes], Payload]] = {
    FrameType.POSITION: _position_decode,
    FrameType.TEXT: _text_decode,
    FrameType.EMERGENCY: _emergency_decode,
    FrameType.HELLO: _hello_decode,
    FrameType.CONTROL: _control_decode,
}

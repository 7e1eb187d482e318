"""What a radio frame carries: positions, texts, emergencies, names, control; typed, and as bytes.

Layouts are big-endian. Whoever decodes gets a payload in which every value is within its range, or `BadPayload`.
"""

import math
import re
import struct
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal, get_args

from v2v.protocol.fields import MAX_CONTENT_CHARS, VEHICLE_ID_PATTERN

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

EmergencyType = Literal["crash", "medical", "breakdown", "hazard", "security", "other"]
EmergencySeverity = Literal["critical", "high", "medium", "low"]
EMERGENCY_TYPES: tuple[EmergencyType, ...] = get_args(EmergencyType)  # on air: 1, 2, 3, ...
SEVERITIES: tuple[EmergencySeverity, ...] = get_args(EmergencySeverity)  # on air: 1, 2, 3, 4


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

    type: EmergencyType = "other"
    severity: EmergencySeverity = "critical"
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

"""Bytes of a serial line to frames, and frames to bytes. No input or output happens here.

A frame is COBS-encoded (Cheshire and Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking,
April 1999) and ends with 0x00, which occurs nowhere else: after any noise a receiver is back in step at the next one.
Inside, big-endian:

    version u8 | type u8 | sequence u16 | sender u16 | recipient u16 | length u8 | payload 0..200 | check

The check is over all before it: in version 1 CRC-16/CCITT-FALSE, in version 2, which is otherwise the same, CRC-32 (ISO
3309, as in zlib). A modem that reports the signal sets bit 0x80 of the type and puts `rssi i8 (dBm) | snr i8 (0.25 dB)`
behind the check, which stays that of the frame without the bit.
"""

import binascii
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from radio.link.payloads import MAX_PAYLOAD_BYTES, FrameType

BROADCAST = 0xFFFF
SIGNAL_BIT = 0x80
DELIMITER = b"\x00"
UNKNOWN_SIGNAL = -128

_HEADER = struct.Struct(">BBHHHB")
_SIGNAL = struct.Struct(">bb")
_TYPES = frozenset(FrameType)


class _Check(NamedTuple):
    size: int
    of: Callable[[bytes], int]


def _crc16(data: bytes) -> int:
    return binascii.crc_hqx(data, 0xFFFF)


_CHECKS = {1: _Check(2, _crc16), 2: _Check(4, zlib.crc32)}
VERSIONS = frozenset(_CHECKS)
MIN_FRAME_BYTES = _HEADER.size + 2
MAX_FRAME_BYTES = _HEADER.size + MAX_PAYLOAD_BYTES + 4 + _SIGNAL.size
MAX_CODED_BYTES = MAX_FRAME_BYTES + 1  # COBS adds one byte to each 254 begun


class Reason(StrEnum):
    """Why bytes between two delimiters are no frame."""

    TOO_LONG = "too_long"
    CODING = "coding"
    LENGTH = "length"
    VERSION = "version"
    TYPE = "type"
    CHECK = "check"
    ADDRESS = "address"


class BadFrame(ValueError):
    """Bytes that are no frame; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is on air. `rssi` in dBm and `snr` in dB, where the modem reports them."""

    type: FrameType
    sequence: int
    sender: int
    recipient: int = BROADCAST
    payload: bytes = b""
    version: int = 1
    rssi: int | None = None
    snr: float | None = None


def frame_encode(frame: Frame) -> bytes:
    """The bytes for the line, from delimiter to delimiter: the first ends whatever noise came before.

    Raises ValueError or struct.error when a value does not fit its field.
    """
    if len(frame.payload) > MAX_PAYLOAD_BYTES:
        raise ValueError("A payload has at most 200 bytes")
    check = _CHECKS[frame.version]
    head = (frame.version, frame.type, frame.sequence, frame.sender, frame.recipient, len(frame.payload))
    body = _HEADER.pack(*head) + frame.payload
    body += check.of(body).to_bytes(check.size)
    if frame.rssi is not None or frame.snr is not None:
        body = body[:1] + bytes([frame.type | SIGNAL_BIT]) + body[2:] + _signal_encode(frame.rssi, frame.snr)
    return DELIMITER + cobs_encode(body) + DELIMITER


def frame_decode(body: bytes) -> Frame:
    """The frame in these bytes, COBS undone. Raises BadFrame."""
    if not MIN_FRAME_BYTES <= len(body) <= MAX_FRAME_BYTES:
        raise BadFrame(Reason.LENGTH)
    version, kind, sequence, sender, recipient, length = _HEADER.unpack_from(body)
    check = _CHECKS.get(version)
    if check is None:
        raise BadFrame(Reason.VERSION)
    if kind & ~SIGNAL_BIT not in _TYPES:
        raise BadFrame(Reason.TYPE)
    end = _HEADER.size + length
    has_signal = bool(kind & SIGNAL_BIT)
    if len(body) != end + check.size + (_SIGNAL.size if has_signal else 0):
        raise BadFrame(Reason.LENGTH)
    kind &= ~SIGNAL_BIT
    if int.from_bytes(body[end : end + check.size]) != check.of(body[:1] + bytes([kind]) + body[2:end]):
        raise BadFrame(Reason.CHECK)
    if sender == BROADCAST:
        raise BadFrame(Reason.ADDRESS)
    rssi, snr = _signal_decode(body[-_SIGNAL.size :]) if has_signal else (None, None)
    return Frame(
        version=version,
        type=FrameType(kind),
        sequence=sequence,
        sender=sender,
        recipient=recipient,
        payload=body[_HEADER.size : end],
        rssi=rssi,
        snr=snr,
    )


class FrameDecoder:
    """Feed it what the line gives; it gives the frames. It holds at most one frame's bytes, whatever comes.

    `counts` says how many were good, and how many were refused for which reason.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._begun = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete, in order."""
        frames = []
        *ended, rest = data.split(DELIMITER)
        for piece in ended:
            frame = self._end(piece)
            if frame is not None:
                frames.append(frame)
        self._keep(rest)
        return frames

    def _end(self, piece: bytes) -> Frame | None:
        self._keep(piece)
        coded, self._begun = bytes(self._begun), bytearray()
        if self._skipping:
            self._skipping = False
            self.counts[Reason.TOO_LONG] += 1
        elif coded:  # between the delimiters of two frames there is nothing, and that is no error
            try:
                frame = frame_decode(cobs_decode(coded))
            except BadFrame as error:
                self.counts[error.reason] += 1
            else:
                self.counts["good"] += 1
                return frame
        return None

    def _keep(self, piece: bytes) -> None:
        if self._skipping or len(self._begun) + len(piece) > MAX_CODED_BYTES:
            self._skipping = True
            self._begun.clear()
        else:
            self._begun += piece


def cobs_encode(data: bytes) -> bytes:
    """The same without a zero: each zero becomes the distance to the next one, the first distance stands in front."""
    coded = bytearray()
    for run in data.split(DELIMITER):
        while len(run) >= 254:
            coded += b"\xff" + run[:254]
            run = run[254:]
        coded.append(len(run) + 1)
        coded += run
    return bytes(coded)


def cobs_decode(coded: bytes) -> bytes:
    """What was encoded. Raises BadFrame when a distance points beyond the end."""
    data = bytearray()
    at = 0
    while at < len(coded):
        distance = coded[at]
        run = coded[at + 1 : at + distance]
        if distance == 0 or len(run) != distance - 1:
            raise BadFrame(Reason.CODING)
        data += run
        at += distance
        if distance != 0xFF and at < len(coded):
            data.append(0)
    return bytes(data)


def _signal_encode(rssi: int | None, snr: float | None) -> bytes:
    return _SIGNAL.pack(
        UNKNOWN_SIGNAL if rssi is None else max(-127, min(127, rssi)),
        UNKNOWN_SIGNAL if snr is None else max(-127, min(127, round(snr * 4))),
    )


def _signal_decode(data: bytes) -> tuple[int | None, float | None]:
    rssi, snr = _SIGNAL.unpack(data)
    return None if rssi == UNKNOWN_SIGNAL else rssi, None if snr == UNKNOWN_SIGNAL else snr / 4

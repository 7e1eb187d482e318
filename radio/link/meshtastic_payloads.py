"""Our payloads as what Meshtastic radios carry, and back."""

import re
from dataclasses import replace
from typing import Any

from radio.link import meshtastic_wire as wire
from radio.link.payloads import (
    EMERGENCY_TYPES,
    MAX_EMERGENCY_TEXT_BYTES,
    MAX_SPEED_MPS,
    SEVERITIES,
    BadPayload,
    Control,
    Emergency,
    Flaw,
    Hello,
    Payload,
    Position,
    Status,
    Text,
    payload_encode,
    text_parts,
)
from radio.link.traffic import Received
from v2v.protocol.commands import AlertType, Severity

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # 0x07 rings the bell of the receiver
_EMERGENCY = re.compile(
    r"\W{0,3}(?:SOS|MAYDAY|EMERGENCY)\b(?P<drill>[ ,]+DRILL\b)?"
    rf"(?:[ ,]+(?P<type>{'|'.join(EMERGENCY_TYPES)})\b)?(?:[ ,]+(?P<severity>{'|'.join(SEVERITIES)})\b)?"
    r"(?:[ ,]+(?P<lat>-?\d{1,2}\.\d{1,7}),(?P<lng>-?\d{1,3}\.\d{1,7})(?!\d))?[ :,.!]{0,3}(?P<content>.*)",
    re.IGNORECASE | re.DOTALL,
)
_TYPES: dict[str, AlertType] = {kind: kind for kind in EMERGENCY_TYPES}
_SEVERITIES: dict[str, Severity] = {severity: severity for severity in SEVERITIES}
_STATUS_WORDS = {
    Status.ACCEPTED: "Your message was received.",
    Status.REFUSED: "Your message was refused.",
    Status.DISPLAYED: "A dispatcher sees your emergency.",
    Status.ACKNOWLEDGED: "A dispatcher has taken your emergency.",
    Status.RESOLVED: "Your emergency is closed.",
    Status.CANCELLED: "Your emergency is cancelled.",
}


def packet_encode(payload: Payload) -> tuple[wire.Port, bytes]:
    """The port and the bytes of a packet. Raises BadPayload for a hello: such a radio has a name of its own."""
    if isinstance(payload, Hello):
        raise BadPayload(Flaw.TYPE)
    if not isinstance(payload, Control):  # whose number is of 32 bits here
        payload_encode(payload)
    match payload:
        case Position():
            return wire.Port.POSITION, _position_encode(payload)
        case Text(parts=1):
            words = payload.content
        case Text():
            words = f"({payload.part + 1}/{payload.parts}) {payload.content}"
        case Emergency():
            words = _emergency_words(payload)
        case Control():
            words = _STATUS_WORDS[payload.status]
    return wire.Port.TEXT, words.encode()[: wire.MAX_TEXT_BYTES].decode(errors="ignore").encode()


def packet_received(packet: Any, place: tuple[float, float] | None) -> list[Received]:
    """What a packet carries: nothing for other applications, and more than one payload for what no frame holds.

    `place` is where its sender was last. Raises BadPayload.
    """
    port, data = packet.decoded.portnum, packet.decoded.payload
    payloads: list[Payload] = []
    if port == wire.Port.POSITION:
        payloads = [_position_decode(data)]
    elif port in (wire.Port.TEXT, wire.Port.ALERT):
        payloads = _text_decode(data, packet.id, place, is_alert=port == wire.Port.ALERT)
    told = bool(packet.rx_rssi)  # it is 0 where the radio does not know
    hops = packet.hop_start - packet.hop_limit
    return [
        Received(
            sender=packet.sender,
            recipient=None if packet.to == wire.BROADCAST else packet.to,
            sequence=packet.id,
            payload=payload,
            wants_ack=False,
            check=number,
            rssi=packet.rx_rssi if told else None,
            snr=packet.rx_snr if told else None,
            hops=hops if packet.hop_start and hops >= 0 else None,
        )
        for number, payload in enumerate(payloads)
    ]


def _position_encode(payload: Position) -> bytes:
    message = wire.Position(
        latitude_i=round(payload.lat * 10_000_000), longitude_i=round(payload.lng * 10_000_000), time=payload.at or 0
    )
    if payload.speed is not None:
        message.ground_speed = round(payload.speed)
    if payload.heading is not None:
        message.ground_track = round(payload.heading * 100)
    encoded: bytes = message.SerializeToString()
    return encoded


def _position_decode(data: bytes) -> Position:
    message = wire.parse(wire.Position, data)
    if message is None:
        raise BadPayload(Flaw.TYPE)
    lat, lng = message.latitude_i / 10_000_000, message.longitude_i / 10_000_000
    # 0, 0 is what a radio without a fix says; nobody drives there
    if (lat, lng) == (0, 0) or abs(lat) > 90 or abs(lng) > 180:
        raise BadPayload(Flaw.RANGE)
    moves = 0 < message.ground_speed <= MAX_SPEED_MPS  # proto3 does not tell 0 from unknown
    return Position(
        lat=lat,
        lng=lng,
        speed=float(message.ground_speed) if moves else None,
        heading=message.ground_track / 100 if moves and message.ground_track < 36_000 else None,
        at=message.timestamp or message.time or None,
    )


def _emergency_words(payload: Emergency) -> str:
    words = ["EMERGENCY", *(["DRILL"] if payload.drill else []), payload.type, payload.severity]
    if payload.lat is not None and payload.lng is not None:
        words.append(f"{payload.lat:.5f},{payload.lng:.5f}")
    return " ".join(words) + (f": {payload.content}" if payload.content else "")


def _text_decode(data: bytes, packet_id: int, place: tuple[float, float] | None, *, is_alert: bool) -> list[Payload]:
    words = _CONTROL_CHARACTERS.sub("", data.decode(errors="replace")).strip()
    found = _EMERGENCY.fullmatch(words)
    if found is None and not is_alert:
        return list(text_parts(words, packet_id & 0xFF))
    content = words if found is None else found["content"]
    head = content.encode()[:MAX_EMERGENCY_TEXT_BYTES].decode(errors="ignore")
    emergency = Emergency(content=head) if found is None else _emergency(found, head)
    if emergency.lat is None and place is not None:
        emergency = replace(emergency, lat=place[0], lng=place[1])
    rest = content[len(head) :]
    return [emergency, *(text_parts(rest, packet_id & 0xFF) if rest else [])]


def _emergency(found: re.Match[str], content: str) -> Emergency:
    lat, lng = (float(found["lat"]), float(found["lng"])) if found["lat"] else (None, None)
    if lat is not None and lng is not None and (abs(lat) > 90 or abs(lng) > 180):
        lat, lng = None, None
    return Emergency(
        type=_TYPES.get((found["type"] or "").lower(), "other"),
        severity=_SEVERITIES.get((found["severity"] or "").lower(), "critical"),
        lat=lat,
        lng=lng,
        content=content,
        drill=bool(found["drill"]),
    )

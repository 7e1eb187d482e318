"""Payloads of the link as the app keeps them: by kind, as JSON, in words; and parts that make a whole text."""

from collections.abc import Iterable
from typing import Any

import msgspec

from radio.link.payloads import Control, Emergency, Hello, Payload, Position, Text
from radio.models import RadioFrame

Kind = RadioFrame.Kind
_TYPES: dict[str, type[Payload]] = {
    Kind.POSITION: Position,
    Kind.TEXT: Text,
    Kind.EMERGENCY: Emergency,
    Kind.HELLO: Hello,
    Kind.CONTROL: Control,
}
_KINDS = {payload: kind for kind, payload in _TYPES.items()}


def kind_of(payload: Payload) -> str:
    """The kind of a payload."""
    return str(_KINDS[type(payload)])


def payload_stored(payload: Payload) -> dict[str, Any]:
    """As the database keeps it."""
    stored: dict[str, Any] = msgspec.to_builtins(payload)
    return stored


def payload_of(frame: RadioFrame) -> Payload:
    """What the row of a frame carries."""
    return msgspec.convert(frame.payload, _TYPES[frame.kind])


def summary_of(payload: Payload) -> str:
    """In words, for a list."""
    match payload:
        case Position():
            speed = "" if payload.speed is None else f", {payload.speed:.1f} m/s"
            heading = "" if payload.heading is None else f", {payload.heading:.0f}°"
            return f"{payload.lat:.5f}, {payload.lng:.5f}{speed}{heading}"
        case Text():
            part = "" if payload.parts == 1 else f"({payload.part + 1}/{payload.parts}) "
            return part + payload.content
        case Emergency():
            drill = "Exercise: " if payload.drill else ""
            text = f": {payload.content}" if payload.content else ""
            return f"{drill}{payload.type}, {payload.severity}{text}"
        case Hello():
            return payload.vehicle_id
        case Control():
            return f"{payload.status.name.capitalize()} (frame {payload.sequence})"


def text_whole(parts: Iterable[Text], *, of: Text) -> str | None:
    """The whole text to which the part `of` belongs, or None while some of it has not come."""
    found = [part for part in parts if (part.group, part.parts) == (of.group, of.parts)]
    by_number = {part.part: part.content for part in found} | {of.part: of.content}
    return "".join(by_number[n] for n in range(of.parts)) if len(by_number) == of.parts else None

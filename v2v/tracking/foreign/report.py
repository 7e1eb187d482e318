"""What all foreign protocols share: lenient where a device leaves gaps, strict about where it was and when."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import AlertType, LocationData
from v2v.protocol.decode import Refusal, decode_location
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.fields import AccuracyM, AltitudeM, Heading, Percent, SpeedMps

_OPTIONAL: dict[str, Any] = {
    "speed": SpeedMps,
    "heading": Heading,
    "accuracy": AccuracyM,
    "altitude": AltitudeM,
    "battery": Percent,
    "ignition": bool,
    "alarm": AlertType,
}


@dataclass(frozen=True, slots=True)
class ForeignReport:
    """One report: how the device calls itself, and where it was.

    A Refusal for a position that is none; None when the device did not say or did not know.
    """

    device_name: str | None
    location: LocationData | Refusal | None


def location_make(*, lat: Any, lng: Any, time: Any, **optional: Any) -> LocationData | Refusal:
    """A position in our units, or `invalid_location` when place or time are not valid.

    What is optional and out of range is left out: devices say -1 for "not known".
    """
    try:
        fields = {"lat": _number(lat, "lat"), "lng": _number(lng, "lng"), "ts": _time(time)}
        for name, value in optional.items():
            fields[name] = _convert(value, _OPTIONAL[name])
        return decode_location({name: value for name, value in fields.items() if value is not None})
    except Refusal as refusal:
        return refusal


def _number(value: Any, field: str) -> Any:
    if (found := _convert(value, float)) is None:
        raise Refusal(ErrorCode.INVALID_LOCATION, details={"field": field, "issue": "not a number"})
    return found


def scaled(value: Any, factor: float) -> float | None:
    """A number in another unit; None for what is no number, or is negative: devices say -1 for "not known"."""
    found = _convert(value, float)
    return None if found is None or found < 0 else found * factor


def _time(value: Any) -> int | None:
    """Epoch milliseconds of a time in ISO 8601 (UTC where it names no zone), or since 1970 in seconds or milliseconds.

    What is below 2^31 is in seconds, as Traccar takes it.
    """
    if value is None or value == "":
        return None
    since_1970: float | None = _convert(value, float)
    if since_1970 is not None:
        return round(since_1970 * 1000) if since_1970 < 2**31 else round(since_1970)
    try:
        moment = datetime.fromisoformat(value)
        return epoch_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError):
        raise Refusal(ErrorCode.INVALID_LOCATION, details={"field": "ts", "issue": "not a time"}) from None


def text_of(fields: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that is there, as text."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and str(value):
            return str(value)
    return None


def _convert(value: Any, kind: Any) -> Any:
    """The value as that kind; None for what cannot be one. NaN and infinities are no numbers."""
    if value is None:
        return None
    try:
        found = msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, OverflowError):
        return None
    return None if isinstance(found, float) and not math.isfinite(found) else found

"""OwnTracks in its HTTP mode (https://owntracks.org/booklet/tech/http/ and .../json/)."""

from typing import Any

from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.tracking.foreign.report import location_make, scaled

MPS_PER_KMH = 1 / 3.6


def owntracks_parse(message: Any) -> LocationData | Refusal | None:
    """The position in a message, or why it is none; None for messages about something else (waypoints, transitions).

    Raises Refusal `validation_error` for what is no message, or is encrypted, which only its receivers can read.
    """
    kind = message.get("_type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise Refusal(ErrorCode.VALIDATION_ERROR, details={"field": "_type", "issue": "missing"})
    if kind == "encrypted":
        details = {"field": "_type", "issue": "encrypted: remove the encryption key in the app"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)
    if kind != "location":
        return None
    return location_make(
        lat=message.get("lat"),
        lng=message.get("lon"),
        time=message.get("tst"),
        speed=scaled(message.get("vel"), MPS_PER_KMH),
        heading=message.get("cog"),
        accuracy=message.get("acc"),
        altitude=message.get("alt"),
        battery=message.get("batt"),
    )

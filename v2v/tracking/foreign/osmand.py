"""The OsmAnd protocol: the OsmAnd app, Traccar Client, and many trackers (https://www.traccar.org/osmand/).

As query or form, or as JSON: flat like the form (Traccar Client 10, one or several), or nested (Traccar Client 9).
Speed is in knots where the report is flat, as Traccar takes it, and in m/s where it is nested.
"""

from collections.abc import Mapping
from typing import Any

from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import LocationData
from v2v.protocol.decode import MAX_LOCATIONS, Refusal
from v2v.tracking.foreign.report import ForeignReport, location_make, scaled, text_of

MPS_PER_KNOT = 1852 / 3600
_FALSE = (False, 0, "false", "0")
_ALARMS = {"sos": "other", "general": "other", "accident": "crash", "fault": "breakdown", "tampering": "security"}


def osmand_parse(parameters: Mapping[str, Any]) -> ForeignReport:
    """A flat report."""
    return ForeignReport(text_of(parameters, "id", "deviceid"), _flat_location(parameters))


def osmand_parse_json(body: Any) -> list[ForeignReport]:
    """The reports of a JSON body. Raises Refusal `validation_error` for what is no report."""
    if isinstance(body, dict) and ("device_id" in body or isinstance(body.get("location"), dict | list)):
        name = text_of(body, "device_id")
        return [ForeignReport(name, _nested_location(part)) for part in _dicts(body.get("location"))]
    return [osmand_parse(part) for part in _dicts(body)]


def _dicts(value: Any) -> list[dict[str, Any]]:
    parts = value if isinstance(value, list) else [value]
    if len(parts) > MAX_LOCATIONS or not all(isinstance(part, dict) for part in parts):
        details = {"field": "", "issue": f"not a report, or a list of up to {MAX_LOCATIONS}"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)
    return parts


def _flat_location(report: Mapping[str, Any]) -> LocationData | Refusal | None:
    lat, lng = report.get("lat"), report.get("lon")
    if isinstance(pair := report.get("location"), str):
        lat, _, lng = pair.partition(",")
    if (lat is None and lng is None) or report.get("valid") in _FALSE:
        return None  # cells or a sign of life only, or where it once was
    return location_make(
        lat=lat,
        lng=lng,
        time=report.get("timestamp"),
        speed=scaled(report.get("speed"), MPS_PER_KNOT),
        heading=report.get("bearing", report.get("heading")),
        accuracy=report.get("accuracy"),
        altitude=report.get("altitude"),
        battery=report.get("batt"),
        ignition=report.get("ignition"),
        alarm=_ALARMS.get(str(report.get("alarm"))),
    )


def _nested_location(report: Mapping[str, Any]) -> LocationData | Refusal | None:
    coords, battery, extras = (_dict_at(report, name) for name in ("coords", "battery", "extras"))
    if not coords:
        return None
    return location_make(
        lat=coords.get("latitude"),
        lng=coords.get("longitude"),
        time=report.get("timestamp"),
        speed=coords.get("speed"),
        heading=coords.get("heading"),
        accuracy=coords.get("accuracy"),
        altitude=coords.get("altitude"),
        battery=scaled(battery.get("level"), 100),
        alarm=_ALARMS.get(str(extras.get("alarm"))),
    )


def _dict_at(report: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = report.get(name)
    return value if isinstance(value, dict) else {}

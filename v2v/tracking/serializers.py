"""History and reports as the API speaks of them. Units as on the socket."""

import base64
import binascii
from datetime import datetime
from typing import Any

from rest_framework import serializers

from v2v.api.naming import CamelSerializer
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import AlertType
from v2v.tracking.area import MAX_CORNERS, Area, area_of_box, area_of_corners
from v2v.tracking.history import MAX_VEHICLES, Place
from v2v.tracking.models import Source
from v2v.tracking.simplify import MAX_ZOOM
from v2v.vehicles.serializers import EpochMsField

PAGE_SIZE, MAX_PAGE_SIZE = 500, 5000
_MAX_PK = 2**63 - 1
_ALARMS = list(AlertType.__args__)  # type: ignore[attr-defined]


def cursor_of(place: Place) -> str:
    """The place as a cursor."""
    return base64.urlsafe_b64encode(f"{place.vehicle_pk} {place.recorded_at.isoformat()}".encode()).decode()


def _numbers(texts: list[str]) -> list[float]:
    try:
        return [float(text) for text in texts]
    except ValueError:
        raise serializers.ValidationError("not a number") from None


class HistoryQuery(CamelSerializer):
    """Which positions, and how. Name vehicles, or an area, or both."""

    vehicle_id = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=MAX_VEHICLES,
        required=False,
        help_text="Several times for several vehicles. A vehicle need not name itself.",
    )
    fleet = serializers.CharField(max_length=40, required=False)
    since = EpochMsField(required=False, help_text="Epoch milliseconds, inclusive; a day before `until` when missing.")
    until = EpochMsField(required=False, help_text="Epoch milliseconds, exclusive; now when missing.")
    bbox = serializers.CharField(
        max_length=100,
        required=False,
        help_text="west,south,east,north in degrees; a west that is greater than the east crosses the date line.",
    )
    polygon = serializers.CharField(
        max_length=60 * MAX_CORNERS, required=False, help_text=f"lng,lat;lng,lat;... with up to {MAX_CORNERS} corners."
    )
    simplify = serializers.IntegerField(
        min_value=0,
        max_value=MAX_ZOOM,
        required=False,
        help_text="Leave out what nobody sees on a map at this zoom; alarms stay.",
    )
    format = serializers.ChoiceField(
        ["json", "geojson", "csv", "gpx"],
        default="json",
        help_text="`json` comes in pages; the others are downloads of all, up to 1,000,000 positions.",
    )
    page_size = serializers.IntegerField(
        min_value=1,
        max_value=MAX_PAGE_SIZE,
        default=PAGE_SIZE,
        help_text="Positions that are read for a page; within an area or simplified, fewer are sent.",
    )
    cursor = serializers.CharField(max_length=120, required=False)

    def validate_bbox(self, text: str) -> Area:
        """The box as an area."""
        numbers = _numbers(text.split(","))
        if len(numbers) != 4:
            raise serializers.ValidationError("not west,south,east,north in degrees")
        return area_of_box(*numbers)

    def validate_polygon(self, text: str) -> Area:
        """The polygon as an area."""
        corners = [_numbers(corner.split(",")) for corner in text.split(";")]
        if any(len(corner) != 2 for corner in corners):
            raise serializers.ValidationError("not lng,lat;lng,lat;... in degrees")
        return area_of_corners([(lng, lat) for lng, lat in corners])

    def validate_cursor(self, text: str) -> Place:
        """The cursor as a place."""
        try:
            pk, _, time = base64.urlsafe_b64decode(text).decode("ascii").partition(" ")
            place = Place(datetime.fromisoformat(time), int(pk))
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("not a cursor of this list") from None
        if place.recorded_at.tzinfo is None or not 0 <= place.vehicle_pk <= _MAX_PK:
            raise serializers.ValidationError("not a cursor of this list")
        return place

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One area at the most."""
        if "bbox" in attrs and "polygon" in attrs:
            raise serializers.ValidationError({"polygon": "not together with bbox"})
        return attrs


class StoredPositionSerializer(CamelSerializer):
    """A position of long ago; what was not reported is missing."""

    vehicle_id = serializers.CharField()
    fleet = serializers.CharField()
    ts = EpochMsField(help_text="When the device took the fix.")
    received_ts = EpochMsField(help_text="When it came to the server.")
    lat = serializers.FloatField()
    lng = serializers.FloatField()
    speed = serializers.FloatField(required=False)
    heading = serializers.FloatField(required=False)
    accuracy = serializers.FloatField(required=False)
    altitude = serializers.FloatField(required=False)
    battery = serializers.FloatField(required=False)
    signal = serializers.FloatField(required=False)
    ignition = serializers.BooleanField(required=False)
    alarm = serializers.CharField(required=False)
    source = serializers.ChoiceField(Source.choices)  # type: ignore[assignment]


class HistoryPageSerializer(CamelSerializer):
    """A page of positions; `next` is missing from the last one."""

    next = serializers.CharField(required=False)
    results = StoredPositionSerializer(many=True)


class ReportSerializer(CamelSerializer):
    """A position as a device reports it: degrees, m/s, degrees from north, meters, percent."""

    lat = serializers.FloatField(min_value=-90, max_value=90)
    lng = serializers.FloatField(min_value=-180, max_value=180)
    ts = EpochMsField(required=False, help_text="When the fix was taken; now when missing.")
    speed = serializers.FloatField(min_value=0, max_value=200, required=False, allow_null=True)
    heading = serializers.FloatField(min_value=0, max_value=360, required=False, allow_null=True)
    accuracy = serializers.FloatField(min_value=0, max_value=100_000, required=False, allow_null=True)
    altitude = serializers.FloatField(min_value=-1000, max_value=20_000, required=False, allow_null=True)
    battery = serializers.FloatField(min_value=0, max_value=100, required=False, allow_null=True)
    signal = serializers.FloatField(min_value=0, max_value=100, required=False, allow_null=True)
    ignition = serializers.BooleanField(required=False, allow_null=True)
    alarm = serializers.ChoiceField(_ALARMS, required=False, allow_null=True)


class ReportResultSerializer(CamelSerializer):
    """What became of one position; `field` and `issue` say what was wrong with a refused one."""

    outcome = serializers.CharField(help_text="`live`, `late`, `duplicate`, `old` (all of them stored), or `refused`.")
    code = serializers.ChoiceField([str(code) for code in ErrorCode], required=False)
    field = serializers.CharField(required=False, allow_blank=True)
    issue = serializers.CharField(required=False)


class ReportsTakenSerializer(CamelSerializer):
    """What became of the positions, in their order. `correlationId` is in the log line of the batch that holds them."""

    correlation_id = serializers.CharField()
    results = ReportResultSerializer(many=True)

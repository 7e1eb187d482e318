"""Geofences and their events as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from v2v.api.naming import CamelModelSerializer
from v2v.api.permissions import actor_of
from v2v.api.versions import MAX_VERSION
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action
from v2v.fleets.selectors import within
from v2v.geofences.models import MAX_TYPE_CHARS, MAX_TYPES, Geofence, GeofenceEvent
from v2v.geofences.services import EDITABLE
from v2v.geofences.shapes import MAX_POINTS, MAX_RADIUS_M, MIN_RADIUS_M
from v2v.vehicles.models import one_line
from v2v.vehicles.serializers import EpochMsField

_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_GEOMETRY: dict[str, Any] = {
    "type": "object",
    "description": "GeoJSON (RFC 7946): the Point in the middle of a circle, or a Polygon of one closed ring.",
    "required": ["type", "coordinates"],
    "properties": {
        "type": {"type": "string", "enum": ["Point", "Polygon"]},
        "coordinates": {
            "type": "array",
            "items": {
                "oneOf": [
                    {"type": "number"},
                    {"type": "array", "items": _POSITION, "minItems": 4, "maxItems": MAX_POINTS + 1},
                ]
            },
            "minItems": 1,
            "maxItems": 2,
        },
    },
    "additionalProperties": False,
}


@extend_schema_field(_GEOMETRY)
class GeometryField(serializers.JSONField):
    """A GeoJSON geometry; the service says what is wrong with it."""


class GeofenceFleetField(serializers.SlugRelatedField[Fleet]):
    """A fleet by its slug; for writing, one in which the actor may dispatch."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", queryset=Fleet.objects.all(), **kwargs)

    def get_queryset(self) -> Any:
        """The fleets to choose from."""
        return Fleet.objects.filter(within(actor_of(self.context["request"]), Action.DISPATCH, fleet="pk"))


class GeofenceSerializer(CamelModelSerializer[Geofence]):
    """A geofence; `version` goes up with each change. Meters, seconds, m/s; hours in the fleet's time zone."""

    fleet = GeofenceFleetField()
    geometry = GeometryField()
    radius_m = serializers.FloatField(
        min_value=MIN_RADIUS_M, max_value=MAX_RADIUS_M, allow_null=True, required=False, help_text="of a circle"
    )
    vehicle_types = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TYPE_CHARS, validators=[one_line]),
        max_length=MAX_TYPES,
        required=False,
        help_text="whom it concerns; none: all",
    )
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        max_length=7,
        required=False,
        help_text="ISO weekdays, 1 is Monday; none: every day",
    )

    class Meta:
        model = Geofence
        fields = ["id", "fleet", *EDITABLE, "version", "created_at", "updated_at", "updated_by"]
        read_only_fields = ["version", "created_at", "updated_at", "updated_by"]


class GeofenceChangeSerializer(GeofenceSerializer):
    """A change of some fields; `version` is that of the geofence on which it is based."""

    version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)

    class Meta(GeofenceSerializer.Meta):
        fields = [*EDITABLE, "version"]  # it stays in its fleet
        read_only_fields: list[str] = []


class GeofenceEventSerializer(CamelModelSerializer[GeofenceEvent]):
    """What happened; `value`: seconds stayed (`exit`, `dwell`), m/s (`speed`), vehicles (`too_few`, `enough`)."""

    fleet = serializers.CharField(source="fleet.slug")
    geofence_id = serializers.IntegerField()
    geofence_name = serializers.CharField(source="geofence.name")
    vehicle_id = serializers.CharField(source="vehicle.vehicle_id", allow_null=True, default=None)
    ts = EpochMsField(source="occurred_at")

    class Meta:
        model = GeofenceEvent
        fields = [
            *("id", "fleet", "geofence_id", "geofence_name", "vehicle_id"),
            *("type", "ts", "value", "lat", "lng", "severity"),
        ]

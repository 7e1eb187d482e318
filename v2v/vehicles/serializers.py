"""Vehicles, devices, presence and neighbors as JSON.

Names that the socket has too keep its units (`ts`, `lastSeen`: epoch milliseconds); `...At` is ISO 8601.
"""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from v2v.api.naming import CamelModelSerializer, CamelSerializer
from v2v.api.permissions import actor_of
from v2v.api.versions import MAX_VERSION
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action
from v2v.fleets.selectors import within
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.fields import MAX_EPOCH_MS
from v2v.vehicles.models import Device, Vehicle, VehicleStatus

MAX_TOKEN_TTL = timedelta(days=3650)


class FleetField(serializers.SlugRelatedField[Fleet]):
    """A fleet by its slug; for writing, one in which the actor may edit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", queryset=Fleet.objects.all(), **kwargs)

    def get_queryset(self) -> Any:
        """The fleets to choose from."""
        return Fleet.objects.filter(within(actor_of(self.context["request"]), Action.EDIT, fleet="pk"))


class VehicleSerializer(CamelModelSerializer[Vehicle]):
    """A vehicle; `version` goes up with each change of it."""

    fleet = FleetField()

    class Meta:
        model = Vehicle
        fields = [
            "vehicle_id",
            "fleet",
            "type",
            "plate",
            "make",
            "model",
            "color",
            "driver_name",
            "owner_uid",
            "version",
            "disabled_at",
            "created_at",
            "updated_at",
            "updated_by",
        ]
        read_only_fields = ["version", "disabled_at", "created_at", "updated_at", "updated_by"]
        # That an id is taken is a conflict, which the service finds without a race.
        extra_kwargs = {
            "vehicle_id": {"validators": [*Vehicle._meta.get_field("vehicle_id").validators]},
            "owner_uid": {"write_only": True},
        }


class VehicleChangeSerializer(VehicleSerializer):
    """A change of some fields; `version` is that of the vehicle on which it is based."""

    version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)

    class Meta(VehicleSerializer.Meta):
        read_only_fields = ["vehicle_id", "disabled_at", "created_at", "updated_at", "updated_by"]


class DeviceSerializer(CamelModelSerializer[Device]):
    """A device of a vehicle."""

    vehicle_id = serializers.CharField(source="vehicle.vehicle_id", max_length=40)

    class Meta:
        model = Device
        fields = ["id", "vehicle_id", "device_id", "name", "last_seen_at", "revoked_at", "created_at"]
        read_only_fields = ["last_seen_at", "revoked_at", "created_at"]
        validators: list[Any] = []  # adding a device that is there is no error


class TokenRequestSerializer(CamelSerializer):
    """How long the token shall be good; without it, until it is revoked."""

    ttl_seconds = serializers.IntegerField(
        min_value=60, max_value=int(MAX_TOKEN_TTL.total_seconds()), required=False, allow_null=True, default=None
    )


class TokenSerializer(CamelSerializer):
    """A new token: shown this once."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class EpochMsField(serializers.IntegerField):
    """A moment as epoch milliseconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_EPOCH_MS, **kwargs)

    def to_representation(self, value: Any) -> int:
        """From a datetime, or from milliseconds already."""
        return value if isinstance(value, int) else epoch_ms(value)


class PresenceSerializer(CamelSerializer):
    """Whether a vehicle is connected; `lastSeen` is missing for one that was never heard."""

    vehicle_id = serializers.CharField()
    fleet = serializers.CharField()
    status = serializers.ChoiceField(VehicleStatus.Presence.choices)
    last_seen = EpochMsField(allow_null=True)


class NearbyPeerSerializer(CamelSerializer):
    """A neighbor with its distance (meters) and bearing (degrees clockwise from true north)."""

    vehicle_id = serializers.CharField()
    lat = serializers.FloatField()
    lng = serializers.FloatField()
    ts = EpochMsField()
    speed = serializers.FloatField(allow_null=True)
    heading = serializers.FloatField(allow_null=True)
    distance_m = serializers.FloatField()
    bearing = serializers.FloatField()
    last_seen = EpochMsField()


class StatsSerializer(CamelSerializer):
    """Counts of connections."""

    total_connections = serializers.IntegerField(source="connections")
    unique_vehicles = serializers.IntegerField(source="vehicles")
    unique_users = serializers.IntegerField(source="users")
    stale_connections = serializers.IntegerField(source="stale")
    by_transport = serializers.DictField(child=serializers.IntegerField())

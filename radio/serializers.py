"""Radios and frames as JSON. Times are ISO 8601, but `ts`: epoch milliseconds."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from radio.models import RadioFrame, RadioNode
from v2v.api.naming import CamelModelSerializer, CamelSerializer
from v2v.protocol.fields import MAX_CONTENT_CHARS, VEHICLE_ID_PATTERN
from v2v.vehicles.serializers import EpochMsField


class RadioNodeSerializer(CamelModelSerializer[RadioNode]):
    """A radio; `name` is the vehicle that it says it is in, `vehicleId` the one that it speaks for."""

    node_id = serializers.IntegerField(source="pk")
    bridge = serializers.CharField(source="bridge.name")
    vehicle_id = serializers.CharField(source="vehicle.vehicle_id", allow_null=True, default=None)
    fleet = serializers.SerializerMethodField()

    class Meta:
        model = RadioNode
        fields = [
            *("node_id", "bridge", "address", "label", "name", "vehicle_id", "fleet", "heard_at", "rssi", "snr"),
            *("battery", "clock_offset_s"),
        ]

    @extend_schema_field({"type": "string", "nullable": True})
    def get_fleet(self, node: RadioNode) -> str | None:
        """Whose it is."""
        fleet = node.vehicle.fleet if node.vehicle is not None else node.bridge.fleet
        return None if fleet is None else fleet.slug


class RadioFrameSerializer(CamelModelSerializer[RadioFrame]):
    """A frame; `recipient` null is everybody, `ts` when it came or was queued."""

    fleet = serializers.CharField(source="fleet.slug", allow_null=True, default=None)
    bridge = serializers.CharField(source="bridge.name")
    node_id = serializers.IntegerField(allow_null=True)
    vehicle_id = serializers.CharField(source="node.vehicle.vehicle_id", allow_null=True, default=None)
    ts = EpochMsField(source="created_at")

    class Meta:
        model = RadioFrame
        fields = [
            *("id", "fleet", "bridge", "node_id", "vehicle_id", "direction", "kind", "sender", "recipient"),
            *("sequence", "summary", "payload", "state", "priority", "attempts", "rounds", "rssi", "snr", "ts"),
            *("sent_at", "done_at", "retry_at", "expires_at", "error"),
        ]


class NodeAssignSerializer(CamelSerializer):
    """Which vehicle a radio speaks for; null for none."""

    vehicle_id = serializers.RegexField(VEHICLE_ID_PATTERN.removesuffix(r"(?!\n)"), max_length=40, allow_null=True)


class NodeTextSerializer(CamelSerializer):
    """A text for a radio."""

    content = serializers.CharField(max_length=MAX_CONTENT_CHARS)


class QueuedSerializer(serializers.Serializer[Any]):
    """The frames that carry it."""

    frames = serializers.ListField(child=serializers.IntegerField())

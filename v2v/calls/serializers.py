"""Calls as JSON, with the names and units of the socket: times that it has too are epoch milliseconds."""

from typing import Any

from rest_framework import serializers

from v2v.api.naming import CamelModelSerializer, CamelSerializer
from v2v.calls.models import CallEvent, CallSession
from v2v.vehicles.serializers import EpochMsField

MAX_HISTORY = 200


class CallSerializer(CamelModelSerializer[CallSession]):
    """A call; `callerId` and `calleeId` are vehicles, or `dispatch`."""

    call_id = serializers.UUIDField(source="pk")
    fleet = serializers.CharField(source="fleet.slug")
    caller_id = serializers.CharField()
    callee_id = serializers.CharField()
    answered_by = serializers.CharField(source="callee_name")
    started_at = EpochMsField()
    answered_at = EpochMsField(allow_null=True)
    ended_at = EpochMsField(allow_null=True)

    class Meta:
        model = CallSession
        fields = [
            *("call_id", "fleet", "caller_id", "caller_name", "callee_id", "answered_by", "media", "state"),
            *("end_reason", "ended_by", "started_at", "answered_at", "ended_at"),
        ]


class CallEventSerializer(CamelModelSerializer[CallEvent]):
    """What happened; by the server itself where `by` is empty."""

    class Meta:
        model = CallEvent
        fields = ["kind", "at", "by", "reason"]


class CallDetailSerializer(CallSerializer):
    """With the first 200 entries of its history."""

    history = serializers.SerializerMethodField()

    class Meta(CallSerializer.Meta):
        fields = [*CallSerializer.Meta.fields, "history"]

    def get_history(self, call: CallSession) -> list[dict[str, Any]]:
        """In order."""
        return list(CallEventSerializer(call.history.all()[:MAX_HISTORY], many=True).data)


class IceServerSerializer(CamelSerializer):
    """As RTCPeerConnection takes it."""

    urls = serializers.ListField(child=serializers.CharField())
    username = serializers.CharField(required=False)
    credential = serializers.CharField(required=False)


class IceServersSerializer(CamelSerializer):
    """The servers, and when the credentials end."""

    ice_servers = IceServerSerializer(many=True)
    expires_at = EpochMsField()

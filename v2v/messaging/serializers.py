"""Messages and conversations as JSON, with the names and units of the socket."""

from collections import Counter
from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from v2v.api.naming import CamelModelSerializer, CamelSerializer
from v2v.messaging.models import Conversation, Message
from v2v.messaging.rules import Status
from v2v.protocol.commands import SendMessageData
from v2v.protocol.fields import DISPATCH, MAX_CONTENT_CHARS, MAX_TTL_MS, VEHICLE_ID_PATTERN, Content
from v2v.vehicles.serializers import EpochMsField


class CountsSerializer(serializers.Serializer[Any]):
    """How many recipients are in each status."""

    def get_fields(self) -> dict[str, Any]:
        """One a status."""
        return {str(status): serializers.IntegerField(min_value=0, default=0) for status in Status}


class MessageSerializer(CamelModelSerializer[Message]):
    """A message and what became of it. `ts` is when it was sent by the sender's clock."""

    message_id = serializers.UUIDField()
    fleet = serializers.CharField(source="fleet.slug")
    conversation = serializers.CharField(source="conversation.key")
    sender_id = serializers.SerializerMethodField("get_sender_id")
    recipient_id = serializers.SerializerMethodField("get_recipient_id")
    broadcast = serializers.BooleanField(source="is_broadcast")
    ts = EpochMsField(source="sent_at")
    recipients = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = [
            "message_id",
            "fleet",
            "conversation",
            "sender_id",
            "sender_name",
            "recipient_id",
            "broadcast",
            "content",
            "content_type",
            "via",
            "ts",
            "stored_at",
            "expires_at",
            "recipients",
        ]

    def get_sender_id(self, message: Message) -> str:
        """A vehicle, or `dispatch`."""
        return message.sender_vehicle.vehicle_id if message.sender_vehicle else DISPATCH

    def get_recipient_id(self, message: Message) -> str | None:
        """A vehicle, `dispatch`, or null for a broadcast."""
        if message.is_broadcast:
            return None
        return message.recipient_vehicle.vehicle_id if message.recipient_vehicle else DISPATCH

    @extend_schema_field(CountsSerializer)
    def get_recipients(self, message: Message) -> dict[str, int]:
        """How many recipients are in each status."""
        counts: Counter[str] = self.context["counts"][message.pk]
        return {str(status): counts[status] for status in Status}


class MessageSendSerializer(CamelSerializer):
    """A new message: to `recipientId`, or with `broadcast` to the whole fleet, which who has several names."""

    content = serializers.CharField(max_length=MAX_CONTENT_CHARS, trim_whitespace=False)
    content_type = serializers.ChoiceField(Message.ContentType.choices, default="text")
    recipient_id = serializers.RegexField(VEHICLE_ID_PATTERN.removesuffix(r"(?!\n)"), required=False, max_length=40)
    broadcast = serializers.BooleanField(default=False)
    fleet = serializers.CharField(max_length=40, required=False)
    ttl_ms = serializers.IntegerField(min_value=1, max_value=MAX_TTL_MS, required=False)

    def validate_content(self, content: str) -> str:
        """As on the socket: no control characters."""
        try:
            return msgspec.convert(content, Content)
        except msgspec.ValidationError:
            raise serializers.ValidationError("Expected text without control characters") from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As on the socket: what no field can refuse alone."""
        try:
            SendMessageData(**{name: value for name, value in attrs.items() if name != "ttl_ms"})
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return attrs


class ConversationSerializer(CamelModelSerializer[Conversation]):
    """A conversation; `unread` counts the messages to dispatch in it that nobody has read."""

    fleet = serializers.CharField(source="fleet.slug")
    vehicle_id = serializers.CharField(source="vehicle.vehicle_id", allow_null=True, default=None)
    peer_vehicle_id = serializers.CharField(source="peer.vehicle_id", allow_null=True, default=None)
    last_content = serializers.CharField(source="last_message.content", allow_null=True, default=None)
    unread = serializers.IntegerField()

    class Meta:
        model = Conversation
        fields = ["fleet", "key", "vehicle_id", "peer_vehicle_id", "last_at", "last_content", "unread"]

"""Messages, what became of each at each recipient, and the conversations that they make up."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from v2v.fleets.models import Fleet
from v2v.messaging.rules import Status
from v2v.protocol.fields import MAX_CONTENT_CHARS, MAX_ID_CHARS
from v2v.vehicles.models import Vehicle


class Conversation(models.Model):
    """A vehicle's with dispatch, that of two vehicles, or what goes to the whole fleet; `key` names it in its fleet.

    `vehicle` is empty for the whole fleet's, `peer` for all but that of two vehicles.
    """

    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=96)
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="+")
    peer = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="+")
    last_message = models.ForeignKey("Message", models.SET_NULL, null=True, blank=True, related_name="+")
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["fleet", "key"], name="one_conversation_a_key")]
        indexes = [models.Index(fields=["fleet", "-last_at", "-id"], name="conversations_by_last")]

    def __str__(self) -> str:
        return self.key


class Message(models.Model):
    """A text, or JSON, from a vehicle or a dispatcher.

    It goes to `recipient_vehicle`, with `is_broadcast` to the whole fleet, and to dispatch with neither.
    `sender_key` and `client_id` are the sender's device (or user) and its own id for the message: the same two again
    are the same message again.
    """

    class ContentType(models.TextChoices):
        """As on the wire."""

        TEXT = "text", "Text"
        JSON = "json", "JSON"

    class Via(models.TextChoices):
        """Which way it came in."""

        SOCKET = "ws", "Socket"
        RADIO = "radio", "Radio"
        API = "api", "API"

    message_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages", db_index=False)
    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)
    sender_vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    sender_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    sender_name = models.CharField(max_length=150, blank=True, help_text="of the driver or dispatcher, at that time")
    sender_key = models.CharField(max_length=24)
    client_id = models.CharField(max_length=MAX_ID_CHARS, null=True, blank=True)  # noqa: DJ001 - NULLs do not collide
    recipient_vehicle = models.ForeignKey(
        Vehicle, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    is_broadcast = models.BooleanField(default=False)
    content = models.CharField(max_length=MAX_CONTENT_CHARS)
    content_type = models.CharField(max_length=4, choices=ContentType.choices, default=ContentType.TEXT)
    via = models.CharField(max_length=5, choices=Via.choices)
    sent_at = models.DateTimeField(help_text="by the sender's clock")
    stored_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["sender_key", "client_id"], name="one_message_an_id")]
        indexes = [
            models.Index(fields=["conversation", "-id"], name="messages_of_a_conversation"),
            models.Index(fields=["fleet", "-id"], name="messages_of_a_fleet"),
            models.Index(fields=["sender_vehicle", "-id"], name="messages_from_a_vehicle"),
            models.Index(fields=["recipient_vehicle", "-id"], name="messages_to_a_vehicle"),
            models.Index(fields=["sender_user"], name="messages_from_a_user"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)


class MessageRecipient(models.Model):
    """What became of a message at one of those whom it went to: a vehicle, or, with none, dispatch."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="recipients", db_index=False)
    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)  # the message's
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    status = models.CharField(max_length=9, choices=[(str(s), s.capitalize()) for s in Status], default=Status.QUEUED)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="when it expires, while it is queued")
    delivered_at = models.DateTimeField(null=True, blank=True)
    via = models.CharField(
        max_length=5, choices=Message.Via.choices, blank=True, help_text="which way it goes, or went"
    )
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["message", "vehicle"], name="one_status_a_message_and_vehicle"),
            models.UniqueConstraint(fields=["message"], condition=Q(vehicle=None), name="one_status_at_dispatch"),
        ]
        indexes = [models.Index(fields=["fleet", "vehicle", "status", "id"], name="unread_of_a_recipient")]

    def __str__(self) -> str:
        return f"{self.status} at {self.vehicle_id or 'dispatch'}"

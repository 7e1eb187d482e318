"""Bridges, the nodes that they hear, and every frame in and out. Those that wait are the queue of what goes out."""

from django.db import models
from django.db.models import Q

from radio.link.traffic import Priority
from radio.rules import LinkState
from v2v.alerts.models import Alert, AlertEvent
from v2v.fleets.models import Fleet
from v2v.messaging.models import Message
from v2v.vehicles.models import Vehicle

MAX_PORT_CHARS = 200
MAX_SUMMARY_CHARS = 600


class RadioBridge(models.Model):
    """What joins a modem with the system. Addresses are unique within its network.

    Nodes that no vehicle has belong to `fleet`, or to system admins only. `holder` names the process that runs it: a
    newer one takes its place.
    """

    class Link(models.TextChoices):
        """What the modem speaks."""

        FRAME = "frame", "V2V frame"
        MESHTASTIC = "meshtastic", "Meshtastic"

    class State(models.TextChoices):
        """`radio.rules.LinkState` with its words."""

        UP = LinkState.UP.value, "Connected"
        AWAY = LinkState.AWAY.value, "No modem"
        STOPPED = LinkState.STOPPED.value, "Stopped"

    name = models.SlugField(max_length=40, unique=True)
    fleet = models.ForeignKey(Fleet, models.SET_NULL, null=True, blank=True, related_name="radio_bridges")
    link = models.CharField(max_length=10, choices=Link.choices)
    port = models.CharField(max_length=MAX_PORT_CHARS)
    state = models.CharField(max_length=7, choices=State.choices, default=State.STOPPED)
    state_at = models.DateTimeField(help_text="since when it is so")
    seen_at = models.DateTimeField(help_text="when it last said so")
    holder = models.CharField(max_length=32, blank=True)
    last_sequence = models.PositiveBigIntegerField(default=0, help_text="the number of the frame that it sent last")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RadioNode(models.Model):
    """A radio that was heard. `name` is the vehicle that it says it is; `vehicle` the one that it speaks for."""

    bridge = models.ForeignKey(RadioBridge, models.CASCADE, related_name="nodes", db_index=False)
    address = models.PositiveBigIntegerField(help_text="short address, or the number of a Meshtastic node")
    name = models.CharField(max_length=64, blank=True)
    vehicle = models.ForeignKey(Vehicle, models.SET_NULL, null=True, blank=True, related_name="radio_nodes")
    heard_at = models.DateTimeField()
    rssi = models.FloatField(null=True, blank=True, help_text="dBm, of the last hop")
    snr = models.FloatField(null=True, blank=True, help_text="dB, of the last hop")
    battery = models.FloatField(null=True, blank=True, help_text="percent")
    clock_offset_s = models.IntegerField(null=True, blank=True, help_text="how far its clock is ahead, seconds")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-heard_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["bridge", "address"], name="one_node_an_address")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Its address as people read it off the radio."""
        return f"!{self.address:08x}" if self.address > 0xFFFF else f"{self.address:04X}"


class RadioFrame(models.Model):
    """One frame in or out. `fleet` is the node's when it came or was queued; a recipient of None is everybody."""

    class Direction(models.TextChoices):
        """Seen from the bridge."""

        IN = "in", "In"
        OUT = "out", "Out"

    class Kind(models.TextChoices):
        """What it carries."""

        POSITION = "position", "Position"
        TEXT = "text", "Text"
        EMERGENCY = "emergency", "Emergency"
        HELLO = "hello", "Hello"
        CONTROL = "control", "Control"

    class State(models.TextChoices):
        """Where it is on its way. Relayed, some radio passed it on; acknowledged, the recipient has it."""

        RECEIVED = "received", "Received"
        REFUSED = "refused", "Refused"
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        RELAYED = "relayed", "Relayed"
        ACKED = "acked", "Acknowledged"
        FAILED = "failed", "Failed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    bridge = models.ForeignKey(RadioBridge, models.CASCADE, related_name="frames", db_index=False)
    node = models.ForeignKey(RadioNode, models.SET_NULL, null=True, blank=True, related_name="frames", db_index=False)
    fleet = models.ForeignKey(Fleet, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    sender = models.PositiveBigIntegerField()
    recipient = models.PositiveBigIntegerField(null=True, blank=True, help_text="empty: everybody")
    sequence = models.PositiveBigIntegerField(null=True, blank=True)
    checksum = models.PositiveBigIntegerField(null=True, blank=True)
    payload = models.JSONField(help_text="the payload of radio.link of this kind")
    parts = models.PositiveSmallIntegerField(default=1, help_text="how many frames its text is in")
    summary = models.CharField(max_length=MAX_SUMMARY_CHARS, blank=True)
    state = models.CharField(max_length=9, choices=State.choices)
    priority = models.PositiveSmallIntegerField(default=Priority.DEFAULT.value)
    attempts = models.PositiveSmallIntegerField(default=0)
    rounds = models.PositiveSmallIntegerField(default=0, help_text="how often it was given up")
    rssi = models.FloatField(null=True, blank=True, help_text="dBm, of the last hop")
    snr = models.FloatField(null=True, blank=True, help_text="dB, of the last hop")
    created_at = models.DateTimeField(help_text="when it came, or was queued")
    sent_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True, help_text="when it was acknowledged or given up")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="given up: sent again when heard after this")
    expires_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=100, blank=True)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="radio_frames")
    alert = models.ForeignKey(Alert, models.SET_NULL, null=True, blank=True, related_name="radio_frames")
    alert_event = models.ForeignKey(AlertEvent, models.SET_NULL, null=True, blank=True, related_name="radio_frames")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["fleet", "-id"], name="radio_frames_of_a_fleet"),
            models.Index(fields=["node", "-id"], name="radio_frames_of_a_node"),
            models.Index(fields=["bridge", "sender", "sequence", "-id"], name="radio_frames_by_sequence"),
            models.Index(fields=["created_at"], name="radio_frames_by_age"),
            models.Index(
                fields=["bridge", "-priority", "id"],
                condition=Q(state="queued"),
                name="radio_frames_to_send",
            ),
            models.Index(
                fields=["bridge", "state"],
                condition=Q(state__in=["sent", "relayed"]),
                name="radio_frames_under_way",
            ),
            models.Index(fields=["node", "retry_at"], condition=~Q(retry_at=None), name="radio_frames_to_retry"),
            models.Index(fields=["expires_at"], condition=Q(state="queued"), name="radio_frames_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.kind} {self.pk}"

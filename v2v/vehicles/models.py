"""Vehicles, devices and device tokens. Nothing is deleted but marked, so that history keeps its names."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from v2v.fleets.models import Fleet
from v2v.protocol.fields import VEHICLE_ID_PATTERN


def one_line(text: str) -> None:
    """Refuse control characters, as the socket does: a name must not break a log line or a terminal."""
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValidationError("Control characters are not allowed.", code="invalid")


class Vehicle(models.Model):
    """A vehicle; `vehicle_id` is its name on the wire, `version` guards edits (optimistic locking)."""

    vehicle_id = models.CharField(max_length=40, unique=True, validators=[RegexValidator(VEHICLE_ID_PATTERN)])
    fleet = models.ForeignKey(Fleet, models.PROTECT, related_name="vehicles")
    type = models.CharField(max_length=64, blank=True, validators=[one_line])
    plate = models.CharField(max_length=64, blank=True, validators=[one_line])
    make = models.CharField(max_length=64, blank=True, validators=[one_line])
    model = models.CharField(max_length=64, blank=True, validators=[one_line])
    color = models.CharField(max_length=64, blank=True, validators=[one_line])
    driver_name = models.CharField(max_length=64, blank=True, validators=[one_line])
    owner_uid = models.CharField(
        max_length=128, blank=True, db_index=True, help_text="Firebase user whose token may register this vehicle"
    )
    version = models.PositiveIntegerField(default=1)
    disabled_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = models.CharField(
        max_length=150, blank=True, editable=False, help_text="user, or the vehicle itself; empty: the server"
    )

    class Meta:
        ordering = ["vehicle_id"]
        indexes = [
            models.Index(fields=["fleet", "vehicle_id"], condition=Q(deleted_at=None), name="vehicles_of_a_fleet")
        ]

    def __str__(self) -> str:
        return self.vehicle_id


class Device(models.Model):
    """What sits in a vehicle and connects for it: a phone, a tracker, an on-board computer."""

    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="devices")
    device_id = models.CharField(max_length=64, validators=[one_line])
    name = models.CharField(max_length=64, blank=True, validators=[one_line])
    last_seen_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["vehicle", "device_id"]
        constraints = [models.UniqueConstraint(fields=["vehicle", "device_id"], name="one_device_id_a_vehicle")]

    def __str__(self) -> str:
        return f"{self.vehicle.vehicle_id}/{self.device_id}"


class DeviceToken(models.Model):
    """A device's credential. Only its SHA-256 is kept: of 256 random bits, so no salt or stretching is needed."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"token of {self.device}"


class VehicleStatus(models.Model):
    """A vehicle's last known state, written in batches by the server; what is live is in its memory."""

    class Presence(models.TextChoices):
        """As on the wire."""

        ONLINE = "online", "Online"
        TIMEOUT = "timeout", "Timeout"
        OFFLINE = "offline", "Offline"

    vehicle = models.OneToOneField(Vehicle, models.CASCADE, primary_key=True, related_name="status")
    status = models.CharField(max_length=8, choices=Presence.choices, default=Presence.OFFLINE)
    last_seen = models.DateTimeField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True, help_text="degrees")
    lng = models.FloatField(null=True, blank=True, help_text="degrees")
    heading = models.FloatField(null=True, blank=True, help_text="degrees clockwise from true north")
    speed = models.FloatField(null=True, blank=True, help_text="meters per second")
    fix_at = models.DateTimeField(null=True, blank=True)
    battery = models.FloatField(null=True, blank=True, help_text="percent")
    signal = models.FloatField(null=True, blank=True, help_text="percent")

    class Meta:
        verbose_name_plural = "vehicle statuses"

    def __str__(self) -> str:
        return f"{self.vehicle_id}: {self.status}"

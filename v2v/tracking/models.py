"""Every position that was reported, in its place; what came out of order; and what could not be stored."""

from django.db import models

from v2v.fleets.models import Fleet
from v2v.vehicles.models import Vehicle


class Source(models.TextChoices):
    """The way that a position came."""

    SOCKET = "socket", "Socket"
    HTTP = "http", "HTTP"
    OSMAND = "osmand", "OsmAnd"
    OWNTRACKS = "owntracks", "OwnTracks"
    RADIO = "radio", "Radio"


class Position(models.Model):
    """A vehicle's fix, once for each moment; what comes again with the same moment changes nothing.

    On PostgreSQL the table is partitioned by the month of `recorded_at` (see `v2v.tracking.partitions`). The foreign
    keys are the ORM's alone: checked by the database, each row would lock its vehicle's row, and vehicles are never
    deleted but marked.
    """

    pk = models.CompositePrimaryKey("vehicle", "recorded_at")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="positions", db_index=False, db_constraint=False)
    recorded_at = models.DateTimeField(help_text="when the device took the fix, to the millisecond")
    received_at = models.DateTimeField(help_text="when it came to a server")
    fleet = models.ForeignKey(
        Fleet,
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="the vehicle's at that time",
    )
    lat = models.FloatField(help_text="degrees")
    lng = models.FloatField(help_text="degrees")
    speed = models.FloatField(null=True, blank=True, help_text="meters per second")
    heading = models.FloatField(null=True, blank=True, help_text="degrees clockwise from true north")
    accuracy = models.FloatField(null=True, blank=True, help_text="meters")
    altitude = models.FloatField(null=True, blank=True, help_text="meters")
    battery = models.FloatField(null=True, blank=True, help_text="percent")
    signal = models.FloatField(null=True, blank=True, help_text="percent")
    ignition = models.BooleanField(null=True, blank=True)
    alarm = models.CharField(max_length=16, blank=True)
    cell = models.BigIntegerField(help_text="H3 cell of resolution 9, about 0.1 square kilometers")
    source = models.CharField(max_length=10, choices=Source.choices)
    device_id = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True, help_text="of the request, or the socket's session")

    class Meta:
        ordering = ["vehicle", "recorded_at"]
        indexes = [models.Index(fields=["fleet", "cell", "recorded_at"], name="positions_of_an_area")]

    def __str__(self) -> str:
        return f"{self.vehicle_id} at {self.recorded_at}"


class PositionConflict(models.Model):
    """A report that came out of order, came twice, or is too far from the one before; it never moved the live one back.

    `stood_at`, `stood_lat`, `stood_lng`: the newest position that the server knew when it came.
    """

    class Kind(models.TextChoices):
        """What was odd about it."""

        LATE = "late", "Older than the newest"
        DUPLICATE = "duplicate", "Of the same moment as the newest"
        JUMP = "jump", "Too far from the newest"

    kind = models.CharField(max_length=9, choices=Kind.choices)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    recorded_at = models.DateTimeField()
    received_at = models.DateTimeField()
    lat = models.FloatField(help_text="degrees")
    lng = models.FloatField(help_text="degrees")
    stood_at = models.DateTimeField(help_text="of the newest position")
    stood_lat = models.FloatField(help_text="degrees")
    stood_lng = models.FloatField(help_text="degrees")
    source = models.CharField(max_length=10, choices=Source.choices)
    device_id = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            # A batch that is stored twice because its writer died lists its conflicts once.
            models.UniqueConstraint(
                fields=["vehicle", "recorded_at", "received_at", "kind"], name="one_conflict_a_report"
            )
        ]
        indexes = [
            models.Index(fields=["fleet", "-received_at"], name="conflicts_of_a_fleet"),
            models.Index(fields=["received_at"], name="conflicts_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.kind} {self.recorded_at}"


class DeadLetter(models.Model):
    """A position that the database refused again and again, as it stood in the queue; for a person to look at."""

    key = models.CharField(max_length=64, unique=True, help_text="its place in the queue, so that it dies once only")
    fleet = models.ForeignKey(
        Fleet, models.CASCADE, related_name="+", null=True, blank=True, db_constraint=False, help_text="if it says so"
    )
    payload = models.BinaryField()
    reason = models.CharField(max_length=300)
    tries = models.PositiveSmallIntegerField()
    died_at = models.DateTimeField()

    class Meta:
        ordering = ["-died_at", "-id"]
        indexes = [models.Index(fields=["-died_at"], name="dead_letters_by_age")]

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"

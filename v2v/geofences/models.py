"""Geofences, who is inside of them, and what happened there."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from v2v.fleets.models import Fleet
from v2v.geofences.rules import Happening, Reaction, Schedule, schedule_of
from v2v.geofences.shapes import Shape, ShapeError, shape_of
from v2v.vehicles.models import Vehicle, one_line

KMH = 3.6  # of one m/s
MAX_TYPES = 20
MAX_TYPE_CHARS = 64
MAX_HOLD_S = 3600
MAX_MINUTES = 7 * 24 * 60
MAX_SPEED_MPS = 200.0
MAX_MINIMUM = 10_000


def weekdays_valid(value: object) -> None:
    """Different ISO weekdays, 1 to 7."""
    is_list = isinstance(value, list) and len(value) <= 7 and len(set(map(str, value))) == len(value)
    if not is_list or not all(type(day) is int and 1 <= day <= 7 for day in value):  # type: ignore[attr-defined]
        raise ValidationError("Weekdays are different numbers from 1 (Monday) to 7.", code="invalid")


def types_valid(value: object) -> None:
    """A few types of vehicles."""
    if not isinstance(value, list) or len(value) > MAX_TYPES:
        raise ValidationError(f"A list of at most {MAX_TYPES} types of vehicles.", code="invalid")
    for name in value:
        if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_TYPE_CHARS:
            raise ValidationError(f"A type of vehicles has 1 to {MAX_TYPE_CHARS} characters.", code="invalid")
        one_line(name)


class Geofence(models.Model):
    """An area with its rules; `version` guards edits (optimistic locking).

    `geometry` is a GeoJSON Polygon of one ring, or the Point in the middle of a circle. `armed_at`: since when its
    shape, and whom it concerns, is as it is: who was inside before is not said to enter.
    """

    class Kind(models.TextChoices):
        """What shape it has."""

        POLYGON = "polygon", "Area"
        CIRCLE = "circle", "Circle"

    class Color(models.TextChoices):
        """Okabe-Ito, without the one that means critical."""

        SKY = "#56b4e9", "Sky"
        BLUE = "#0072b2", "Blue"
        GREEN = "#009e73", "Green"
        ORANGE = "#e69f00", "Orange"
        PURPLE = "#cc79a7", "Purple"
        GRAY = "#8d98a3", "Gray"

    class ReactionChoice(models.TextChoices):
        """`v2v.geofences.rules.Reaction` with its words."""

        NONE = Reaction.NONE.value, "Nothing"
        EVENT = Reaction.EVENT.value, "Event"
        LOW = Reaction.LOW.value, "Low alert"
        MEDIUM = Reaction.MEDIUM.value, "Medium alert"
        HIGH = Reaction.HIGH.value, "High alert"
        CRITICAL = Reaction.CRITICAL.value, "Critical alert"

    fleet = models.ForeignKey(Fleet, models.PROTECT, related_name="geofences")
    name = models.CharField(max_length=64, validators=[one_line])
    note = models.CharField(max_length=512, blank=True)
    color = models.CharField(max_length=7, choices=Color.choices, default=Color.SKY)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    geometry = models.JSONField()
    radius_m = models.FloatField(null=True, blank=True, help_text="meters; of a circle")
    is_active = models.BooleanField(default=True)
    vehicle_types = models.JSONField(
        default=list, blank=True, validators=[types_valid], help_text="types of vehicles that it concerns; none: all"
    )
    weekdays = models.JSONField(
        default=list, blank=True, validators=[weekdays_valid], help_text="ISO weekdays, 1 is Monday; none: every day"
    )
    begins = models.TimeField(null=True, blank=True, help_text="of the day, in the fleet's time zone")
    ends = models.TimeField(null=True, blank=True, help_text="not after the beginning: on the next day")
    hold_s = models.PositiveIntegerField(
        default=10, validators=[MaxValueValidator(MAX_HOLD_S)], help_text="how long a crossing must last, seconds"
    )

    on_enter = models.CharField(max_length=8, choices=ReactionChoice.choices, default=Reaction.EVENT.value)
    on_exit = models.CharField(max_length=8, choices=ReactionChoice.choices, default=Reaction.EVENT.value)
    on_dwell = models.CharField(max_length=8, choices=ReactionChoice.choices, default=Reaction.NONE.value)
    dwell_minutes = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(MAX_MINUTES)]
    )
    on_speed = models.CharField(max_length=8, choices=ReactionChoice.choices, default=Reaction.NONE.value)
    speed_limit = models.FloatField(
        default=13.9,
        validators=[MinValueValidator(0.5), MaxValueValidator(MAX_SPEED_MPS)],
        help_text="meters per second",
    )
    on_too_few = models.CharField(max_length=8, choices=ReactionChoice.choices, default=Reaction.NONE.value)
    minimum_inside = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MAX_MINIMUM)]
    )
    too_few_minutes = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(MAX_MINUTES)]
    )
    too_few_since = models.DateTimeField(null=True, blank=True, editable=False)
    too_few_told_at = models.DateTimeField(null=True, blank=True, editable=False)

    version = models.PositiveIntegerField(default=1)
    armed_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    updated_by = models.CharField(max_length=150, blank=True, help_text="who changed it last")

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["fleet", "name"], condition=Q(deleted_at=None), name="geofences_of_a_fleet"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a shape that is none, and hours of which one is missing."""
        try:
            shape_of(self.kind, self.geometry, self.radius_m)
        except ShapeError as error:
            field = "radius_m" if error.field == "radiusM" else "geometry"
            raise ValidationError({field: f"{error.issue[0].upper()}{error.issue[1:]}."}) from None
        if (self.begins is None) != (self.ends is None):
            raise ValidationError({"ends": "Hours have a beginning and an end."})
        if self.begins is not None and self.begins == self.ends:
            raise ValidationError({"ends": "The end is not the beginning; leave both out for the whole day."})

    @property
    def shape(self) -> Shape:
        """Its shape; what is stored is valid."""
        return shape_of(self.kind, self.geometry, self.radius_m)

    @property
    def schedule(self) -> Schedule | None:
        """When it is awake; None for always. Its `fleet` must have been read with it."""
        return schedule_of(self.weekdays, self.begins, self.ends, self.fleet.zone)

    @property
    def too_few_hold(self) -> timedelta:
        """How long there must be too few inside before that is told."""
        return timedelta(minutes=self.too_few_minutes)

    def reaction_to(self, happening: Happening) -> Reaction:
        """What its rule for that does; that there are enough again is an event where too few are told at all."""
        if happening is Happening.ENOUGH:
            return Reaction.NONE if self.on_too_few == Reaction.NONE else Reaction.EVENT
        return Reaction(getattr(self, f"on_{happening.value}"))


class GeofencePresence(models.Model):
    """A vehicle that is inside. What the server knows of it after a restart, or when the vehicle comes back."""

    geofence = models.ForeignKey(Geofence, models.CASCADE, related_name="presences", db_index=False)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="+")
    since = models.DateTimeField()
    dwelt = models.BooleanField(default=False, help_text="that it stays was told")
    fast = models.BooleanField(default=False, help_text="that it speeds was told")

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [models.UniqueConstraint(fields=["geofence", "vehicle"], name="one_presence_a_vehicle")]

    def __str__(self) -> str:
        return f"{self.vehicle_id} in {self.geofence_id}"


class GeofenceEvent(models.Model):
    """Something happened in a geofence. `value`: seconds stayed, meters per second, or vehicles inside."""

    class Type(models.TextChoices):
        """`v2v.geofences.rules.Happening` with its words."""

        ENTER = Happening.ENTER.value, "Entered"
        EXIT = Happening.EXIT.value, "Left"
        DWELL = Happening.DWELL.value, "Stays long"
        SPEED = Happening.SPEED.value, "Too fast"
        TOO_FEW = Happening.TOO_FEW.value, "Too few inside"
        ENOUGH = Happening.ENOUGH.value, "Enough inside again"

    fleet = models.ForeignKey(Fleet, models.PROTECT, related_name="+", db_index=False)
    geofence = models.ForeignKey(Geofence, models.PROTECT, related_name="events", db_index=False)
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="+", null=True, blank=True, db_index=False)
    type = models.CharField(max_length=7, choices=Type.choices)
    occurred_at = models.DateTimeField()
    value = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True, help_text="degrees")
    lng = models.FloatField(null=True, blank=True, help_text="degrees")
    severity = models.CharField(max_length=8, blank=True, help_text="of the alert that it raised")

    class Meta:
        ordering = ["-occurred_at", "-id"]
        indexes = [
            models.Index(fields=["geofence", "-occurred_at", "-id"], name="events_of_a_geofence"),
            models.Index(fields=["vehicle", "-occurred_at", "-id"], name="geofence_events_of_a_vehicle"),
            models.Index(fields=["fleet", "-occurred_at", "-id"], name="geofence_events_of_a_fleet"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.geofence_id}"

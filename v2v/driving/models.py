"""How vehicles are driven: each fleet's limits, events, trips and stops, and the figures of each day."""

from typing import NamedTuple, NoReturn

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from v2v.driving.rules import EventType, G, Limits
from v2v.fleets.models import Fleet
from v2v.vehicles.models import Vehicle, one_line

KMH = 1 / 3.6  # in m/s


class Action(models.TextChoices):
    """What an event leads to."""

    OFF = "off", "Nothing"
    EVENT = "event", "An event"
    ALERT = "alert", "An event and an alert"


def _action(action: Action) -> "models.CharField[str, str]":
    return models.CharField(max_length=5, choices=Action.choices, default=action)


def _between(low: float, high: float) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(low), MaxValueValidator(high)]


class FleetRules(models.Model):
    """A fleet's limits, and what crossing them leads to; a fleet without a row has the defaults. See docs/driving.md.

    Being offline is an event only: a tunnel, an empty tablet and a driver who ends the app look the same.
    """

    fleet = models.OneToOneField(Fleet, models.CASCADE, primary_key=True, related_name="driving_rules")
    speed_limit_kmh = models.PositiveSmallIntegerField(
        default=130, validators=_between(10, 300), help_text="km/h, for vehicle types that have no limit of their own"
    )
    speed_hold_s = models.PositiveSmallIntegerField(
        default=10, validators=_between(0, 600), help_text="seconds for which the limit must be exceeded"
    )
    braking = models.FloatField(default=4.4, validators=_between(1, 12), help_text="m/s\N{SUPERSCRIPT TWO}")
    acceleration = models.FloatField(default=4.4, validators=_between(1, 12), help_text="m/s\N{SUPERSCRIPT TWO}")
    cornering = models.FloatField(default=5.5, validators=_between(1, 12), help_text="m/s\N{SUPERSCRIPT TWO}, sideways")
    crash_g = models.FloatField(
        "crash", default=2.5, validators=_between(1, 20), help_text="g, a deceleration that ends in standing soon"
    )
    stop_g = models.FloatField(
        "crash to a stop", default=1.0, validators=_between(0.7, 20), help_text="g, a deceleration down to standing"
    )
    idle_after_s = models.PositiveIntegerField(
        default=300, validators=_between(60, 86_400), help_text="seconds of standing with the engine on"
    )
    offline_after_s = models.PositiveIntegerField(
        default=600, validators=_between(120, 86_400), help_text="seconds without a word from a vehicle that moved"
    )
    on_crash = _action(Action.ALERT)
    on_overspeed = _action(Action.EVENT)
    on_harsh_braking = _action(Action.EVENT)
    on_harsh_acceleration = _action(Action.EVENT)
    on_harsh_cornering = _action(Action.EVENT)
    on_idle = _action(Action.EVENT)
    on_offline = _action(Action.EVENT)

    class Meta:
        verbose_name = verbose_name_plural = "driving rules"

    def __str__(self) -> str:
        return f"driving rules of {self.fleet}"

    def action_on(self, event: EventType) -> str:
        """What this event leads to."""
        return str(getattr(self, f"on_{event.value}"))

    def limits(self, speed_limit_kmh: float | None = None) -> Limits:
        """For a vehicle with that speed limit, or with the fleet's."""
        return Limits(
            speed=(speed_limit_kmh or self.speed_limit_kmh) * KMH,
            speed_hold_s=self.speed_hold_s,
            braking=self.braking,
            acceleration=self.acceleration,
            cornering=self.cornering,
            crash=self.crash_g * G,
            stop=self.stop_g * G,
            idle_s=self.idle_after_s,
        )


class SpeedLimit(models.Model):
    """The speed limit of one type of vehicle in a fleet."""

    rules = models.ForeignKey(FleetRules, models.CASCADE, related_name="speed_limits")
    vehicle_type = models.CharField(max_length=64, validators=[one_line], help_text="as the vehicles name it")
    limit_kmh = models.PositiveSmallIntegerField(validators=_between(10, 300), help_text="km/h")

    class Meta:
        ordering = ["vehicle_type"]
        constraints = [models.UniqueConstraint(fields=["rules", "vehicle_type"], name="one_speed_limit_a_type")]

    def __str__(self) -> str:
        return f"{self.vehicle_type}: {self.limit_kmh} km/h"


class DrivingEvent(models.Model):
    """A limit was crossed, or a vehicle went silent: once for each vehicle, type and moment.

    `value` and `limit` are m/s for overspeed, m/s2 for braking, accelerating, cornering and crash, seconds for idle and
    offline. `day` is that of the fleet's time zone.
    """

    class Type(models.TextChoices):
        """`v2v.driving.rules.EventType` with its words."""

        CRASH = EventType.CRASH.value, "Crash suspected"
        OVERSPEED = EventType.OVERSPEED.value, "Overspeed"
        HARSH_BRAKING = EventType.HARSH_BRAKING.value, "Harsh braking"
        HARSH_ACCELERATION = EventType.HARSH_ACCELERATION.value, "Harsh acceleration"
        HARSH_CORNERING = EventType.HARSH_CORNERING.value, "Harsh cornering"
        IDLE = EventType.IDLE.value, "Idle"
        OFFLINE = EventType.OFFLINE.value, "Offline"

    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="driving_events", db_index=False)
    type = models.CharField(max_length=18, choices=Type.choices)
    occurred_at = models.DateTimeField()
    day = models.DateField()
    lat = models.FloatField(null=True, blank=True, help_text="degrees")
    lng = models.FloatField(null=True, blank=True, help_text="degrees")
    value = models.FloatField(null=True, blank=True, help_text="empty when the device only says that it was so")
    limit = models.FloatField()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["vehicle", "occurred_at", "type"], name="one_driving_event")]
        indexes = [
            models.Index(fields=["fleet", "-occurred_at"], name="driving_events_of_a_fleet"),
            models.Index(fields=["day"], name="driving_events_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.type}"

    @property
    def shown(self) -> "Shown":
        """Value and limit in the unit that people read."""
        match self.type:
            case EventType.OVERSPEED:
                factor, unit, digits = 3.6, "km/h", 0
            case EventType.IDLE | EventType.OFFLINE:
                factor, unit, digits = 1 / 60, "min", 0
            case _:
                factor, unit, digits = 1.0, "m/s\N{SUPERSCRIPT TWO}", 1
        value = None if self.value is None else round(self.value * factor, digits)
        return Shown(value, round(self.limit * factor, digits), unit)


class Shown(NamedTuple):
    """A value against its limit."""

    value: float | None
    limit: float
    unit: str


class Trip(models.Model):
    """From setting off to parking. What lies between two trips of a vehicle is its stop.

    `is_open` while it may still go on.
    """

    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="trips", db_index=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    start_lat = models.FloatField(help_text="degrees")
    start_lng = models.FloatField(help_text="degrees")
    end_lat = models.FloatField(help_text="degrees")
    end_lng = models.FloatField(help_text="degrees")
    distance_m = models.FloatField(help_text="meters")
    moving_s = models.FloatField(help_text="seconds")
    idle_s = models.FloatField(help_text="seconds of standing within the trip")
    top_mps = models.FloatField("top speed", help_text="meters per second")
    is_open = models.BooleanField(default=False)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["vehicle", "started_at"], name="one_trip_a_start")]
        indexes = [models.Index(fields=["fleet", "-started_at"], name="trips_of_a_fleet")]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.started_at}"

    @property
    def average_mps(self) -> float:
        """Meters per second, of the time in which it moved."""
        return self.distance_m / self.moving_s if self.moving_s else 0.0


class TripPart(models.Model):
    """What of a trip falls on one day of the fleet's time zone; `trips` and `stops` are 1 where it begins and ends."""

    trip = models.ForeignKey(Trip, models.CASCADE, related_name="parts")
    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(db_index=True)
    distance_m = models.FloatField(help_text="meters")
    moving_s = models.FloatField(help_text="seconds")
    idle_s = models.FloatField(help_text="seconds")
    top_mps = models.FloatField(help_text="meters per second")
    trips = models.PositiveSmallIntegerField()
    stops = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trip", "day"], name="one_part_a_trip_and_day")]

    def __str__(self) -> str:
        return f"{self.trip_id} on {self.day}"


class TripProgress(models.Model):
    """How far a vehicle's positions have been worked through; `state` is a `v2v.driving.trips.Progress`."""

    vehicle = models.OneToOneField(Vehicle, models.CASCADE, primary_key=True, related_name="trip_progress")
    done_until = models.DateTimeField()
    state = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.vehicle_id} until {self.done_until}"


class DrivingWork(models.Model):
    """A periodic step of the whole system: whoever moves `due_at` on has claimed it.

    `cursor` is how far it has come in what it reads; `dirty_from` the first day whose figures have changed since.
    """

    name = models.CharField(max_length=16, primary_key=True)
    due_at = models.DateTimeField()
    cursor = models.BigIntegerField(default=0)
    dirty_from = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class DailyFigures(models.Model):
    """A vehicle's figures of one day in a fleet. On PostgreSQL a materialized view; on SQLite a table kept the same.

    Both are made by `v2v.driving.daily`; nothing else writes.
    """

    pk = models.CompositePrimaryKey("fleet", "vehicle", "day")
    fleet = models.ForeignKey(Fleet, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    vehicle = models.ForeignKey(Vehicle, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    day = models.DateField()
    distance_m = models.FloatField(help_text="meters")
    moving_s = models.FloatField(help_text="seconds")
    idle_s = models.FloatField(help_text="seconds")
    top_mps = models.FloatField(help_text="meters per second")
    trips = models.IntegerField()
    stops = models.IntegerField()
    overspeeds = models.IntegerField()
    harsh_events = models.IntegerField()
    events = models.IntegerField()

    class Meta:
        ordering = ["-day", "vehicle", "fleet"]

    def __str__(self) -> str:
        return f"{self.vehicle_id} on {self.day}"

    def save(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: they are worked out."""
        raise TypeError("the figures of a day are worked out, not stored")

"""Driving over REST: events, trips, the figures of days."""

from typing import Any

from django.db.models import CharField, Count, F, Max, QuerySet, Sum, Value
from django_filters.rest_framework import BooleanFilter, CharFilter, ChoiceFilter, DateFilter, DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet, CamelModelSerializer, CamelSerializer
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.driving.models import DailyFigures, DrivingEvent, Trip
from v2v.driving.selectors import daily_where, driving_events_where, trips_where
from v2v.fleets.policy import Action
from v2v.vehicles.serializers import EpochMsField


class DrivingEventSerializer(CamelModelSerializer[DrivingEvent]):
    """`value` and `limit` are m/s for overspeed, m/s2 for braking, accelerating, cornering and crash, else seconds."""

    fleet = serializers.CharField(source="fleet.slug")
    vehicle_id = serializers.CharField(source="vehicle.vehicle_id")
    ts = EpochMsField(source="occurred_at")

    class Meta:
        model = DrivingEvent
        fields = ["id", "fleet", "vehicle_id", "type", "ts", "day", "lat", "lng", "value", "limit"]


class DrivingEventFilter(CamelFilterSet):
    """By fleet, vehicle, type and time: `since` inclusive, `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter("vehicle__vehicle_id")
    type = ChoiceFilter(choices=DrivingEvent.Type.choices)
    since = EpochMsFilter("occurred_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("occurred_at", "lt", label="epoch milliseconds, exclusive")


@extend_schema(summary="Driving events, newest first")
class DrivingEventView(ListAPIView[DrivingEvent]):
    """Harsh driving, overspeed, suspected crashes, idling and silence in the fleets that the actor may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = DrivingEvent.objects.none()
    serializer_class = DrivingEventSerializer
    pagination_class = NewestFirstPages
    filter_backends = [DjangoFilterBackend]
    filterset_class = DrivingEventFilter

    def get_queryset(self) -> QuerySet[DrivingEvent]:
        """Those that the actor may view."""
        return driving_events_where(actor_of(self.request))


# ---- Trips


class TripSerializer(CamelModelSerializer[Trip]):
    """Meters, m/s, seconds, degrees; `stoppedS` is how long the vehicle stood behind it, null until it set off again.

    `isOpen` while the trip may still go on. `idleS` is standing within the trip.
    """

    fleet = serializers.CharField(source="fleet.slug")
    vehicle_id = serializers.CharField(source="vehicle.vehicle_id")
    started_at = EpochMsField()
    ended_at = EpochMsField()
    average_speed = serializers.FloatField(source="average_mps")
    top_speed = serializers.FloatField(source="top_mps")
    stopped_s = serializers.SerializerMethodField(method_name="get_stopped_s")

    class Meta:
        model = Trip
        fields = [
            *("id", "fleet", "vehicle_id", "started_at", "ended_at", "start_lat", "start_lng", "end_lat", "end_lng"),
            *("distance_m", "average_speed", "top_speed", "moving_s", "idle_s", "stopped_s", "is_open"),
        ]

    def get_stopped_s(self, trip: Any) -> float | None:
        """From its end to the beginning of the next one."""
        return (trip.next_at - trip.ended_at).total_seconds() if trip.next_at is not None else None


class TripFilter(CamelFilterSet):
    """By fleet, vehicle, whether it may still go on, and its start: `since` inclusive, `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter("vehicle__vehicle_id")
    is_open = BooleanFilter()
    since = EpochMsFilter("started_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("started_at", "lt", label="epoch milliseconds, exclusive")


class TripPages(NewestFirstPages):
    """By start."""

    ordering = ("-started_at", "-id")


@extend_schema(summary="Trips and the stops between them, newest first")
class TripView(ListAPIView[Trip]):
    """Trips in the fleets that the actor may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = Trip.objects.none()
    serializer_class = TripSerializer
    pagination_class = TripPages
    filter_backends = [DjangoFilterBackend]
    filterset_class = TripFilter

    def get_queryset(self) -> QuerySet[Trip]:
        """Those that the actor may view."""
        return trips_where(actor_of(self.request))


# ---- Days


class DailySerializer(CamelSerializer):
    """A vehicle's day, or with `group=fleet` a fleet's (`vehicleId` is null then, `vehicles` how many drove).

    Meters, seconds, m/s; the average is over the time in which they moved.
    """

    fleet = serializers.CharField(source="fleet_slug")
    vehicle_id = serializers.CharField(source="vehicle_name", allow_null=True)
    day = serializers.DateField()
    vehicles = serializers.IntegerField()
    distance_m = serializers.FloatField(source="all_distance_m")
    average_speed = serializers.SerializerMethodField(method_name="get_average_speed")
    top_speed = serializers.FloatField(source="all_top_mps")
    moving_s = serializers.FloatField(source="all_moving_s")
    idle_s = serializers.FloatField(source="all_idle_s")
    trips = serializers.IntegerField(source="all_trips")
    stops = serializers.IntegerField(source="all_stops")
    overspeeds = serializers.IntegerField(source="all_overspeeds")
    harsh_events = serializers.IntegerField(source="all_harsh_events")
    events = serializers.IntegerField(source="all_events")

    def get_average_speed(self, row: dict[str, Any]) -> float | None:
        """None when nothing moved."""
        return row["all_distance_m"] / row["all_moving_s"] if row["all_moving_s"] else None


class DailyFilter(CamelFilterSet):
    """By fleet, vehicle and day, both ends inclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter("vehicle__vehicle_id")
    since = DateFilter("day", "gte", label="first day")
    until = DateFilter("day", "lte", label="last day")


class DailyPages(NewestFirstPages):
    """By day."""

    ordering = ("-day", "fleet_slug", "vehicle_name")


_SUMS = ("distance_m", "moving_s", "idle_s", "trips", "stops", "overspeeds", "harsh_events", "events")
_GROUP = OpenApiParameter("group", str, enum=["vehicle", "fleet"], default="vehicle", description="whose days")


@extend_schema_view(get=extend_schema(summary="Figures of days, newest first", parameters=[_GROUP]))
class DailyView(ListAPIView[Any]):
    """What was driven on each day of the fleets' time zones, in the fleets that the actor may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = DailyFigures.objects.none()
    serializer_class = DailySerializer
    pagination_class = DailyPages
    filter_backends = [DjangoFilterBackend]
    filterset_class = DailyFilter

    def get_queryset(self) -> QuerySet[Any]:
        """Those that the actor may view."""
        return daily_where(actor_of(self.request)).select_related(None)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filtered first, then grouped."""
        found = super().filter_queryset(queryset)
        group = serializers.ChoiceField(["vehicle", "fleet"])
        wanted = group.run_validation(self.request.query_params.get("group", "vehicle"))
        return _by_fleet(found) if wanted == "fleet" else _by_vehicle(found)


def _by_vehicle(found: QuerySet[DailyFigures]) -> QuerySet[Any]:
    columns = {f"all_{name}": F(name) for name in (*_SUMS, "top_mps")}
    names = {"fleet_slug": F("fleet__slug"), "vehicle_name": F("vehicle__vehicle_id")}
    return found.values("day", **names, **columns, vehicles=Value(1))


def _by_fleet(found: QuerySet[DailyFigures]) -> QuerySet[Any]:
    days = found.order_by().values("day", fleet_slug=F("fleet__slug"), vehicle_name=Value(None, CharField()))
    sums = {f"all_{name}": Sum(name) for name in _SUMS}
    return days.annotate(vehicles=Count("vehicle"), all_top_mps=Max("top_mps"), **sums)

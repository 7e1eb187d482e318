"""Comings and goings over REST."""

from django.db.models import Q, QuerySet
from django_filters.rest_framework import CharFilter, ChoiceFilter, DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet, CamelModelSerializer
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action
from v2v.proximity.models import ProximityEvent
from v2v.proximity.selectors import proximity_events_where
from v2v.vehicles.models import Vehicle
from v2v.vehicles.serializers import EpochMsField


class ProximityEventSerializer(CamelModelSerializer[ProximityEvent]):
    """Two vehicles met or parted; `distanceM` in meters, empty when a position went away."""

    fleet = serializers.CharField(source="fleet.slug")
    vehicle_id = serializers.CharField(source="vehicle.vehicle_id")
    peer_vehicle_id = serializers.CharField(source="peer.vehicle_id")
    ts = EpochMsField(source="occurred_at")

    class Meta:
        model = ProximityEvent
        fields = ["id", "fleet", "vehicle_id", "peer_vehicle_id", "type", "distance_m", "ts"]


class ProximityEventFilter(CamelFilterSet):
    """By fleet, vehicle (either of the two), type and time: `since` inclusive, `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter(method="of_vehicle", label="either of the two")
    type = ChoiceFilter(choices=ProximityEvent.Type.choices)
    since = EpochMsFilter("occurred_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("occurred_at", "lt", label="epoch milliseconds, exclusive")

    def of_vehicle(self, events: QuerySet[ProximityEvent], name: str, value: str) -> QuerySet[ProximityEvent]:
        """Those in which the vehicle takes part."""
        # By primary key: the index of either column serves, where a join over both would serve neither.
        vehicle_pk = Vehicle.objects.filter(vehicle_id=value).values_list("pk", flat=True).first()
        return events.filter(Q(vehicle=vehicle_pk) | Q(peer=vehicle_pk)) if vehicle_pk else events.none()


@extend_schema(summary="Vehicles that met or parted, newest first")
class ProximityEventView(ListAPIView[ProximityEvent]):
    """Comings and goings in the fleets that the actor may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = ProximityEvent.objects.none()
    serializer_class = ProximityEventSerializer
    pagination_class = NewestFirstPages
    filter_backends = [DjangoFilterBackend]
    filterset_class = ProximityEventFilter

    def get_queryset(self) -> QuerySet[ProximityEvent]:
        """Those that the actor may view."""
        return proximity_events_where(actor_of(self.request), Action.VIEW)

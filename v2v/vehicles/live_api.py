"""What is live, over REST: presence, neighbors, connections. Answered by the engine from memory."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from v2v.api.naming import CamelFilterSet, CamelSerializer
from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.fields import MAX_RADIUS_M
from v2v.vehicles.live import Presence, live
from v2v.vehicles.models import Vehicle, VehicleStatus
from v2v.vehicles.selectors import vehicles_where
from v2v.vehicles.serializers import NearbyPeerSerializer, PresenceSerializer, StatsSerializer

_UNKNOWN = Presence(status="offline", last_seen=None)


class PresenceFilter(CamelFilterSet):
    """By fleet and vehicle."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter()


class PresenceQuery(CamelSerializer):
    """What is asked beyond the filters."""

    status = serializers.ChoiceField(VehicleStatus.Presence.choices, required=False)


def _query(kind: type[CamelSerializer], request: Request) -> dict[str, Any]:
    """The request's parameters that the serializer knows, validated; others are the filters' and pages'."""
    known = kind().fields
    query = kind(data={name: value for name, value in request.query_params.items() if name in known})
    query.is_valid(raise_exception=True)
    validated: dict[str, Any] = query.validated_data
    return validated


class PresenceView(GenericAPIView[Vehicle]):
    """Who is online."""

    action_to_read = action_to_write = Action.PRESENCE
    queryset = Vehicle.objects.none()
    serializer_class = PresenceSerializer
    filterset_class = PresenceFilter
    search_fields = ["vehicle_id", "plate", "driver_name"]
    ordering_fields = ["vehicle_id"]
    ordering = ["vehicle_id"]

    def get_queryset(self) -> QuerySet[Vehicle]:
        """The vehicles whose presence the actor may know."""
        return vehicles_where(actor_of(self.request), Action.PRESENCE)

    @extend_schema(
        summary="Presence of vehicles",
        parameters=[PresenceQuery],
        responses=PresenceSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """One entry a vehicle, by its id."""
        query = _query(PresenceQuery, request)
        vehicles = self.filter_queryset(self.get_queryset())
        if wanted := query.get("status"):
            vehicles = vehicles.filter(pk__in=self._with_status(vehicles, wanted))
        page = self.paginate_queryset(vehicles) or []
        known = live().presence([vehicle.pk for vehicle in page])
        rows = [_row(vehicle, known.get(vehicle.pk, _UNKNOWN)) for vehicle in page]
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def _with_status(self, vehicles: QuerySet[Vehicle], wanted: str) -> list[int]:
        pks = list(vehicles.values_list("pk", flat=True))
        known = live().presence(pks)
        return [pk for pk in pks if known.get(pk, _UNKNOWN).status == wanted]


def _row(vehicle: Vehicle, presence: Presence) -> dict[str, Any]:
    return {
        "vehicle_id": vehicle.vehicle_id,
        "fleet": vehicle.fleet.slug,
        "status": presence.status,
        "last_seen": presence.last_seen,
    }


class NearbyQuery(CamelSerializer):
    """Round whom, and how far."""

    vehicle_id = serializers.CharField(max_length=40, required=False)
    radius_m = serializers.FloatField(min_value=1, max_value=MAX_RADIUS_M, required=False)


class NearbyView(GenericAPIView[Vehicle]):
    """Who is near a vehicle."""

    action_to_read = action_to_write = Action.PRESENCE
    queryset = Vehicle.objects.none()
    serializer_class = NearbyPeerSerializer
    filter_backends = []

    @extend_schema(
        summary="Vehicles near a vehicle",
        parameters=[NearbyQuery],
        responses=NearbyPeerSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Nearest first. A vehicle asks for its own neighbors only, and need not say who it is."""
        query = _query(NearbyQuery, request)
        vehicle_id = self._center(request, query.get("vehicle_id"))
        peers = live().nearby(vehicle_id, query.get("radius_m", settings.NEARBY_RADIUS_M))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(peers), many=True).data)

    def _center(self, request: Request, vehicle_id: str | None) -> str:
        actor = actor_of(request)
        if actor.kind == "vehicle":
            if vehicle_id not in (None, actor.name):
                raise Refusal(ErrorCode.FORBIDDEN, "A vehicle may ask for its own neighbors only.")
            return actor.name
        if vehicle_id is None:
            raise serializers.ValidationError({"vehicleId": "missing"})
        return get_object_or_404(vehicles_where(actor, Action.PRESENCE), vehicle_id=vehicle_id).vehicle_id


class StatsView(APIView):
    """How many are connected."""

    action_to_read = action_to_write = Action.PRESENCE

    @extend_schema(summary="Counts of connections", responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        """Sums only: nothing in it tells of a single vehicle or fleet."""
        return Response(StatsSerializer(live().stats()).data)

"""Vehicles and devices over REST."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.rest_framework import BooleanFilter, CharFilter
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from v2v.api.naming import CamelFilterSet
from v2v.api.permissions import actor_of
from v2v.api.versions import VERSION_PARAMETER, version_asked
from v2v.fleets.policy import Action, can
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles import services
from v2v.vehicles.models import Device, Vehicle
from v2v.vehicles.selectors import devices_where, vehicles_where
from v2v.vehicles.serializers import (
    DeviceSerializer,
    TokenRequestSerializer,
    TokenSerializer,
    VehicleChangeSerializer,
    VehicleSerializer,
)


class VehicleFilter(CamelFilterSet):
    """By fleet, type, plate, and whether disabled."""

    fleet = CharFilter("fleet__slug")
    type = CharFilter()
    plate = CharFilter()
    disabled = BooleanFilter("disabled_at", "isnull", exclude=True)


@extend_schema_view(
    list=extend_schema(summary="Vehicles of the fleets that you may view"),
    retrieve=extend_schema(summary="One vehicle"),
)
class VehicleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Vehicle]):
    """Vehicles, by their id on the wire."""

    action_to_read = Action.VIEW
    action_to_write = Action.EDIT
    queryset = Vehicle.objects.none()
    serializer_class = VehicleSerializer
    lookup_field = "vehicle_id"
    lookup_url_kwarg = "vehicleId"
    lookup_value_regex = "[A-Za-z0-9._-]{3,40}"
    filterset_class = VehicleFilter
    search_fields = ["vehicle_id", "plate", "driver_name", "make", "model"]
    ordering_fields = ["vehicle_id", "type", "plate", "driver_name", "created_at", "updated_at"]
    ordering = ["vehicle_id"]

    def get_queryset(self) -> QuerySet[Vehicle]:
        """Those that the actor may view, whatever it wants to do: what it may see but not change is 403, not 404."""
        return vehicles_where(actor_of(self.request), Action.VIEW)

    def fleet_of(self, vehicle: Vehicle) -> int:
        """Where the policy is asked."""
        return vehicle.fleet_id

    @extend_schema(summary="Add a vehicle", responses={201: VehicleSerializer})
    def create(self, request: Request) -> Response:
        """Its id must never have been used; a taken one is a `conflict`."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        vehicle = services.vehicle_create(**given.validated_data, now=timezone.now())
        return Response(self.get_serializer(vehicle).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a vehicle", request=VehicleChangeSerializer, responses=VehicleSerializer)
    def partial_update(self, request: Request, **_: str) -> Response:
        """`version` must be the vehicle's own; else `conflict`, with both versions and the vehicle as it is."""
        vehicle = self.get_object()
        given = VehicleChangeSerializer(vehicle, data=request.data, partial=True, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        if "version" not in changes:
            raise ValidationError({"version": "missing"})
        try:
            vehicle = services.vehicle_update(vehicle=vehicle, now=timezone.now(), by=actor_of(request).name, **changes)
        except Refusal as refusal:
            vehicle.refresh_from_db()
            details = {**(refusal.details or {}), "current": self.get_serializer(vehicle).data}
            raise Refusal(refusal.code, details=details) from None
        return Response(self.get_serializer(vehicle).data)

    @extend_schema(
        summary="Delete a vehicle",
        parameters=[VERSION_PARAMETER],
        responses={204: None},
    )
    def destroy(self, request: Request, **_: str) -> Response:
        """Its sessions end at once; its history stays, and its id is not given out again."""
        services.vehicle_delete(vehicle=self.get_object(), now=timezone.now(), version=version_asked(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeviceFilter(CamelFilterSet):
    """By vehicle, and whether revoked."""

    vehicle_id = CharFilter("vehicle__vehicle_id")
    revoked = BooleanFilter("revoked_at", "isnull", exclude=True)


@extend_schema_view(
    list=extend_schema(summary="Devices of the fleets that you may edit"),
    retrieve=extend_schema(summary="One device"),
)
class DeviceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Device]):
    """Devices and their tokens; for fleet admins."""

    action_to_read = Action.EDIT
    action_to_write = Action.EDIT
    queryset = Device.objects.none()
    serializer_class = DeviceSerializer
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9]{1,18}"
    filterset_class = DeviceFilter
    search_fields = ["vehicle__vehicle_id", "device_id", "name"]
    ordering_fields = ["id", "device_id", "last_seen_at", "created_at"]
    ordering = ["id"]

    def get_queryset(self) -> QuerySet[Device]:
        """Those that the actor may edit."""
        return devices_where(actor_of(self.request), Action.EDIT)

    def fleet_of(self, device: Device) -> int:
        """Where the policy is asked."""
        return device.vehicle.fleet_id

    @extend_schema(summary="Add a device to a vehicle", responses={201: DeviceSerializer})
    def create(self, request: Request) -> Response:
        """One that is there already is answered as it is; a vehicle has at most 20."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        actor = actor_of(request)
        vehicle = get_object_or_404(vehicles_where(actor, Action.VIEW), vehicle_id=wanted["vehicle"]["vehicle_id"])
        if not can(actor, Action.EDIT, vehicle.fleet_id):
            raise Refusal(ErrorCode.FORBIDDEN)
        device = services.device_add(
            vehicle=vehicle, device_id=wanted["device_id"], name=wanted.get("name", ""), now=timezone.now()
        )
        return Response(self.get_serializer(device).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Remove a device", responses={204: None})
    def destroy(self, request: Request, **_: str) -> Response:
        """With all its tokens; its sessions end at once."""
        services.device_delete(device=self.get_object(), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Revoke a device", request=None, responses=DeviceSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **_: str) -> Response:
        """With all its tokens; its sessions end at once."""
        device = self.get_object()
        services.device_revoke(device=device, now=timezone.now())
        device.refresh_from_db()
        return Response(self.get_serializer(device).data)

    @extend_schema(summary="Issue a token", request=TokenRequestSerializer, responses={201: TokenSerializer})
    @action(detail=True, methods=["post"], url_path="token")
    def token(self, request: Request, **_: str) -> Response:
        """The token is shown this once: only its digest is stored."""
        given = TokenRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        seconds = given.validated_data["ttl_seconds"]
        ttl = None if seconds is None else timedelta(seconds=seconds)
        now = timezone.now()
        token = services.device_token_issue(device=self.get_object(), now=now, ttl=ttl)
        made: dict[str, Any] = {"token": token, "expires_at": None if ttl is None else now + ttl}
        headers = {"Cache-Control": "no-store"}
        return Response(TokenSerializer(made).data, status=status.HTTP_201_CREATED, headers=headers)

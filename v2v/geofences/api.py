"""Geofences and their events over REST."""

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.rest_framework import BooleanFilter, CharFilter, ChoiceFilter, DjangoFilterBackend, NumberFilter
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.api.versions import VERSION_PARAMETER, version_asked
from v2v.fleets.policy import Action
from v2v.geofences import services
from v2v.geofences.models import Geofence, GeofenceEvent
from v2v.geofences.selectors import geofence_events_where, geofence_to_edit, geofences_where
from v2v.geofences.serializers import GeofenceChangeSerializer, GeofenceEventSerializer, GeofenceSerializer
from v2v.protocol.decode import Refusal

_MAX_PK = 2**31 - 1


class GeofenceFilter(CamelFilterSet):
    """By fleet, kind, and whether active."""

    fleet = CharFilter("fleet__slug")
    kind = ChoiceFilter(choices=Geofence.Kind.choices)
    is_active = BooleanFilter()


@extend_schema_view(
    list=extend_schema(summary="Geofences of the fleets that you may view"),
    retrieve=extend_schema(summary="One geofence"),
)
class GeofenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Geofence]):
    """Geofences; dispatchers and fleet admins edit, viewers read."""

    action_to_read = Action.VIEW
    action_to_write = Action.DISPATCH
    queryset = Geofence.objects.none()
    serializer_class = GeofenceSerializer
    lookup_url_kwarg = "geofenceId"
    lookup_value_regex = "[0-9]{1,9}"
    filterset_class = GeofenceFilter
    search_fields = ["name", "note"]
    ordering_fields = ["id", "name", "created_at", "updated_at"]
    ordering = ["name", "id"]

    def get_queryset(self) -> QuerySet[Geofence]:
        """Those that the actor may view, whatever it wants to do: what it may see but not change is 403, not 404."""
        return geofences_where(actor_of(self.request))

    def fleet_of(self, geofence: Geofence) -> int:
        """Where the policy is asked."""
        return geofence.fleet_id

    @extend_schema(summary="Add a geofence", responses={201: GeofenceSerializer})
    def create(self, request: Request) -> Response:
        """A fleet has at most 1,000. Who is inside when it is made is not said to enter."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        by = actor_of(request).name
        geofence = services.geofence_create(**given.validated_data, by=by, now=timezone.now())
        return Response(self.get_serializer(geofence).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a geofence", request=GeofenceChangeSerializer, responses=GeofenceSerializer)
    def partial_update(self, request: Request, **_: str) -> Response:
        """`version` must be the geofence's own; else `conflict`, with both versions and the geofence as it is."""
        geofence = self.get_object()
        context = self.get_serializer_context()
        given = GeofenceChangeSerializer(geofence, data=request.data, partial=True, context=context)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        if "version" not in changes:
            raise ValidationError({"version": "missing"})
        by = actor_of(request).name
        try:
            geofence = services.geofence_update(geofence=geofence, by=by, now=timezone.now(), **changes)
        except Refusal as refusal:
            if "currentVersion" not in (refusal.details or {}):
                raise
            geofence.refresh_from_db()
            details = {**(refusal.details or {}), "current": self.get_serializer(geofence).data}
            raise Refusal(refusal.code, details=details) from None
        return Response(self.get_serializer(geofence).data)

    @extend_schema(
        summary="Delete a geofence",
        parameters=[VERSION_PARAMETER],
        responses={204: None},
    )
    def destroy(self, request: Request, **_: str) -> Response:
        """Its events stay, and `restore` brings it back."""
        services.geofence_delete(
            geofence=self.get_object(), by=actor_of(request).name, now=timezone.now(), version=version_asked(request)
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Bring a deleted geofence back", request=None, responses=GeofenceSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **kwargs: str) -> Response:
        """One that is not deleted stays as it is."""
        geofence = geofence_to_edit(actor_of(request), int(kwargs["geofenceId"]), deleted=True)
        by = actor_of(request).name
        geofence = services.geofence_restore(geofence=geofence, by=by, now=timezone.now())
        return Response(self.get_serializer(geofence).data)


class GeofenceEventFilter(CamelFilterSet):
    """By fleet, geofence, vehicle, type and time: `since` inclusive, `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    geofence_id = NumberFilter("geofence", min_value=1, max_value=_MAX_PK, decimal_places=0)
    vehicle_id = CharFilter("vehicle__vehicle_id")
    type = ChoiceFilter(choices=GeofenceEvent.Type.choices)
    since = EpochMsFilter("occurred_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("occurred_at", "lt", label="epoch milliseconds, exclusive")


@extend_schema(summary="What happened in geofences, newest first")
class GeofenceEventView(ListAPIView[GeofenceEvent]):
    """Events in the fleets that the actor may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = GeofenceEvent.objects.none()
    serializer_class = GeofenceEventSerializer
    pagination_class = NewestFirstPages
    filter_backends = [DjangoFilterBackend]
    filterset_class = GeofenceEventFilter

    def get_queryset(self) -> QuerySet[GeofenceEvent]:
        """Those that the actor may view."""
        return geofence_events_where(actor_of(self.request))

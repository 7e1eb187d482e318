"""Calls over REST: to look at, and to end those that hang. They are made on the sockets."""

from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.rest_framework import CharFilter, ChoiceFilter, DjangoFilterBackend, MultipleChoiceFilter
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet, CamelOrderingFilter
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.calls.ice import ice_expiry, ice_servers
from v2v.calls.models import CallSession
from v2v.calls.selectors import calls_where
from v2v.calls.serializers import CallDetailSerializer, CallSerializer, IceServersSerializer
from v2v.calls.services import call_close
from v2v.fleets.policy import Action
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.fields import DISPATCH
from v2v.vehicles.models import Vehicle


class CallPages(NewestFirstPages):
    """By when they began."""

    ordering = ("-started_at", "-id")


class CallFilter(CamelFilterSet):
    """By fleet, vehicle (either side), state and reason (each several times), media, and time: `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter(method="of_vehicle", label="either side")
    state = MultipleChoiceFilter(choices=CallSession.StateChoice.choices)
    end_reason = MultipleChoiceFilter(choices=CallSession.ReasonChoice.choices)
    media = ChoiceFilter(choices=CallSession.Media.choices)
    since = EpochMsFilter("started_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("started_at", "lt", label="epoch milliseconds, exclusive")

    def of_vehicle(self, calls: QuerySet[CallSession], name: str, value: str) -> QuerySet[CallSession]:
        """Those from or to the vehicle."""
        # By primary key: the index of either column serves, where a join over both would serve neither.
        vehicle_pk = Vehicle.objects.filter(vehicle_id=value).values_list("pk", flat=True).first()
        its = Q(caller_vehicle=vehicle_pk) | Q(callee_vehicle=vehicle_pk)
        return calls.filter(its) if vehicle_pk else calls.none()


@extend_schema_view(
    list=extend_schema(summary="Calls of the fleets that you may view, newest first; a vehicle's own"),
    retrieve=extend_schema(summary="One call with its history", responses=CallDetailSerializer),
)
class CallViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[CallSession]):
    """Calls and how they went."""

    action_to_write = Action.DISPATCH
    queryset = CallSession.objects.none()
    serializer_class = CallSerializer
    pagination_class = CallPages
    filter_backends = [DjangoFilterBackend, SearchFilter, CamelOrderingFilter]
    filterset_class = CallFilter
    search_fields = ["caller_name", "callee_name", "caller_vehicle__vehicle_id", "callee_vehicle__vehicle_id"]
    ordering_fields = ["started_at"]
    lookup_url_kwarg = "callId"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    @property
    def action_to_read(self) -> Action:
        """A vehicle sees its own calls, which `get_queryset` sees to."""
        return Action.PRESENCE if actor_of(self.request).kind == "vehicle" else Action.VIEW

    def get_queryset(self) -> QuerySet[CallSession]:
        """Those that the actor may view, whatever it wants to do: what it may see but not end is 403, not 404."""
        return calls_where(actor_of(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """With everything, for one."""
        return CallSerializer if self.action == "list" else CallDetailSerializer

    def fleet_of(self, call: CallSession) -> int:
        """Where the policy is asked."""
        return call.fleet_id

    @extend_schema(summary="End a call", request=None, responses=CallDetailSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, **_: str) -> Response:
        """Whoever takes part in it. Of one that is over already nothing changes."""
        call = self.get_object()
        call_close(call=call, by=actor_of(request).name, now=timezone.now())
        return Response(CallDetailSerializer(self.get_queryset().get(pk=call.pk)).data)


class IceServersView(APIView):
    """STUN and TURN servers for those who may call."""

    action_to_write = Action.DISPATCH

    @property
    def action_to_read(self) -> Action:
        """A vehicle may call; a viewer may not."""
        return Action.PRESENCE if actor_of(self.request).kind == "vehicle" else Action.DISPATCH

    @extend_schema(summary="STUN and TURN servers with time-limited credentials", responses=IceServersSerializer)
    def get(self, request: Request) -> Response:
        """As RTCPeerConnection takes them; none where the server has none."""
        actor, now = actor_of(request), timezone.now()
        identity = actor.name if actor.kind == "vehicle" else DISPATCH
        servers = msgspec.to_builtins(ice_servers(identity=identity, now=now))
        return Response({"iceServers": servers, "expiresAt": epoch_ms(ice_expiry(now))})

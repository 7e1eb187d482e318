"""Radio over REST: `radio/frames`, and `radio/nodes` with whom they speak for."""

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.rest_framework import (
    BooleanFilter,
    CharFilter,
    DjangoFilterBackend,
    MultipleChoiceFilter,
    NumberFilter,
)
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from radio.models import RadioFrame, RadioNode
from radio.nodes import fleet_of, node_assign
from radio.selectors import frames_where, nodes_where
from radio.serializers import (
    NodeAssignSerializer,
    NodeTextSerializer,
    QueuedSerializer,
    RadioFrameSerializer,
    RadioNodeSerializer,
)
from radio.wanted import text_queue
from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles.selectors import vehicles_where

_NO_FLEET = 0  # in which nobody has a role, so that only a system admin may
_MAX_PK = 2**63 - 1


class FramePages(NewestFirstPages):
    """By when they came."""

    ordering = ("-id",)


class FrameFilter(CamelFilterSet):
    """By fleet, vehicle, radio, direction, kind, state (the last three several times), and time: `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter("node__vehicle__vehicle_id")
    node_id = NumberFilter("node", min_value=1, max_value=_MAX_PK)
    direction = MultipleChoiceFilter(choices=RadioFrame.Direction.choices)
    kind = MultipleChoiceFilter(choices=RadioFrame.Kind.choices)
    state = MultipleChoiceFilter(choices=RadioFrame.State.choices)
    since = EpochMsFilter("created_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("created_at", "lt", label="epoch milliseconds, exclusive")


@extend_schema(summary="Radio frames in and out, newest first")
class RadioFrameView(ListAPIView[RadioFrame]):
    """Frames of the fleets that the actor may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = RadioFrame.objects.none()
    serializer_class = RadioFrameSerializer
    pagination_class = FramePages
    filter_backends = [DjangoFilterBackend]
    filterset_class = FrameFilter

    def get_queryset(self) -> QuerySet[RadioFrame]:
        """Those that the actor may view."""
        return frames_where(actor_of(self.request))


class NodePages(NewestFirstPages):
    """By when they were heard."""

    ordering = ("-heard_at", "-id")


class NodeFilter(CamelFilterSet):
    """By fleet of the vehicle, vehicle, and whether a vehicle has it."""

    fleet = CharFilter("vehicle__fleet__slug")
    vehicle_id = CharFilter("vehicle__vehicle_id")
    assigned = BooleanFilter("vehicle", "isnull", exclude=True)


@extend_schema_view(
    list=extend_schema(summary="Radios that were heard, the last one first"),
    retrieve=extend_schema(summary="One radio"),
)
class RadioNodeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[RadioNode]):
    """Radios of the fleets' vehicles; those that no vehicle has belong to their bridge's fleet, or to system admins."""

    action_to_read = Action.VIEW
    queryset = RadioNode.objects.none()
    serializer_class = RadioNodeSerializer
    pagination_class = NodePages
    filter_backends = [DjangoFilterBackend]
    filterset_class = NodeFilter
    lookup_url_kwarg = "nodeId"
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def action_to_write(self) -> Action:
        """A text is a dispatcher's; whom a radio speaks for is a fleet admin's."""
        return Action.DISPATCH if self.action == "texts" else Action.EDIT

    def get_queryset(self) -> QuerySet[RadioNode]:
        """Those that the actor may view."""
        return nodes_where(actor_of(self.request))

    def fleet_of(self, node: RadioNode) -> int:
        """Where the policy is asked."""
        return fleet_of(node) or _NO_FLEET

    @extend_schema(
        summary="Assign a radio to a vehicle, or to none",
        request=NodeAssignSerializer,
        responses=RadioNodeSerializer,
    )
    def partial_update(self, request: Request, **kwargs: str) -> Response:
        """What waits for the vehicle before is not sent any more."""
        node = self.get_object()
        given = NodeAssignSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actor, vehicle_id = actor_of(request), given.validated_data["vehicle_id"]
        vehicle = vehicles_where(actor, Action.VIEW).filter(vehicle_id=vehicle_id).first() if vehicle_id else None
        if vehicle_id and vehicle is None:
            raise Refusal(ErrorCode.NOT_FOUND, details={"vehicleId": vehicle_id})
        node = node_assign(node=node, vehicle=vehicle, actor=actor)
        return Response(RadioNodeSerializer(node).data)

    @extend_schema(summary="Send a text to a radio", request=NodeTextSerializer, responses={202: QueuedSerializer})
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def texts(self, request: Request, **kwargs: str) -> Response:
        """Queued: it goes out by its priority."""
        node = self.get_object()
        given = NodeTextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        frames = text_queue(
            node=node, text=given.validated_data["content"], actor=actor_of(request), now=timezone.now()
        )
        return Response({"frames": [frame.pk for frame in frames]}, status=202)

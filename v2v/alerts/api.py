"""Alerts over REST, as `emergencies`."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.rest_framework import BooleanFilter, CharFilter, DjangoFilterBackend, MultipleChoiceFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from v2v.alerts import services
from v2v.alerts.models import Alert
from v2v.alerts.selectors import alerts_where, answer_times
from v2v.alerts.serializers import (
    AlertDetailSerializer,
    AlertRequestSerializer,
    AlertSerializer,
    AnswerTimesSerializer,
    AssignSerializer,
    NegateSerializer,
    NoteSerializer,
    ResolveSerializer,
)
from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet, CamelOrderingFilter
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, can
from v2v.fleets.selectors import within
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.fields import MAX_ID_CHARS
from v2v.vehicles.selectors import vehicles_where

_EVERY = timedelta(seconds=10)  # one alert of a vehicle, as on the socket
_MEASURED = timedelta(days=30)  # without a `since`
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": MAX_ID_CHARS},
    OpenApiParameter.HEADER,
    description="Your own id of the alert: the same one again is the same alert.",
)


class AlertPages(NewestFirstPages):
    """By when they were stored."""

    ordering = ("-stored_at", "-id")


class AlertFilter(CamelFilterSet):
    """By fleet, vehicle, state, severity, type (each several times), drill, and time: `until` exclusive."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter("sender__vehicle_id")
    state = MultipleChoiceFilter(choices=Alert.StateChoice.choices)
    severity = MultipleChoiceFilter(choices=Alert.Severity.choices)
    type = MultipleChoiceFilter(choices=Alert.Type.choices)
    drill = BooleanFilter()
    since = EpochMsFilter("stored_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("stored_at", "lt", label="epoch milliseconds, exclusive")


@extend_schema_view(
    list=extend_schema(summary="Alerts of the fleets that you may view, newest first"),
    retrieve=extend_schema(summary="One alert with its recipients and history", responses=AlertDetailSerializer),
)
class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Alert]):
    """Alerts. Dispatchers work them; a vehicle may raise its own, as on the socket."""

    action_to_read = Action.VIEW
    queryset = Alert.objects.none()
    serializer_class = AlertSerializer
    pagination_class = AlertPages
    filter_backends = [DjangoFilterBackend, SearchFilter, CamelOrderingFilter]
    filterset_class = AlertFilter
    search_fields = ["message", "sender__vehicle_id", "sender__plate", "sender__driver_name", "assigned_to"]
    ordering_fields = ["stored_at"]
    lookup_url_kwarg = "alertId"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    @property
    def action_to_write(self) -> Action:
        """A vehicle has no rights in its fleet but its own alert."""
        raises_its_own = self.action == "create" and actor_of(self.request).kind == "vehicle"
        return Action.PRESENCE if raises_its_own else Action.DISPATCH

    def get_queryset(self) -> QuerySet[Alert]:
        """Those that the actor may view, whatever it wants to do: what it may see but not work is 403, not 404."""
        return alerts_where(actor_of(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """With everything, for one."""
        return AlertDetailSerializer if self.action == "retrieve" else AlertSerializer

    def fleet_of(self, alert: Alert) -> int:
        """Where the policy is asked."""
        return alert.fleet_id

    @extend_schema(
        summary="Raise an alert", request=AlertRequestSerializer, parameters=[_KEY], responses={201: AlertSerializer}
    )
    def create(self, request: Request) -> Response:
        """201 for a new one, 200 for one that this key raised already."""
        given = AlertRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, now = dict(given.validated_data), timezone.now()
        origin = _origin(actor_of(request), wanted, _key(request))
        if services.alert_stored(origin) is None:
            _check_limit(actor_of(request), now)
        report = services.Report(**wanted)
        alert_id, is_new = services.alert_raise(origin=origin, report=report, now=now)
        alert = Alert.objects.select_related("fleet", "sender", "raised_by").get(pk=alert_id)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(AlertSerializer(alert).data, status=code)

    @extend_schema(summary="Take an alert", request=None, responses=AlertDetailSerializer)
    @action(detail=True, methods=["post"])
    def ack(self, request: Request, **_: str) -> Response:
        """`conflict`, with who has it, when somebody was faster."""
        return self._work(services.alert_ack)

    @extend_schema(summary="Give an alert to somebody", request=AssignSerializer, responses=AlertDetailSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, **_: str) -> Response:
        """`conflict`, with who has it, when that is another than `replaces` says."""
        return self._work(services.alert_assign, AssignSerializer)

    @extend_schema(summary="Note something", request=NoteSerializer, parameters=[_KEY], responses=AlertDetailSerializer)
    @action(detail=True, methods=["post"])
    def note(self, request: Request, **_: str) -> Response:
        """Also after the end."""
        return self._work(services.alert_note, NoteSerializer, client_id=_key(request))

    @extend_schema(summary="Close an alert", request=ResolveSerializer, responses=AlertDetailSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, **_: str) -> Response:
        """As valid or as false; the latter needs a note."""
        return self._work(services.alert_resolve, ResolveSerializer)

    @extend_schema(
        summary="Declare an alert over on somebody's word", request=NegateSerializer, responses=AlertDetailSerializer
    )
    @action(detail=True, methods=["post"])
    def negate(self, request: Request, **_: str) -> Response:
        """A third party says so."""
        return self._work(services.alert_negate, NegateSerializer)

    @extend_schema(summary="How fast alerts are answered", responses=AnswerTimesSerializer)
    @action(detail=False, url_path="answer-times", pagination_class=None)
    def answer_times(self, request: Request) -> Response:
        """Of the last 30 days, unless `since` says otherwise; drills do not count."""
        alerts, now = self.filter_queryset(self.get_queryset()), timezone.now()
        if "since" not in request.query_params:
            alerts = alerts.filter(stored_at__gte=now - _MEASURED)
        return Response(AnswerTimesSerializer(answer_times(alerts, now=now)).data)

    def _work(
        self, service: Callable[..., Alert], takes: type[BaseSerializer[Any]] | None = None, **more: Any
    ) -> Response:
        alert = self.get_object()
        if takes is not None:
            given = takes(data=self.request.data)
            given.is_valid(raise_exception=True)
            more |= given.validated_data
        service(alert=alert, by=actor_of(self.request).name, now=timezone.now(), **more)
        return Response(AlertDetailSerializer(self.get_queryset().get(pk=alert.pk)).data)


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_ID_CHARS or not key.isprintable():
        raise ValidationError({"Idempotency-Key": f"more than {MAX_ID_CHARS} characters, or not printable"})
    return key or uuid.uuid4().hex


def _origin(actor: Actor, wanted: dict[str, Any], key: str) -> services.Origin:
    """Who raises it; takes `vehicle_id` and `fleet` out of what is wanted."""
    vehicle_id, slug = wanted.pop("vehicle_id", None), wanted.pop("fleet", None)
    by_vehicle = actor.kind == "vehicle"
    if by_vehicle:
        if vehicle_id not in (None, actor.name) or slug is not None:
            raise Refusal(ErrorCode.FORBIDDEN)
        vehicle_id = actor.name
    needs = Action.PRESENCE if by_vehicle else Action.DISPATCH
    user: dict[str, Any] = {} if by_vehicle else {"user_pk": actor.id, "user_name": actor.name}
    if vehicle_id is None:
        if slug is None:
            raise ValidationError({"vehicleId": "name a vehicle, or a fleet"})
        fleet = get_object_or_404(Fleet.objects.filter(within(actor, Action.VIEW, fleet="pk")), slug=slug)
        _check(actor, needs, fleet.pk)
        return services.Origin(fleet_pk=fleet.pk, via=Alert.Via.API, client_id=key, **user)
    vehicle = get_object_or_404(vehicles_where(actor, Action.PRESENCE), vehicle_id=vehicle_id)
    _check(actor, needs, vehicle.fleet_id)
    if slug not in (None, vehicle.fleet.slug):
        raise ValidationError({"fleet": "not the vehicle's"})
    return services.Origin(
        fleet_pk=vehicle.fleet_id,
        via=Alert.Via.API,
        client_id=key,
        vehicle_pk=vehicle.pk,
        vehicle_id=vehicle_id,
        **user,
    )


def _check(actor: Actor, needs: Action, fleet_pk: int) -> None:
    if not can(actor, needs, fleet_pk):
        raise Refusal(ErrorCode.FORBIDDEN)


def _check_limit(actor: Actor, now: datetime) -> None:
    """A vehicle's own alerts come at most every 10 s; asked of the database, so that it holds across processes."""
    if actor.kind != "vehicle":
        return
    recent = Alert.objects.filter(sender=actor.id, raised_by=None, stored_at__gt=now - _EVERY)
    stored_at = recent.values_list("stored_at", flat=True).first()
    if stored_at is not None:
        wait_ms = round((stored_at + _EVERY - now).total_seconds() * 1000)
        raise Refusal(ErrorCode.RATE_LIMITED, details={"retryAfterMs": wait_ms})

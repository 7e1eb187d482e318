"""Messages over REST, for people and for vehicles."""

from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.rest_framework import CharFilter, ChoiceFilter, DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from v2v.api.filters import EpochMsFilter
from v2v.api.naming import CamelFilterSet
from v2v.api.pages import NewestFirstPages
from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action
from v2v.messaging.models import Conversation, Message
from v2v.messaging.rules import Status
from v2v.messaging.selectors import conversations_where, messages_where, recipients_with_status, status_counts
from v2v.messaging.serializers import ConversationSerializer, MessageSendSerializer, MessageSerializer
from v2v.messaging.services import message_read, message_send
from v2v.protocol.fields import MessageId
from v2v.vehicles.models import Vehicle


class MessagePages(NewestFirstPages):
    """In the order in which they were stored, which their keys keep, and for which there are indexes."""

    ordering = ("-id",)


class ConversationPages(NewestFirstPages):
    """The last active first."""

    ordering = ("-last_at", "-id")


class MessageFilter(CamelFilterSet):
    """By fleet, conversation, vehicle, status at any recipient, and when it was stored."""

    fleet = CharFilter("fleet__slug")
    conversation = CharFilter("conversation__key", label="truck-7, truck-7:truck-9, or * for broadcasts")
    vehicle_id = CharFilter(method="of_vehicle", label="from or to this vehicle itself")
    status = ChoiceFilter(method="with_status", choices=[(str(each), each.capitalize()) for each in Status])
    since = EpochMsFilter("stored_at", "gte", label="epoch milliseconds, inclusive")
    until = EpochMsFilter("stored_at", "lt", label="epoch milliseconds, exclusive")

    def of_vehicle(self, messages: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        """Those that the vehicle sent, or that were sent to it by name."""
        vehicle_pk = Vehicle.objects.filter(vehicle_id=value).values_list("pk", flat=True).first()
        its = Q(sender_vehicle=vehicle_pk) | Q(recipient_vehicle=vehicle_pk)
        return messages.filter(its) if vehicle_pk else messages.none()

    def with_status(self, messages: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        """Those that have a recipient with that status."""
        return messages.filter(recipients_with_status(value))


_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 64},
    OpenApiParameter.HEADER,
    description="Your own id for the message: the same one again is the same message, and not sent again.",
)


@extend_schema_view(retrieve=extend_schema(summary="One message"))
class MessageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Message]):
    """What was said. Who may send what is decided with the recipient, and so by the service."""

    action_to_read = action_to_write = Action.PRESENCE
    queryset = Message.objects.none()
    serializer_class = MessageSerializer
    lookup_field = "message_id"
    lookup_url_kwarg = "messageId"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    pagination_class = MessagePages
    filter_backends = [DjangoFilterBackend, SearchFilter]
    filterset_class = MessageFilter
    search_fields = ["content"]

    def get_queryset(self) -> QuerySet[Message]:
        """A user's: those of its fleets. A vehicle's: its own."""
        return messages_where(actor_of(self.request))

    def fleet_of(self, message: Message) -> int:
        """Where the policy is asked."""
        return message.fleet_id

    @extend_schema(summary="Messages, newest first")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Those of the fleets that you may view; a vehicle's own."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(self._shown(page, many=True))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With how many of its recipients have it."""
        return Response(self._shown(self.get_object()))

    @extend_schema(
        summary="Send a message",
        parameters=[_KEY],
        request=MessageSendSerializer,
        responses={200: MessageSerializer, 201: MessageSerializer},
    )
    def create(self, request: Request) -> Response:
        """Stored, and on its way. 200 when the same Idempotency-Key has sent it before."""
        given = MessageSendSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        sent = message_send(
            actor=actor_of(request),
            device_pk=getattr(request.auth, "device_pk", None),
            client_id=_idempotency_key(request),
            via="api",
            now=timezone.now(),
            **given.validated_data,
        )
        return Response(
            self._shown(sent.message), status=status.HTTP_201_CREATED if sent.is_new else status.HTTP_200_OK
        )

    @extend_schema(summary="Say that a message was read", request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def read(self, request: Request, **_: str) -> Response:
        """By the vehicle, or by a dispatcher for dispatch; the first one counts."""
        message = self.get_object()
        message_read(actor=actor_of(request), message_id=str(message.message_id), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shown(self, shown: Any, *, many: bool = False) -> Any:
        counts = status_counts(shown if many else [shown])
        context = {**self.get_serializer_context(), "counts": counts}
        return MessageSerializer(shown, many=many, context=context).data


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    try:
        return None if key is None else msgspec.convert(key, MessageId)
    except msgspec.ValidationError:
        raise ValidationError({"Idempotency-Key": "not one line of 1 to 64 characters"}) from None


class ConversationFilter(CamelFilterSet):
    """By fleet, and by vehicle."""

    fleet = CharFilter("fleet__slug")
    vehicle_id = CharFilter("vehicle__vehicle_id")


@extend_schema(summary="Conversations, the last active first")
class ConversationView(ListAPIView[Conversation]):
    """Those of the fleets that you may view."""

    action_to_read = action_to_write = Action.VIEW
    queryset = Conversation.objects.none()
    serializer_class = ConversationSerializer
    pagination_class = ConversationPages
    filter_backends = [DjangoFilterBackend]
    filterset_class = ConversationFilter

    def get_queryset(self) -> QuerySet[Conversation]:
        """With the count of what dispatch has not read in each."""
        return conversations_where(actor_of(self.request))

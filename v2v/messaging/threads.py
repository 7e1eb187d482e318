"""Conversations and their messages, as a dispatcher's pages show them."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, can
from v2v.fleets.selectors import within
from v2v.messaging.models import Conversation, Message, MessageRecipient
from v2v.messaging.rules import EVERYBODY, UNREAD, Status
from v2v.messaging.selectors import conversations_where, status_counts
from v2v.vehicles.models import Vehicle
from v2v.vehicles.selectors import vehicles_where

LIST_PAGE = 50
THREAD_PAGE = 40
LONGEST = 1_000  # conversations or messages in one answer
RECIPIENTS_PAGE = 100

Kind = Literal["direct", "between", "broadcast"]
_OF_KIND: dict[str, Q] = {
    "direct": Q(vehicle__isnull=False, peer=None),
    "between": Q(peer__isnull=False),
    "broadcast": Q(vehicle=None),
}


# ---- The list


@dataclass(frozen=True, slots=True)
class ConversationChoice:
    """Which conversations: those that `search` is found in, of one `kind` or any, `count` behind the place `before`."""

    search: str = ""
    kind: str = ""
    before: tuple[datetime, int] | None = None  # when the last one before was active, and its primary key
    count: int = LIST_PAGE


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A part of the list, the last active first, and whether there are more."""

    conversations: list[Conversation]
    has_more: bool

    @property
    def next_before(self) -> str:
        """The place that the next part follows, as the form takes it."""
        last = self.conversations[-1]
        return f"{round(last.last_at.timestamp() * 1_000_000)}-{last.pk}"


def conversation_page(*, actor: Actor, choice: ConversationChoice) -> ConversationPage:
    """The chosen conversations of the fleets that the actor may view."""
    conversations = conversations_where(actor)
    if text := choice.search:
        paths = ("vehicle__vehicle_id", "vehicle__driver_name", "peer__vehicle_id", "peer__driver_name")
        found = Q(last_message__content__icontains=text) | Q(vehicle=None, fleet__name__icontains=text)
        for path in paths:
            found |= Q(**{f"{path}__icontains": text})
        conversations = conversations.filter(found)
    if choice.kind:
        conversations = conversations.filter(_OF_KIND[choice.kind])
    if choice.before is not None:
        at, pk = choice.before
        conversations = conversations.filter(Q(last_at__lt=at) | Q(last_at=at, pk__lt=pk))
    shown = list(conversations[: choice.count + 1])
    return ConversationPage(shown[: choice.count], has_more=len(shown) > choice.count)


# ---- One conversation


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation that may not have begun yet (then without `conversation`), and what the viewer may do in it."""

    fleet: Fleet
    key: str
    vehicle: Vehicle | None
    peer: Vehicle | None
    conversation: Conversation | None
    may_dispatch: bool
    audience: int = 0  # of a broadcast: the vehicles that it would go to

    @property
    def kind(self) -> Kind:
        """Who takes part beside dispatch: one vehicle, two, or all of the fleet."""
        if self.vehicle is None:
            return "broadcast"
        return "direct" if self.peer is None else "between"

    @property
    def has_left(self) -> bool:
        """Whether its vehicle is no longer one of the fleet: nothing can be sent to it from here."""
        vehicle = self.vehicle
        return vehicle is not None and (vehicle.deleted_at is not None or vehicle.fleet_id != self.fleet.pk)


def thread_of(*, actor: Actor, fleet_slug: str, key: str) -> Thread | None:
    """The conversation of that name, if the actor may view it; with a vehicle or a whole fleet also before it began."""
    fleet = Fleet.objects.filter(within(actor, Action.VIEW, fleet="pk"), slug=fleet_slug).first()
    if fleet is None:
        return None
    conversation = conversations_where(actor).filter(fleet=fleet, key=key).first()
    vehicle = conversation.vehicle if conversation else None
    if conversation is None and key != EVERYBODY:
        vehicle = vehicles_where(actor, Action.VIEW).filter(fleet=fleet, vehicle_id=key).first()
        if vehicle is None:
            return None
    everybody = Vehicle.objects.filter(fleet=fleet, deleted_at=None, disabled_at=None)
    return Thread(
        fleet=fleet,
        key=key,
        vehicle=vehicle,
        peer=conversation.peer if conversation else None,
        conversation=conversation,
        may_dispatch=can(actor, Action.DISPATCH, fleet.pk),
        audience=everybody.count() if key == EVERYBODY else 0,
    )


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message with what became of it: how many of its recipients are in each status."""

    message: Message
    counts: Counter[str]
    is_unread: bool  # it went to dispatch, and nobody there has read it
    client_id: str  # the viewer's own id for it, when he has sent it
    by_radio: bool = False  # it goes, or went, to its one recipient by radio

    @property
    def status(self) -> str:
        """Of a message to one: its status there."""
        return "" if self.message.is_broadcast else next(iter(self.counts), "")

    @property
    def listed(self) -> list[tuple[str, int]]:
        """Each status that there is, in their order, with how many are in it."""
        return [(str(status), self.counts[status]) for status in Status if self.counts[status]]

    @property
    def pretty(self) -> str:
        """JSON content with indents; what is not JSON after all, as it is."""
        try:
            return json.dumps(json.loads(self.message.content), indent=2, ensure_ascii=False)
        except ValueError:
            return self.message.content


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """The newest messages of a conversation, oldest first, and whether there are older ones."""

    messages: list[ShownMessage] = field(default_factory=list)
    has_older: bool = False

    @property
    def is_full(self) -> bool:
        """Whether it holds as many as one answer may."""
        return len(self.messages) >= LONGEST


def thread_page(*, actor: Actor, thread: Thread, since: UUID | None = None, with_older: bool = False) -> ThreadPage:
    """The newest messages, at most 1,000: all since that one, `with_older` also a page of older ones; else a page."""
    if thread.conversation is None:
        return ThreadPage()
    messages = Message.objects.filter(conversation=thread.conversation).select_related("sender_vehicle")
    first = messages.filter(message_id=since).values_list("pk", flat=True).first() if since else None
    count = THREAD_PAGE
    if first is not None:
        count = min(LONGEST, messages.filter(pk__gte=first).count() + (THREAD_PAGE if with_older else 0))
    found = list(messages.order_by("-pk")[: count + 1])
    return ThreadPage(_shown(actor, found[:count][::-1]), has_older=len(found) > count)


def _shown(actor: Actor, messages: list[Message]) -> list[ShownMessage]:
    counts = status_counts(messages)
    at_dispatch = MessageRecipient.objects.filter(message__in=messages, vehicle=None, status__in=UNREAD)
    unread = set(at_dispatch.order_by().values_list("message", flat=True))
    radioed = MessageRecipient.objects.filter(message__in=messages, via=Message.Via.RADIO, message__is_broadcast=False)
    by_radio = set(radioed.order_by().values_list("message", flat=True))
    return [
        ShownMessage(
            message=message,
            counts=counts[message.pk],
            is_unread=message.pk in unread,
            by_radio=message.pk in by_radio,
            client_id=(message.client_id or "") if message.sender_user_id == actor.id else "",
        )
        for message in messages
    ]


# ---- The recipients of one message


@dataclass(frozen=True, slots=True)
class RecipientPage:
    """A part of the recipients in the order of callsigns, dispatch at the end; `next_after` is the last callsign."""

    recipients: list[MessageRecipient]
    next_after: str | None


def recipient_page(*, message: Message, status: str, after: str) -> RecipientPage:
    """Whom a message went to, those in one status or all, a page of them behind the callsign `after`."""
    rows: QuerySet[MessageRecipient] = message.recipients.select_related("vehicle")
    if status:
        rows = rows.filter(status=status)
    vehicles = rows.filter(vehicle__vehicle_id__gt=after).order_by("vehicle__vehicle_id")
    found = list(vehicles[: RECIPIENTS_PAGE + 1])
    shown = found[:RECIPIENTS_PAGE]
    if len(found) > RECIPIENTS_PAGE:
        return RecipientPage(shown, _callsigns(shown)[-1])
    return RecipientPage([*shown, *rows.filter(vehicle=None)], None)


def _callsigns(recipients: Iterable[MessageRecipient]) -> list[str]:
    return [recipient.vehicle.vehicle_id for recipient in recipients if recipient.vehicle is not None]

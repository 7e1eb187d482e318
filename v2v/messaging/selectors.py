"""What a client gets with its snapshot, and what an actor may read of messages and conversations."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.messaging.models import Conversation, Message, MessageRecipient
from v2v.messaging.rules import UNREAD
from v2v.messaging.wire import message_part
from v2v.protocol import events

MAX_UNREAD = 1_000  # of one recipient, the newest; what is older is found over REST
_WHOLE = ("fleet", "sender_vehicle", "recipient_vehicle")


def unread_pks(*, fleets: Collection[int] | None, vehicle_pk: int | None, now: datetime) -> list[int]:
    """The messages (primary keys, oldest first) that a vehicle, or dispatch, has not read and that have not expired.

    At most the newest 1,000. `fleets` bounds those of dispatch, None is all.
    """
    rows = MessageRecipient.objects.filter(vehicle=vehicle_pk, status__in=UNREAD, message__expires_at__gt=now)
    if fleets is not None:
        rows = rows.filter(fleet__in=fleets)
    return list(rows.order_by("-id").values_list("message_id", flat=True)[:MAX_UNREAD])[::-1]


def message_parts(pks: Collection[int]) -> list[events.MessagePart]:
    """These messages as a client gets them, oldest first."""
    found = Message.objects.filter(pk__in=pks).select_related(*_WHOLE).order_by("pk")
    return [message_part(message) for message in found]


def messages_where(actor: Actor) -> QuerySet[Message]:
    """A user's: all of the fleets that it may view. A vehicle's: what it sent, and what went to it."""
    messages = Message.objects.select_related(*_WHOLE, "conversation")
    if actor.kind == "user":
        return messages.filter(within(actor, Action.VIEW))
    to_it = MessageRecipient.objects.filter(message=OuterRef("pk"), vehicle=actor.id)
    return messages.filter(Q(sender_vehicle=actor.id) | Exists(to_it), fleet__in=list(actor.roles))


def recipients_with_status(status: str) -> Exists:
    """The condition that a message has a recipient with that status."""
    return Exists(MessageRecipient.objects.filter(message=OuterRef("pk"), status=status))


def status_counts(messages: Iterable[Message]) -> dict[int, Counter[str]]:
    """By message (primary key): how many recipients are in each status."""
    counts: dict[int, Counter[str]] = {message.pk: Counter() for message in messages}
    rows = MessageRecipient.objects.filter(message__in=list(counts)).order_by()
    for pk, status, count in rows.values_list("message_id", "status").annotate(Count("pk")):
        counts[pk][status] = count
    return counts


def conversations_where(actor: Actor) -> QuerySet[Conversation]:
    """The conversations of the fleets that the user may view, the last active first.

    Each with its last message, and `unread`: how many messages to dispatch in it nobody has read.
    """
    unread = MessageRecipient.objects.filter(
        fleet=OuterRef("fleet"), vehicle=None, status__in=UNREAD, message__conversation=OuterRef("pk")
    )
    count = unread.order_by().values("message__conversation").annotate(count=Count("pk")).values("count")
    there = (
        Conversation.objects.filter(within(actor, Action.VIEW)) if actor.kind == "user" else Conversation.objects.none()
    )
    return there.select_related("fleet", "vehicle", "peer", "last_message__sender_vehicle").annotate(
        unread=Coalesce(Subquery(count, output_field=IntegerField()), 0)
    )


def unread_total(actor: Actor) -> int:
    """How many messages to dispatch nobody has read, in the fleets that the user may view."""
    return MessageRecipient.objects.filter(within(actor, Action.VIEW), vehicle=None, status__in=UNREAD).count()

"""Messages as events, and whom to tell of them."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from v2v.messaging.models import Message
from v2v.messaging.rules import Status
from v2v.protocol import events
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.events import MessageStatusName
from v2v.protocol.fields import DISPATCH
from v2v.realtime.relay import Audience, ToDispatchers, ToFleet, ToVehicles, publish


def message_part(message: Message) -> events.MessagePart:
    """A message for its recipients; its fleet, sender and recipient must have been fetched with it."""
    to = None if message.is_broadcast else DISPATCH
    return events.MessagePart(
        message_id=str(message.message_id),
        sender_id=message.sender_vehicle.vehicle_id if message.sender_vehicle else DISPATCH,
        content=message.content,
        content_type=message.content_type,
        ts=epoch_ms(message.sent_at),
        via=message.via,
        sender_name=message.sender_name or None,
        recipient_id=message.recipient_vehicle.vehicle_id if message.recipient_vehicle else to,
        broadcast=message.is_broadcast,
        fleet=message.fleet.slug,
    )


def message_tell(message: Message) -> None:
    """Bring the message to whom it is for, once it is committed; dispatchers see all of their fleet's."""
    event = events.Message(data=message_part(message))
    if message.is_broadcast:
        sender = message.sender_vehicle.vehicle_id if message.sender_vehicle else ""
        _tell(ToFleet(message.fleet_id, without=sender), event)
        return
    if message.recipient_vehicle is not None:
        _tell(ToVehicles((message.recipient_vehicle.vehicle_id,)), event)
    _tell(ToDispatchers(message.fleet_id), event)


@dataclass(frozen=True, slots=True)
class Via:
    """Whom a message goes to, and which way; an empty way is not known yet."""

    recipient: str
    way: str


def status_tell(
    message: Message, status: Status, *, now: datetime, to: Via | None, counts: dict[str, int] | None
) -> None:
    """Tell what became of it, once that is committed: its sender, dispatchers, and who else reads for the recipient.

    Of a broadcast the first two get `counts`, however many recipients there are.
    """
    name: MessageStatusName = status.value
    told = events.MessageStatus.Data(message_id=str(message.message_id), status=name, ts=epoch_ms(now), counts=counts)
    if to is not None:
        told.recipient_id, told.via = to.recipient, to.way or None
    event = events.MessageStatus(data=told)
    if message.sender_vehicle is not None:
        _tell(ToVehicles((message.sender_vehicle.vehicle_id,)), event)
    _tell(ToDispatchers(message.fleet_id), event)


def read_tell(message: Message, *, now: datetime, recipient: str) -> None:
    """Tell a recipient's other devices that one of them has read it."""
    data = events.MessageStatus.Data(
        message_id=str(message.message_id), status="read", ts=epoch_ms(now), recipient_id=recipient
    )
    _tell(ToVehicles((recipient,)), events.MessageStatus(data=data))


def _tell(audience: Audience, event: events.Event) -> None:
    transaction.on_commit(partial(publish, audience, event))

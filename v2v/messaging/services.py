"""Taking messages, and following them to their readers. Each is one transaction, and tells after it.

A change of status is a conditional UPDATE on rows that are locked in the order of their keys.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, QuerySet

from v2v.fleets.policy import Action, Actor, can, fleets_where
from v2v.messaging import metrics
from v2v.messaging.models import Conversation, Message, MessageRecipient
from v2v.messaging.routes import Route, route_of
from v2v.messaging.rules import Status, before, conversation_key, good_until_ms
from v2v.messaging.wire import Via, message_tell, read_tell, status_tell
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms, moment
from v2v.protocol.fields import DISPATCH

log = structlog.get_logger(__name__)

_EXPIRE_AT_ONCE = 500
_WHOLE = ("fleet", "sender_vehicle", "recipient_vehicle")


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message; `is_new` unless it came before."""

    message: Message
    is_new: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """A client's word that a message came: a vehicle's (primary key), or without one that of a dispatcher.

    `fleets` are those for which the dispatcher speaks; None stands for all.
    """

    message_id: str
    at_ms: int
    vehicle_pk: int | None = None
    fleets: frozenset[int] | None = frozenset()
    via: str = "ws"


# ---- Sending


def message_send(
    *,
    actor: Actor,
    content: str,
    now: datetime,
    via: str,
    recipient_id: str | None = None,
    broadcast: bool = False,
    fleet: str | None = None,
    content_type: str = "text",
    client_id: str | None = None,
    device_pk: int | None = None,
    sent_ms: int | None = None,
    ttl_ms: int | None = None,
) -> Sent:
    """Store a message from a vehicle (and which of its devices), or from a dispatcher, and send it on its way.

    The same `client_id` from the same device or user again is the message that is stored already. Raises Refusal:
    `not_found` for a recipient that is not in a fleet of the sender's, `forbidden` for a viewer, `validation_error`,
    `expired` when its time is over.
    """
    sender_key = f"device:{device_pk}" if device_pk is not None else f"{actor.kind}:{actor.id}"
    same = Message.objects.filter(sender_key=sender_key, client_id=client_id)
    if client_id is not None and (known := same.select_related(*_WHOLE).first()):
        return Sent(known, is_new=False)
    until_ms = good_until_ms(now_ms=epoch_ms(now), sent_ms=sent_ms, ttl_ms=ttl_ms)
    if until_ms <= epoch_ms(now):
        raise Refusal(ErrorCode.EXPIRED)
    route = route_of(actor, recipient_id=recipient_id, broadcast=broadcast, fleet=fleet)
    message = Message(
        message_id=uuid.uuid4(),
        fleet=route.fleet,
        sender_vehicle=route.sender,
        sender_user_id=actor.id if actor.kind == "user" else None,
        sender_name=route.sender.driver_name if route.sender else actor.name,
        sender_key=sender_key,
        client_id=client_id,
        recipient_vehicle=route.recipient,
        is_broadcast=broadcast,
        content=content,
        content_type=content_type,
        via=via,
        sent_at=now if sent_ms is None else min(now, moment(sent_ms)),
        stored_at=now,
        expires_at=moment(until_ms),
    )
    try:
        _store(message, route, now)
    except IntegrityError:  # the same command came twice at once, and the other one was first
        if client_id is None:
            raise
        return Sent(same.select_related(*_WHOLE).get(), is_new=False)
    metrics.STORED.labels(via).inc()
    log.info("message stored", message=str(message.message_id), sender=sender_key, via=via, broadcast=broadcast)
    return Sent(message, is_new=True)


@transaction.atomic
def _store(message: Message, route: Route, now: datetime) -> None:
    message.conversation = _conversation(route, message.is_broadcast, now)
    message.save(force_insert=True)
    Conversation.objects.filter(pk=message.conversation_id).update(last_message=message, last_at=now)
    if message.is_broadcast:
        _recipients_store(message)
    if not message.is_broadcast or route.sender is not None:  # dispatch hears a vehicle's broadcast too
        MessageRecipient.objects.create(
            message=message, fleet=route.fleet, vehicle=route.recipient, due_at=message.expires_at
        )
    message_tell(message)


def _conversation(route: Route, broadcast: bool, now: datetime) -> Conversation:
    parties = [] if broadcast else [vehicle for vehicle in (route.sender, route.recipient) if vehicle is not None]
    parties.sort(key=lambda vehicle: vehicle.vehicle_id)
    key = conversation_key([vehicle.vehicle_id for vehicle in parties])
    defaults: dict[str, Any] = {"last_at": now, **dict(zip(("vehicle", "peer"), parties, strict=False))}
    return Conversation.objects.get_or_create(fleet=route.fleet, key=key, defaults=defaults)[0]


def _recipients_store(message: Message) -> None:
    """A row for every vehicle of the fleet but the sender, made inside the database.

    5,000 of them hold up the ack for no longer than one statement; see bench/message_broadcast.py.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_messagerecipient (message_id, fleet_id, vehicle_id, status, due_at, via)
            SELECT %s, fleet_id, id, %s, %s, '' FROM vehicles_vehicle
            WHERE fleet_id = %s AND deleted_at IS NULL AND disabled_at IS NULL AND id <> %s
            """,
            [
                message.pk,
                str(Status.QUEUED),
                connection.ops.adapt_datetimefield_value(message.expires_at),
                message.fleet_id,
                message.sender_vehicle_id or 0,
            ],
        )


# ---- On its way


def messages_delivered(deliveries: list[Delivery]) -> int:
    """Note which messages came, and tell their senders; how many were new. Many at once: the sockets gather them."""
    wanted: dict[tuple[int | None, uuid.UUID], Delivery] = {}
    for delivery in deliveries:
        if (message_id := _uuid(delivery.message_id)) is not None:
            wanted.setdefault((delivery.vehicle_pk, message_id), delivery)
    if not wanted:
        return 0
    now = moment(max(delivery.at_ms for delivery in wanted.values()))
    vehicles = {vehicle_pk for vehicle_pk, _ in wanted if vehicle_pk is not None}
    is_its = Q(vehicle__in=vehicles) | Q(vehicle=None)
    with transaction.atomic():
        queued = _locked(Q(message__message_id__in={message_id for _, message_id in wanted}) & is_its, Status.DELIVERED)
        rows = [row for row in queued if _may_deliver(row, wanted.get((row.vehicle_id, row.message.message_id)))]
        for via in {delivery.via for delivery in wanted.values()}:
            came = [row for row in rows if wanted[row.vehicle_id, row.message.message_id].via == via]
            _become(came, Status.DELIVERED, now, via=via, delivered_at=now)
    for row in rows:
        metrics.DELIVERY.observe(max(0.0, (now - row.message.stored_at).total_seconds()))
    return len(rows)


def messages_take_by_radio(*, pks: list[int], now: datetime) -> None:
    """Note that queued ones (primary keys of MessageRecipient) go out by radio from now on, and tell their senders."""
    with transaction.atomic():
        rows = list(_locked(Q(pk__in=pks, status=Status.QUEUED), Status.DELIVERED).exclude(via=Message.Via.RADIO))
        MessageRecipient.objects.filter(pk__in=[row.pk for row in rows]).update(via=Message.Via.RADIO)
        for row in rows:
            if row.vehicle is not None and not row.message.is_broadcast:
                told = Via(row.vehicle.vehicle_id, Message.Via.RADIO)
                status_tell(row.message, Status.QUEUED, now=now, to=told, counts=None)


def _may_deliver(row: MessageRecipient, delivery: Delivery | None) -> bool:
    if delivery is None:
        return False
    return row.vehicle_id is not None or delivery.fleets is None or row.fleet_id in delivery.fleets


@transaction.atomic
def message_read(*, actor: Actor, message_id: str, now: datetime) -> bool:
    """Note that a vehicle, or a dispatcher for dispatch, has read a message; whether it was the first to do so.

    Raises Refusal: `not_found` for a message that did not go to it, `forbidden` for a viewer, `expired`.
    """
    key = _uuid(message_id)
    vehicle_pk = actor.id if actor.kind == "vehicle" else None
    fleets = actor.roles.keys() if actor.kind == "vehicle" else fleets_where(actor, Action.VIEW)
    rows = MessageRecipient.objects.select_for_update(of=("self",)).select_related(
        *[f"message__{name}" for name in _WHOLE]
    )
    rows = rows.filter(Q() if fleets is None else Q(fleet__in=fleets), vehicle=vehicle_pk)
    row = None if key is None else rows.filter(message__message_id=key).first()
    if row is None:
        raise Refusal(ErrorCode.NOT_FOUND)
    if vehicle_pk is None and not can(actor, Action.DISPATCH, row.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    if row.status == Status.EXPIRED:
        raise Refusal(ErrorCode.EXPIRED)
    if row.status == Status.READ:
        return False
    _read([row], now)
    return True


@transaction.atomic
def conversation_read(*, actor: Actor, conversation: Conversation, now: datetime) -> int:
    """Note that a dispatcher has read all that came to dispatch in a conversation; how many that were.

    Raises Refusal `forbidden` for who does not dispatch its fleet.
    """
    if actor.kind != "user" or not can(actor, Action.DISPATCH, conversation.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    rows = list(_locked(Q(fleet=conversation.fleet_id, vehicle=None, message__conversation=conversation), Status.READ))
    _read(rows, now)
    return len(rows)


def _read(rows: list[MessageRecipient], now: datetime) -> None:
    late = [row for row in rows if row.delivered_at is None]
    MessageRecipient.objects.filter(pk__in=[row.pk for row in late]).update(delivered_at=now)
    _become(rows, Status.READ, now, read_at=now)
    for row in rows:
        if row.vehicle is not None:
            read_tell(row.message, now=now, recipient=row.vehicle.vehicle_id)


def messages_expire(now: datetime) -> bool:
    """Expire up to 500 of those that nobody had in time, and tell their senders; whether there were any."""
    with transaction.atomic():
        due = Q(
            pk__in=MessageRecipient.objects.filter(due_at__lte=now).order_by("due_at").values("pk")[:_EXPIRE_AT_ONCE]
        )
        rows = list(_locked(due, Status.EXPIRED, skip_locked=connection.features.has_select_for_update_skip_locked))
        _become(rows, Status.EXPIRED, now)
    metrics.EXPIRED.inc(len(rows))
    if rows:
        log.info("messages expired", recipients=len(rows))
    return bool(rows)


def _locked(which: Q, then: Status, *, skip_locked: bool = False) -> QuerySet[MessageRecipient]:
    """The rows of these that may become `then`, locked until the transaction's end."""
    rows = MessageRecipient.objects.select_for_update(of=("self",), skip_locked=skip_locked).order_by("pk")
    whole = ("vehicle", *[f"message__{name}" for name in _WHOLE])
    return rows.filter(which, status__in=before(then)).select_related(*whole)


def _become(rows: Iterable[MessageRecipient], then: Status, now: datetime, **columns: Any) -> None:
    """Change the status of locked rows, and tell: of a broadcast once, with counts."""
    of_message: defaultdict[Message, list[MessageRecipient]] = defaultdict(list)
    for row in rows:
        of_message[row.message].append(row)
    pks = [row.pk for row in rows]
    MessageRecipient.objects.filter(pk__in=pks, status__in=before(then)).update(status=then, due_at=None, **columns)
    for message, changed in of_message.items():
        if message.is_broadcast:
            status_tell(message, then, now=now, to=None, counts=recipient_counts(message))
        else:
            row = changed[0]
            to = Via(row.vehicle.vehicle_id if row.vehicle else DISPATCH, columns.get("via", row.via))
            status_tell(message, then, now=now, to=to, counts=None)


def recipient_counts(message: Message) -> dict[str, int]:
    """How many of a message's recipients are in each status; only those that there are."""
    rows = MessageRecipient.objects.filter(message=message).order_by().values_list("status").annotate(Count("pk"))
    return dict(rows)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

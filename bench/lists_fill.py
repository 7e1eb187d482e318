"""Fills a database for `bench.lists`; runs inside Django."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from v2v.alerts.models import Alert, AlertEvent, AlertRecipient
from v2v.fleets.models import Fleet, Membership, Role
from v2v.messaging.models import Conversation, Message, MessageRecipient
from v2v.vehicles.models import Vehicle
from v2v.vehicles.services import vehicle_tokens_issue

VEHICLES = 500
ACTIVE = 150
UNREAD_EVERY = 333  # one of so many messages waits for its reader
TOLD, TOLD_MANY = 10, 400
DAYS = 300


def fill(*, alerts: int, messages: int) -> None:
    """A fleet with its history; prints what the one who asks needs as JSON."""
    pick, now = random.Random(7), timezone.now()  # noqa: S311 - the same history each time
    fleet = Fleet.objects.create(slug="bench", name="Bench", time_zone="Asia/Dubai")
    tokens = vehicle_tokens_issue(prefix="bench-", count=VEHICLES, fleet=fleet, now=now)
    vehicles = list(Vehicle.objects.filter(fleet=fleet).order_by("vehicle_id"))
    user = User.objects.create_user("bench")
    Membership.objects.create(user=user, fleet=fleet, role=Role.DISPATCHER)
    made = [_alert(number, fleet, pick.choice(vehicles), pick, now, alerts) for number in range(alerts)]
    _store(made)
    _store(event for alert in made for event in _deeds(alert))
    told = ((alert, pick.sample(vehicles, TOLD if number else TOLD_MANY)) for number, alert in enumerate(made))
    _store(
        AlertRecipient(alert=alert, vehicle=vehicle, delivered_at=alert.stored_at + timedelta(seconds=1))
        for alert, some in told
        for vehicle in some
    )
    _messages(messages, fleet, vehicles, user, now)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # which it does by itself, a minute later; nobody does it on SQLite
    client = Client()
    client.force_login(user)
    found = {
        "session": client.cookies["sessionid"].value,
        "vehicle_id": vehicles[0].vehicle_id,
        "token": tokens[vehicles[0].vehicle_id],
        "middle_alert": str(made[alerts // 2].pk),
        "told_alert": str(made[0].pk),
    }
    print(json.dumps(found))  # noqa: T201 - it is read by the one who measures


def _store(rows: Iterable[Model]) -> None:
    each = iter(rows)
    while some := list(islice(each, 2_000)):
        type(some[0]).objects.bulk_create(some)  # type: ignore[attr-defined]


def _alert(number: int, fleet: Fleet, sender: Vehicle, pick: random.Random, now: datetime, count: int) -> Alert:
    stored = now - timedelta(days=DAYS) * number / count - timedelta(seconds=pick.random() * 60)
    is_active = number < ACTIVE
    answered = None if is_active and number % 3 else stored + timedelta(seconds=pick.expovariate(1 / 40))
    severity = pick.choices(Alert.Severity.values, (1, 3, 5, 3))[0]
    return Alert(
        fleet=fleet,
        sender=sender,
        client_id=str(number),
        via=Alert.Via.WS,
        type=pick.choice(Alert.Type.values),
        cause_code=99,
        severity=severity,
        message="needle" if number % 1_000 == 999 else f"Help is needed on road {number}",
        lat=25 + pick.random(),
        lng=55 + pick.random(),
        fix_at=stored,
        radius_m=pick.choice((None, 500.0, 5_000.0)),
        drill=number % 20 == 0,
        state=("acknowledged" if answered else "open") if is_active else "resolved",
        detected_at=stored,
        stored_at=stored,
        displayed_at=stored + timedelta(seconds=2),
        answered_at=answered,
        acked_at=answered,
        acked_by=f"desk-{number % 9}" if answered else "",
        closed_at=None if is_active else stored + timedelta(hours=1),
        closed_by="" if is_active else f"desk-{number % 9}",
        disposition="" if is_active else "valid",
    )


def _deeds(alert: Alert) -> Iterator[AlertEvent]:
    kinds = AlertEvent.Kind
    sender = alert.sender.vehicle_id if alert.sender else ""
    yield AlertEvent(alert=alert, kind=kinds.RAISED, at=alert.stored_at, by=sender)
    yield AlertEvent(alert=alert, kind=kinds.DISPLAYED, at=alert.stored_at, by="desk-1")
    if alert.answered_at is not None:
        yield AlertEvent(alert=alert, kind=kinds.ACKNOWLEDGED, at=alert.answered_at, by=alert.acked_by)
        yield AlertEvent(alert=alert, kind=kinds.NOTED, at=alert.answered_at, by=alert.acked_by, note="Police informed")
    if alert.closed_at is not None:
        yield AlertEvent(alert=alert, kind=kinds.RESOLVED, at=alert.closed_at, by=alert.closed_by)


def _messages(count: int, fleet: Fleet, vehicles: list[Vehicle], user: User, now: datetime) -> None:
    """Each vehicle's conversation with dispatch, in turn a word of the one and of the other."""
    conversations = [
        Conversation(fleet=fleet, key=vehicle.vehicle_id, vehicle=vehicle, last_at=now) for vehicle in vehicles
    ]
    Conversation.objects.bulk_create(conversations)
    messages = [
        _message(number, conversations[number % len(conversations)], fleet, user, now, count) for number in range(count)
    ]
    _store(messages)
    _store(
        MessageRecipient(
            message=message,
            fleet=fleet,
            vehicle_id=message.recipient_vehicle_id,
            status="delivered" if number % UNREAD_EVERY == 0 else "read",
        )
        for number, message in enumerate(messages)
    )
    for conversation, message in zip(conversations, messages[-len(conversations) :], strict=True):
        conversation.last_message, conversation.last_at = message, message.stored_at
    Conversation.objects.bulk_update(conversations, ["last_message", "last_at"])


def _message(number: int, conversation: Conversation, fleet: Fleet, user: User, now: datetime, count: int) -> Message:
    stored = now - timedelta(days=DAYS) * (count - number) / count
    from_vehicle = (number // VEHICLES) % 2 == 0
    vehicle = conversation.vehicle
    return Message(
        conversation=conversation,
        fleet=fleet,
        sender_vehicle=vehicle if from_vehicle else None,
        sender_user=None if from_vehicle else user,
        sender_name="Amina" if from_vehicle else "bench",
        sender_key="bench",
        client_id=str(number),
        recipient_vehicle=None if from_vehicle else vehicle,
        content=f"Where is the load of road {number}?",
        via="ws",
        sent_at=stored,
        stored_at=stored,
        expires_at=now + timedelta(days=1),
    )

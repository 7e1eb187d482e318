"""Messages are stored once, go to whom they are for, and are followed to their reader."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Fleet, Role
from v2v.fleets.policy import Actor, actor_of_user, actor_of_vehicle
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.selectors import conversations_where, message_parts, messages_where, unread_pks
from v2v.messaging.services import (
    Delivery,
    Sent,
    conversation_read,
    message_read,
    message_send,
    messages_delivered,
    messages_expire,
)
from v2v.protocol.decode import Refusal
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)
NOW_MS = int(NOW.timestamp() * 1000)


class North:
    """A fleet with truck-1, truck-2 and a dispatcher."""

    def __init__(self) -> None:
        self.fleet = fleet_make("north")
        self.trucks = [vehicle_make(self.fleet, f"truck-{n}") for n in (1, 2)]
        self.user = user_make("dora", fleet=self.fleet, role=Role.DISPATCHER)
        self.dispatch = actor_of_user(self.user)

    def actor(self, number: int) -> Actor:
        return vehicle_actor(self.trucks[number - 1])


def vehicle_actor(vehicle: Vehicle) -> Actor:
    return actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id)


@pytest.fixture
def north() -> North:
    return North()


def send(actor: Actor, **more: Any) -> Sent:
    return message_send(**{"actor": actor, "content": "hello", "via": "ws", "now": NOW, **more})


def statuses() -> dict[str | None, str]:
    return dict(MessageRecipient.objects.values_list("vehicle__vehicle_id", "status"))


def refused(code: str, actor: Actor, **more: Any) -> None:
    with pytest.raises(Refusal) as caught:
        send(actor, **more)
    assert caught.value.code == code
    assert not Message.objects.exists()


def test_the_same_id_three_times_is_one_message(north: North) -> None:
    sent = [send(north.actor(1), recipient_id="truck-2", client_id="m") for _ in range(3)]
    assert len({each.message.message_id for each in sent}) == 1
    assert [each.is_new for each in sent] == [True, False, False]
    assert Message.objects.count() == MessageRecipient.objects.count() == 1
    assert send(north.actor(2), recipient_id="truck-1", client_id="m").is_new, "another sender's id is another id"
    assert send(north.actor(1), recipient_id="truck-2", client_id="m", device_pk=9).is_new, "another device's too"


def test_the_same_id_from_eight_threads_at_once_is_one_message(north: North) -> None:
    start, results = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        try:
            results.append(send(north.actor(1), broadcast=True, client_id="m"))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({sent.message.message_id for sent in results}) == 1
    assert sum(sent.is_new for sent in results) == 1
    assert len(results) == 8
    assert MessageRecipient.objects.count() == 2  # truck-2 and dispatch


def test_messages_without_an_id_are_each_their_own(north: North) -> None:
    assert send(north.dispatch, recipient_id="truck-1").is_new
    assert send(north.dispatch, recipient_id="truck-1").is_new


def test_a_broadcast_goes_to_all_of_the_fleet_that_can_connect_but_the_sender(north: North) -> None:
    vehicle_make(fleet_make("south"), "van-1")
    vehicle_make(north.fleet, "truck-3")
    gone = vehicle_make(north.fleet, "truck-4")
    Vehicle.objects.filter(pk=gone.pk).update(deleted_at=NOW)
    send(north.actor(1), broadcast=True)
    assert statuses() == {"truck-2": "queued", "truck-3": "queued", None: "queued"}


def test_a_dispatchers_broadcast_does_not_come_back_to_dispatch(north: North) -> None:
    send(north.dispatch, broadcast=True)
    assert statuses() == {"truck-1": "queued", "truck-2": "queued"}


def test_another_fleets_vehicle_does_not_exist(north: North) -> None:
    vehicle_make(fleet_make("south"), "van-1")
    refused("not_found", north.actor(1), recipient_id="van-1")
    refused("not_found", north.dispatch, recipient_id="van-1")
    refused("not_found", north.dispatch, broadcast=True, fleet="south")
    refused("not_found", north.actor(1), broadcast=True, fleet="south")


def test_a_viewer_may_not_send(north: North) -> None:
    viewer = actor_of_user(user_make("vera", fleet=north.fleet, role=Role.VIEWER))
    refused("forbidden", viewer, recipient_id="truck-1")
    refused("forbidden", viewer, broadcast=True)


def test_nobody_writes_to_himself(north: North) -> None:
    refused("validation_error", north.actor(1), recipient_id="truck-1")
    refused("validation_error", north.dispatch, recipient_id="dispatch")


def test_who_has_two_fleets_names_the_one_for_a_broadcast(north: North) -> None:
    south: Fleet = fleet_make("south")
    vehicle_make(south, "van-1")
    admin = actor_of_user(user_make("root", is_superuser=True))
    refused("validation_error", admin, broadcast=True)
    send(admin, broadcast=True, fleet="south")
    assert statuses() == {"van-1": "queued"}


def test_a_message_goes_from_queued_to_delivered_to_read_and_never_back(north: North) -> None:
    message = send(north.dispatch, recipient_id="truck-1").message
    word = Delivery(str(message.message_id), NOW_MS + 1000, north.trucks[0].pk)
    assert messages_delivered([word, word]) == 1
    assert statuses() == {"truck-1": "delivered"}
    assert message_read(actor=north.actor(1), message_id=str(message.message_id), now=NOW)
    assert not message_read(actor=north.actor(1), message_id=str(message.message_id), now=NOW), "the first one counts"
    assert messages_delivered([word]) == 0
    assert not messages_expire(NOW + timedelta(days=2))
    assert statuses() == {"truck-1": "read"}


def test_nobody_says_for_another_that_a_message_came_or_was_read(north: North) -> None:
    south = fleet_make("south")
    message = send(north.actor(1), recipient_id="dispatch").message
    key = str(message.message_id)
    stranger = actor_of_user(user_make("sam", fleet=south, role=Role.DISPATCHER))
    words = [
        Delivery(key, NOW_MS, north.trucks[1].pk),
        Delivery(key, NOW_MS, None, frozenset({south.pk})),
        Delivery("not a uuid", NOW_MS, None, None),
    ]
    assert [messages_delivered([word]) for word in words] == [0, 0, 0]
    for actor in (north.actor(2), stranger):
        with pytest.raises(Refusal) as caught:
            message_read(actor=actor, message_id=key, now=NOW)
        assert caught.value.code == "not_found"
    assert statuses() == {None: "queued"}
    assert messages_delivered([Delivery(key, NOW_MS, None, frozenset({north.fleet.pk}))]) == 1


def test_what_nobody_had_in_time_expires_once_and_stays_so(north: North) -> None:
    message = send(north.dispatch, recipient_id="truck-1", ttl_ms=60_000).message
    assert not messages_expire(NOW + timedelta(seconds=59))
    assert unread_pks(fleets=[north.fleet.pk], vehicle_pk=north.trucks[0].pk, now=NOW) == [message.pk]
    assert messages_expire(NOW + timedelta(seconds=60))
    assert not messages_expire(NOW + timedelta(seconds=61))
    assert statuses() == {"truck-1": "expired"}
    assert unread_pks(fleets=[north.fleet.pk], vehicle_pk=north.trucks[0].pk, now=NOW) == []
    assert messages_delivered([Delivery(str(message.message_id), NOW_MS, north.trucks[0].pk)]) == 0
    with pytest.raises(Refusal) as caught:
        message_read(actor=north.actor(1), message_id=str(message.message_id), now=NOW)
    assert caught.value.code == "expired"


def test_what_waits_is_given_oldest_first_until_it_is_read(north: North) -> None:
    sent = [send(north.dispatch, recipient_id="truck-1", content=str(n)).message for n in range(3)]
    truck = north.trucks[0].pk
    messages_delivered([Delivery(str(sent[0].message_id), NOW_MS, truck)])
    message_read(actor=north.actor(1), message_id=str(sent[1].message_id), now=NOW)
    pks = unread_pks(fleets=[north.fleet.pk], vehicle_pk=truck, now=NOW)
    assert [part.content for part in message_parts(pks)] == ["0", "2"]


def test_conversations_hold_what_dispatch_has_not_read(north: North) -> None:
    send(north.actor(1), recipient_id="dispatch")
    send(north.actor(1), recipient_id="dispatch", now=NOW + timedelta(seconds=1))
    send(north.dispatch, recipient_id="truck-1", now=NOW + timedelta(seconds=2))
    send(north.actor(2), recipient_id="truck-1", now=NOW + timedelta(seconds=3))
    send(north.actor(2), broadcast=True, now=NOW + timedelta(seconds=4))
    found: list[Any] = list(conversations_where(north.dispatch))
    assert [(each.key, each.unread) for each in found] == [("*", 1), ("truck-1:truck-2", 0), ("truck-1", 2)]
    assert conversation_read(actor=north.dispatch, conversation=found[2], now=NOW) == 2
    assert conversation_read(actor=north.dispatch, conversation=found[2], now=NOW) == 0
    viewer = actor_of_user(user_make("vera", fleet=north.fleet, role=Role.VIEWER))
    with pytest.raises(Refusal):
        conversation_read(actor=viewer, conversation=found[0], now=NOW)
    stranger = actor_of_user(user_make("sam", fleet=fleet_make("south"), role=Role.FLEET_ADMIN))
    assert not conversations_where(stranger)
    assert not messages_where(stranger)


def test_a_vehicle_finds_its_own_messages_and_no_others(north: North) -> None:
    send(north.actor(1), recipient_id="dispatch", content="mine")
    send(north.dispatch, broadcast=True, content="all")
    send(north.dispatch, recipient_id="truck-2", content="theirs")
    assert [message.content for message in messages_where(north.actor(1))] == ["all", "mine"]


def test_a_message_that_waited_for_too_long_is_refused(north: North) -> None:
    hour = 3_600_000
    refused("expired", north.actor(1), recipient_id="truck-2", sent_ms=NOW_MS - 2 * hour, ttl_ms=hour)
    sent = send(north.actor(1), recipient_id="truck-2", sent_ms=NOW_MS - hour, ttl_ms=2 * hour)
    assert sent.message.expires_at == NOW + timedelta(hours=1)

"""The page of the queue: who may see it, what it shows, what can be done about a dead letter."""

import math

import msgspec
import pytest
from django.test import Client

from tests.integration.people import NOW, fleet_make, user_make
from tests.integration.tracking.records import T0, record
from v2v.fleets.models import Fleet, Role
from v2v.tracking.backends import queue_get
from v2v.tracking.models import DeadLetter
from v2v.tracking.queue import MemoryQueue, minute_now
from v2v.tracking.records import chunks_of, records_in
from v2v.tracking.storage import dead_letter_store
from v2v.tracking.writer import Writer
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def queue() -> MemoryQueue:
    """This process's queue, empty."""
    queue_get.cache_clear()
    queue = queue_get()
    assert isinstance(queue, MemoryQueue)
    return queue


@pytest.fixture
def letter(truck: Vehicle) -> DeadLetter:
    ((payload, _),) = chunks_of([record(truck.pk, T0, fleet=truck.fleet_id)])
    return letter_make("1-0:3", payload, truck.fleet)


def letter_make(key: str, payload: bytes, fleet: Fleet | None) -> DeadLetter:
    fleet_pk = fleet.pk if fleet else None
    dead_letter_store(key=key, payload=payload, fleet=fleet_pk, reason="DataError: \x00no", tries=5, now=NOW)
    return DeadLetter.objects.get(key=key)


def sign_in(client: Client, fleet: Fleet, role: Role) -> None:
    client.force_login(user_make(f"{fleet.slug}-{role}", fleet=fleet, role=role))


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.DISPATCHER, 403), (Role.FLEET_ADMIN, 200)])
def test_who_manages_a_fleet_sees_the_queue(client: Client, role: Role, status: int) -> None:
    sign_in(client, fleet_make(), role)
    assert client.get("/queue/").status_code == status


def test_it_shows_what_waits_and_what_was_stored(client: Client, queue: MemoryQueue, truck: Vehicle) -> None:
    queue.put([(b"waits", 12_345)])
    queue.tally(minute=minute_now() - 1, written=6_000, retried=7)
    sign_in(client, truck.fleet, Role.FLEET_ADMIN)
    page = client.get("/queue/").content.decode()
    assert "12,345" in page
    assert "100 a second" in page
    assert "More than a minute of work" in page


def test_a_letter_says_what_it_holds_and_is_sent_again(
    client: Client, queue: MemoryQueue, letter: DeadLetter, truck: Vehicle
) -> None:
    sign_in(client, truck.fleet, Role.FLEET_ADMIN)
    page = client.get("/queue/").content.decode()
    assert "truck-1" in page
    assert "25.00000, 55.00000" in page
    answer = client.post(f"/queue/letters/{letter.pk}/send-again/", follow=True)
    assert "Sent again." in answer.content.decode()
    (entry,) = queue.take(limit=5, wait_s=0)
    assert records_in(entry.payload)[0].vehicle == truck.pk
    assert not DeadLetter.objects.exists()


def test_a_letter_that_dies_again_is_another_letter(
    client: Client, queue: MemoryQueue, letter: DeadLetter, truck: Vehicle
) -> None:
    bad = msgspec.structs.replace(records_in(bytes(letter.payload))[0], lat=math.nan)
    letter.delete()
    writer = Writer(queue, retry_s=0.0)
    for _ in range(2):
        queue.put(chunks_of([bad]))
        while queue.depth():
            writer.step(wait_s=0)
    assert DeadLetter.objects.count() == 2


def test_a_letter_is_discarded_once(client: Client, queue: MemoryQueue, letter: DeadLetter, truck: Vehicle) -> None:
    sign_in(client, truck.fleet, Role.FLEET_ADMIN)
    assert client.post(f"/queue/letters/{letter.pk}/discard/").status_code == 302
    assert client.post(f"/queue/letters/{letter.pk}/discard/").status_code == 404
    assert queue.depth() == 0


def test_another_fleets_letters_and_those_of_none_are_not_there(client: Client, letter: DeadLetter) -> None:
    nobodys = letter_make("9-9", b"\xc1", None)
    sign_in(client, fleet_make("south"), Role.FLEET_ADMIN)
    assert "No dead letters" in client.get("/queue/").content.decode()
    for each in (letter, nobodys):
        assert client.post(f"/queue/letters/{each.pk}/discard/").status_code == 404
    assert DeadLetter.objects.count() == 2


def test_a_system_admin_sees_all_and_cannot_send_what_is_no_position(client: Client, letter: DeadLetter) -> None:
    nobodys = letter_make("9-9", b"\xc1", None)
    client.force_login(user_make("root", is_superuser=True, is_staff=True))
    assert "1 bytes that are no position" in client.get("/queue/").content.decode()
    answer = client.post(f"/queue/letters/{nobodys.pk}/send-again/", follow=True)
    assert "cannot be read" in answer.content.decode()
    assert DeadLetter.objects.count() == 2


def test_a_full_queue_leaves_the_letter_where_it_is(
    client: Client, queue: MemoryQueue, letter: DeadLetter, truck: Vehicle
) -> None:
    queue.put([(b"", queue_get().figures(minute=0).limit)])
    sign_in(client, truck.fleet, Role.FLEET_ADMIN)
    answer = client.post(f"/queue/letters/{letter.pk}/send-again/", follow=True)
    assert "takes nothing at the moment" in answer.content.decode()
    assert DeadLetter.objects.filter(pk=letter.pk).exists()

"""Conversations as the console's pages show them: rights, filters, parts, and what is hostile."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Fleet, Role
from v2v.fleets.policy import Actor, actor_of_user, actor_of_vehicle
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.services import Delivery, message_send, messages_delivered
from v2v.messaging.threads import LIST_PAGE, THREAD_PAGE
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}\u202e"


class World:
    """Fleet north with two trucks and a dispatcher who is signed in, and fleet south of others."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.fleet = fleet_make("north")
        self.trucks = [vehicle_make(self.fleet, f"truck-{n}", driver_name=name) for n, name in ((1, "Amina"), (2, ""))]
        self.user = user_make("ann", fleet=self.fleet, role=Role.DISPATCHER)
        self.dispatch = actor_of_user(self.user)
        client.force_login(self.user)
        self.south = fleet_make("south")
        self.van = vehicle_make(self.south, "van-1")
        self._minutes = 0

    def of(self, vehicle: Vehicle) -> Actor:
        return actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id)

    def say(self, sender: Actor, content: str = "Hello", **more: Any) -> Message:
        """Each a minute after the one before."""
        self._minutes += 1
        now = NOW + timedelta(minutes=self._minutes)
        return message_send(**{"actor": sender, "content": content, "now": now, "via": "ws"} | more).message

    def get(self, address: str, **query: Any) -> str:
        answer = self.client.get(address, query, headers=PART)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def listed(self, **query: Any) -> list[str]:
        return re.findall(r'data-conversation="([^"]+)"', self.get("/conversations/", **query))

    def shown(self, address: str, **query: Any) -> list[str]:
        return re.findall(r'class="message-body">(.*?)</p>', self.get(address, **query), re.DOTALL)

    def drawer(self, name: str) -> str:
        return self.get("/drawer/", conversation=name)


@pytest.fixture
def world(client: Client) -> World:
    return World(client)


def viewer_of(fleet: Fleet, client: Client) -> None:
    client.force_login(user_make("vera", fleet=fleet))


def test_the_list_has_the_last_active_first_and_counts_what_is_unread(world: World) -> None:
    one, two = map(world.of, world.trucks)
    world.say(one, "First", recipient_id="dispatch")
    world.say(one, "Second", recipient_id="dispatch")
    world.say(two, recipient_id="truck-1")
    world.say(world.dispatch, "To all", broadcast=True)
    assert world.listed() == ["north/*", "north/truck-1:truck-2", "north/truck-1"]
    html = world.get("/conversations/")
    assert re.findall(r"(\d+)<span[^>]*> unread", html) == ["2"]
    assert 'id="messages-count" hx-swap-oob="true">2<' in html
    assert re.findall(r"(?s)row-note\">(.*?)</span>", html) == ["ann: To all", "truck-2: Hello", "Second"]


def test_others_fleets_have_no_place_in_it(world: World) -> None:
    world.say(world.of(world.van), "Secret", recipient_id="dispatch")
    [message] = Message.objects.all()
    assert world.listed() == []
    assert 'id="messages-count" hx-swap-oob="true"><' in world.get("/conversations/unread/")
    for address in (
        "/drawer/?conversation=south/van-1",
        "/drawer/?conversation=south/*",
        "/drawer/?conversation=north/van-1",
        "/conversations/south/van-1/messages/",
        f"/conversations/recipients/{message.message_id}/",
    ):
        assert world.client.get(address, headers=PART).status_code == 404
    assert world.client.post("/conversations/south/van-1/read/").status_code == 404
    assert "Secret" not in world.client.get("/?tab=messages&conversation=south/van-1").content.decode()
    assert MessageRecipient.objects.get().status == "queued"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "direct"}, ["north/truck-1"]),
        ({"kind": "between"}, ["north/truck-1:truck-2"]),
        ({"kind": "broadcast"}, ["north/*"]),
        ({"find": "amina"}, ["north/truck-1:truck-2", "north/truck-1"]),
        ({"find": "TRUCK-2"}, ["north/truck-1:truck-2"]),
        ({"find": "bridge"}, ["north/*"]),
        ({"find": "nothing of it"}, []),
    ],
)
def test_the_filter_finds_by_kind_name_and_last_line(world: World, query: dict[str, str], found: list[str]) -> None:
    one, two = map(world.of, world.trucks)
    world.say(one, recipient_id="dispatch")
    world.say(two, recipient_id="truck-1")
    world.say(world.dispatch, "The bridge is closed", broadcast=True)
    assert world.listed(**query) == found


@pytest.mark.parametrize(
    "query",
    [
        "find=%00",
        "kind=all",
        "before=now",
        "before=99999999999999999-1",
        "before=1-99999999999999999999",
        "count=-1",
        "count=99999999",
        "find=" + "x" * 500,
    ],
)
def test_a_filter_that_is_not_valid_counts_as_none(world: World, query: str) -> None:
    world.say(world.dispatch, recipient_id="truck-1")
    for address in ("/conversations/", "/?tab=messages&"):
        html = world.client.get(f"{address}?{query}" if "?" not in address else address + query).content.decode()
        assert re.findall(r'data-conversation="([^"]+)"', html) == ["north/truck-1"]


def test_a_long_list_comes_in_parts_that_miss_nothing(world: World) -> None:
    names = [vehicle_make(world.fleet, f"car-{number:03}").vehicle_id for number in range(LIST_PAGE + 10)]
    for name in names:  # at one moment, so that only the keys tell them apart
        message_send(actor=world.dispatch, content="Hi", now=NOW, via="ws", recipient_id=name)
    html = world.get("/conversations/")
    [before] = re.findall(r"before=([\d-]+)", html)
    first, second = re.findall(r'data-conversation="([^"]+)"', html), world.listed(before=before)
    assert len(first) == LIST_PAGE
    assert first + second == [f"north/{name}" for name in reversed(names)]
    assert len(world.listed(count=LIST_PAGE + 5)) == LIST_PAGE + 5


def test_a_conversation_shows_its_newest_messages_and_further_back_on_demand(world: World) -> None:
    sent = [world.say(world.dispatch, str(n), recipient_id="truck-1") for n in range(2 * THREAD_PAGE + 5)]
    newest = world.shown("/conversations/north/truck-1/messages/")
    assert newest == [str(n) for n in range(THREAD_PAGE + 5, 2 * THREAD_PAGE + 5)]
    first = sent[THREAD_PAGE + 5].message_id
    address = "/conversations/north/truck-1/messages/"
    world.say(world.dispatch, "one more", recipient_id="truck-1")
    assert world.shown(address, since=first) == [*newest, "one more"]
    further = world.shown(address, since=first, older="1")
    assert further == [str(n) for n in range(5, 2 * THREAD_PAGE + 5)] + ["one more"]
    assert "data-older" in world.get(address, since=first, older="1")
    assert "data-older" not in world.get(address, since=sent[3].message_id, older="1")
    for since in ("x", "0" * 400, "00000000-0000-0000-0000-000000000000"):
        assert len(world.shown(address, since=since)) == THREAD_PAGE


def test_days_are_those_of_the_fleet(world: World) -> None:
    Fleet.objects.filter(pk=world.fleet.pk).update(time_zone="Asia/Dubai")
    for hour in (19, 21):  # 23:00 and 01:00 in Dubai
        at = datetime(2026, 11, 25, hour, tzinfo=UTC)
        world.say(world.dispatch, recipient_id="truck-1", now=at)
    html = world.drawer("north/truck-1")
    assert re.findall(r'id="day-([\d-]+)"', html) == ["2026-11-25", "2026-11-26"]
    assert re.findall(r">(\d\d:\d\d)</time>", html) == ["23:00", "01:00"]


def test_a_time_zone_that_there_is_not_is_universal_time(world: World) -> None:
    Fleet.objects.filter(pk=world.fleet.pk).update(time_zone="Mars/Olympus")
    world.say(world.dispatch, recipient_id="truck-1", now=NOW)
    assert ">12:00</time>" in world.drawer("north/truck-1")


def test_status_is_told_for_each_recipient(world: World) -> None:
    direct = world.say(world.dispatch, recipient_id="truck-1")
    all_of = world.say(world.dispatch, broadcast=True)
    for message in (direct, all_of):
        messages_delivered([Delivery(str(message.message_id), round(NOW.timestamp() * 1000), world.trucks[0].pk)])
    assert re.findall(r'data-status="(\w+)"', world.drawer("north/truck-1")) == ["delivered"]
    assert "1 queued · 1 delivered" in world.drawer("north/*")
    address = f"/conversations/recipients/{all_of.message_id}/"
    recipients = re.findall(r'row-title">(.*?)<.*?data-status="(\w+)"', world.get(address))
    assert recipients == [("truck-1", "delivered"), ("truck-2", "queued")]
    assert re.findall(r'row-title">(.*?)<', world.get(address, status="queued")) == ["truck-2"]
    assert re.findall(r'row-title">(.*?)<', world.get(address, after="truck-1")) == ["truck-2"]
    assert len(re.findall(r'row-title">', world.get(address, status="lost", after="%00"))) == 2


def test_recipients_of_many_come_in_parts_and_dispatch_at_the_end(world: World) -> None:
    for number in range(120):
        vehicle_make(world.fleet, f"car-{number:03}")
    message = world.say(world.of(world.trucks[0]), broadcast=True)
    address = f"/conversations/recipients/{message.message_id}/"
    html = world.get(address)
    [after] = re.findall(r"after=([\w-]+)", html)
    names = re.findall(r'row-title">(.*?)<', html) + re.findall(r'row-title">(.*?)<', world.get(address, after=after))
    assert names == [*(f"car-{number:03}" for number in range(120)), "truck-2", "Dispatch"]


def test_json_is_shown_with_indents_and_radio_by_its_name(world: World) -> None:
    content = json.dumps({"load": {"kg": 1200}})
    world.say(world.of(world.trucks[0]), content, recipient_id="dispatch", content_type="json", via="radio")
    html = world.drawer("north/truck-1")
    assert escape('{\n  "load": {\n    "kg": 1200\n  }\n}') in html
    assert "via radio" in html


def test_hostile_content_is_escaped_everywhere(world: World) -> None:
    Vehicle.objects.filter(pk=world.trucks[0].pk).update(driver_name=HOSTILE[:64])
    world.say(world.of(world.trucks[0]), HOSTILE, recipient_id="dispatch")
    world.say(world.dispatch, json.dumps([HOSTILE]), recipient_id="truck-1", content_type="json")
    pages = [world.drawer("north/truck-1"), world.get("/conversations/"), world.get("/?tab=messages")]
    for html in pages:
        assert "<img" not in html
    assert escape(HOSTILE) in pages[0]


def test_an_own_message_is_known_by_its_id_and_others_ids_stay_hidden(world: World) -> None:
    world.say(world.dispatch, recipient_id="truck-1", client_id="mine-1")
    world.say(world.of(world.trucks[0]), recipient_id="dispatch", client_id="theirs-1")
    html = world.drawer("north/truck-1")
    assert re.findall(r'data-client-id="([^"]+)"', html) == ["mine-1"]


def test_a_conversation_that_has_not_begun_can_be_opened(world: World) -> None:
    for name in ("north/truck-1", "north/*"):
        html = world.drawer(name)
        assert "Nothing was said yet" in html
        assert 'id="composer"' in html
    assert world.client.get("/drawer/?conversation=north/truck-1:truck-2", headers=PART).status_code == 404


def test_a_viewer_reads_and_is_told_why_he_cannot_write(world: World) -> None:
    world.say(world.of(world.trucks[0]), recipient_id="dispatch")
    viewer_of(world.fleet, world.client)
    html = world.drawer("north/truck-1")
    assert world.listed() == ["north/truck-1"]
    assert 'id="composer"' not in html
    assert "data-unread" not in html
    assert "a viewer sends no messages" in html
    assert "Broadcast</a>" not in world.get("/?tab=messages")
    assert world.client.post("/conversations/north/truck-1/read/").status_code == 403
    assert MessageRecipient.objects.get().status == "queued"


def test_a_vehicle_that_left_or_two_vehicles_take_nothing_from_here(world: World) -> None:
    world.say(world.of(world.trucks[1]), recipient_id="truck-1")
    world.say(world.dispatch, recipient_id="truck-1")
    assert "Dispatch reads along here" in world.drawer("north/truck-1:truck-2")
    Vehicle.objects.filter(pk=world.trucks[0].pk).update(deleted_at=NOW)
    html = world.drawer("north/truck-1")
    assert "no longer in North" in html
    assert 'id="composer"' not in html


def test_a_broadcast_names_the_fleet_and_how_many_it_goes_to(world: World) -> None:
    vehicle_make(world.fleet, "disabled-1")
    Vehicle.objects.filter(vehicle_id="disabled-1").update(disabled_at=NOW)
    assert "Send to all of North?" in world.drawer("north/*")
    assert "Send to 2 vehicles" in world.drawer("north/*")


def test_all_of_a_conversation_is_marked_read_by_a_form(world: World) -> None:
    for _ in range(3):
        world.say(world.of(world.trucks[0]), recipient_id="dispatch")
    assert world.drawer("north/truck-1").count("data-unread") == 3
    assert world.client.post("/conversations/north/truck-1/read/").status_code == 204
    assert world.drawer("north/truck-1").count("data-unread") == 0
    assert set(MessageRecipient.objects.values_list("status", flat=True)) == {"read"}


def test_marking_read_wants_the_token_of_its_form(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.user)
    assert strict.post("/conversations/north/truck-1/read/").status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_what_is_to_be_read_takes_no_writes(world: World, method: str) -> None:
    write: Callable[..., Any] = getattr(world.client, method)
    for address in ("/conversations/", "/conversations/unread/", "/conversations/north/truck-1/messages/"):
        assert write(address).status_code == 405
    assert world.client.get("/conversations/north/truck-1/read/").status_code == 405


def test_a_part_without_a_session_leads_to_the_login(world: World) -> None:
    world.client.logout()
    for address in ("/conversations/", "/conversations/unread/", "/conversations/north/truck-1/messages/"):
        assert world.client.get(address, headers=PART)["HX-Redirect"].startswith("/login/")


def test_a_list_and_a_conversation_cost_few_queries(world: World, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        vehicle = vehicle_make(world.fleet, f"car-{number:03}")
        world.say(world.of(vehicle), recipient_id="dispatch")
        world.say(world.of(vehicle), recipient_id="truck-1")
    for _ in range(30):
        world.say(world.dispatch, recipient_id="truck-1")
    with django_assert_max_num_queries(8):
        world.get("/conversations/")
    with django_assert_max_num_queries(12):
        world.drawer("north/truck-1")

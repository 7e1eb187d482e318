"""The list of conversations as the console's pages show it: rights, filters, parts."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.integration.messaging.world import PART, World
from tests.integration.people import NOW, vehicle_make
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.services import message_send
from v2v.messaging.threads import LIST_PAGE

pytestmark = pytest.mark.django_db


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

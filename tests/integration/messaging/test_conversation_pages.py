"""A conversation as the console's pages show it: its messages, their statuses, and what is hostile."""

import json
import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils.html import escape

from tests.integration.messaging.world import PART, World
from tests.integration.people import NOW, user_make, vehicle_make
from v2v.fleets.models import Fleet
from v2v.messaging.models import MessageRecipient
from v2v.messaging.services import Delivery, messages_delivered
from v2v.messaging.threads import THREAD_PAGE
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}\u202e"


def viewer_of(fleet: Fleet, client: Client) -> None:
    client.force_login(user_make("vera", fleet=fleet))


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

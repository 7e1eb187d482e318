"""The pages and the REST resources of the radio: each sees what is its fleets'."""

import re
from typing import Any

import pytest
from django.test import Client

from radio.link.payloads import Hello
from radio.models import RadioBridge, RadioFrame, RadioNode
from radio.rules import LinkState
from radio.selectors import Signal, radio_health
from radio.state import bridge_note
from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from tests.integration.radio.air import HELP, Air, later, said, somewhere
from v2v.fleets.models import Role

JSON = "application/json"


@pytest.fixture
def desk(client: Client, air: Air) -> Client:
    client.force_login(air.user)
    return client


def signed_in(name: str, **kwargs: Any) -> Client:
    client = Client()
    client.force_login(user_make(name, **kwargs))
    return client


def shown(client: Client, path: str = "/radio/", **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def kinds(client: Client, **query: str) -> list[str]:
    return re.findall(r"data-frame data-kind=\"(\w+)\"", shown(client, **query))


def test_without_a_bridge_the_page_says_how_to_begin(client: Client, db: None) -> None:
    client.force_login(user_make("dora", fleet=fleet_make("north"), role=Role.DISPATCHER))
    assert "manage.py radio_bridge" in shown(client)


def test_the_page_shows_radios_frames_and_what_is_said_of_oneself(air: Air, desk: Client) -> None:
    air.hello(17, "truck-1")
    air.hear(17, somewhere())
    air.hear(18, said("<script>alert(1)</script>"))
    html = shown(desk)
    assert re.findall(r'data-address="(\d+)"', html) == ["18", "17"]
    assert "truck-1" in html
    assert "Not assigned" in html
    assert "&lt;script&gt;" in html
    assert "<script>alert(1)" not in html
    assert kinds(desk) == ["text", "position", "hello"]
    assert kinds(desk, kind="text") == ["text"]
    assert kinds(desk, direction="out") == []
    assert kinds(desk, kind="nonsense") == ["text", "position", "hello"]


def test_other_fleets_see_nothing_of_it(air: Air, desk: Client) -> None:
    node = air.hello(17, "truck-1")
    other = signed_in("sid", fleet=fleet_make("south"), role=Role.FLEET_ADMIN)
    assert "No radio yet" in shown(other)
    assert other.get(f"/radio/nodes/{node.pk}/").status_code == 404
    assert other.post(f"/radio/nodes/{node.pk}/text/", {"content": "Hello"}).status_code == 404
    assert other.get("/api/v1/radio/frames").json()["results"] == []
    assert other.get("/api/v1/radio/nodes").json()["results"] == []
    assert other.get(f"/api/v1/radio/nodes/{node.pk}").status_code == 404


def test_a_radio_that_changes_fleets_with_its_vehicle_is_seen_by_the_new_one(air: Air, desk: Client) -> None:
    air.hello(17, "truck-1")
    south = fleet_make("south")
    air.trucks[0].fleet = south
    air.trucks[0].save()
    air.hear(17, said("Now of the south"), at=later(1))
    other = signed_in("sid", fleet=south, role=Role.DISPATCHER)
    assert kinds(other) == ["text"]
    assert kinds(desk) == ["hello"]
    assert "data-address" not in shown(desk)


def test_unknown_radios_of_a_bridge_without_a_fleet_are_for_system_admins(transactional_db: None) -> None:
    air = Air(fleet="")
    air.hear(17, Hello(vehicle_id="truck-1"))
    dora, root = Client(), signed_in("root", is_superuser=True)
    dora.force_login(air.user)
    assert dora.get("/api/v1/radio/nodes").json()["results"] == []
    (node,) = root.get("/api/v1/radio/nodes").json()["results"]
    assert (node["name"], node["vehicleId"], node["fleet"], node["label"]) == ("truck-1", None, None, "0011")
    assigned = root.patch(f"/api/v1/radio/nodes/{node['nodeId']}", {"vehicleId": "truck-2"}, content_type=JSON)
    assert (assigned.status_code, assigned.json()["vehicleId"], assigned.json()["fleet"]) == (200, "truck-2", "north")
    assert len(dora.get("/api/v1/radio/nodes").json()["results"]) == 1


def test_a_text_from_the_page_is_queued_and_shows(air: Air, desk: Client) -> None:
    node = air.hello(17, "truck-1")
    address = f"/radio/nodes/{node.pk}/"
    assert desk.post(f"{address}text/", {"content": "Come in"}, follow=True).status_code == 200
    html = shown(desk, address)
    assert "Come in" in html
    assert 'data-state="queued"' in html
    assert desk.post(f"{address}text/", {"content": ""}).status_code == 422


def test_a_fleet_admin_assigns_and_a_dispatcher_does_not(air: Air, desk: Client) -> None:
    air.hear(18, said("Who am I"))
    node = RadioNode.objects.get()
    address = f"/radio/nodes/{node.pk}/vehicle/"
    assert desk.post(address, {"vehicle": "truck-3"}).status_code == 422
    admin = signed_in("ada", fleet=air.fleet, role=Role.FLEET_ADMIN)
    vehicle_make(fleet_make("south"), "van-1")
    assert "no vehicle van-1" in admin.post(address, {"vehicle": "van-1"}).content.decode()
    assert admin.post(address, {"vehicle": "truck-3"}).status_code == 302
    node.refresh_from_db()
    assert node.vehicle == air.trucks[2]
    assert admin.post(address, {"vehicle": ""}).status_code == 302
    node.refresh_from_db()
    assert node.vehicle is None


def test_a_viewer_may_look_and_not_send(air: Air) -> None:
    node = air.hello(17, "truck-1")
    viewer = signed_in("vera", fleet=air.fleet, role=Role.VIEWER)
    assert "takes the role of a dispatcher" in shown(viewer, f"/radio/nodes/{node.pk}/")
    assert viewer.post(f"/radio/nodes/{node.pk}/text/", {"content": "Hello"}).status_code == 422
    sent = viewer.post(f"/api/v1/radio/nodes/{node.pk}/texts", {"content": "Hello"}, content_type=JSON)
    assert sent.status_code == 403
    assert not RadioFrame.objects.filter(direction="out").exists()


def test_frames_are_filtered_and_paged_over_rest(air: Air, desk: Client) -> None:
    air.hello(17, "truck-1")
    air.hear(17, somewhere(), at=later(1))
    air.hear(17, HELP, at=later(2))
    frames = desk.get("/api/v1/radio/frames", {"pageSize": 1}).json()
    (frame,) = frames["results"]
    assert (frame["kind"], frame["vehicleId"], frame["rssi"], frame["snr"]) == ("emergency", "truck-1", -90, 6.5)
    assert frame["payload"]["content"] == "Heart"
    assert frames["next"] is not None
    for query, found in (({"kind": "hello"}, 1), ({"state": "queued"}, 0), ({"vehicleId": "truck-1"}, 3)):
        assert len(desk.get("/api/v1/radio/frames", query).json()["results"]) == found
    since = {"since": int(later(1).timestamp() * 1000), "until": int(later(2).timestamp() * 1000)}
    assert [each["kind"] for each in desk.get("/api/v1/radio/frames", since).json()["results"]] == ["position"]


def test_a_vehicle_has_no_business_with_the_radio(air: Air) -> None:
    assert Client().get("/api/v1/radio/frames").status_code == 401


def test_a_bridge_that_says_nothing_any_more_is_down(air: Air, desk: Client) -> None:
    note: dict[str, Any] = {"bridge": air.bridge, "holder": "test", "last_sequence": 7}
    assert bridge_note(state=LinkState.UP, now=NOW, **note)
    assert radio_health(now=later(5)) == "up"
    assert radio_health(now=later(16)) == "down"
    assert bridge_note(state=LinkState.AWAY, now=later(17), **note)
    assert radio_health(now=later(18)) == "down"
    assert RadioBridge.objects.get().state_at == later(17)
    assert bridge_note(state=LinkState.STOPPED, now=later(19), **note)
    assert radio_health(now=later(20)) == "off"
    assert not bridge_note(bridge=air.bridge, holder="another", state=LinkState.UP, last_sequence=1, now=NOW)


def test_the_line_of_a_signal_stays_in_its_picture() -> None:
    assert Signal([-200, -80, 0]).points == "0.0,28.0 60.0,14.0 120.0,0.0"
    assert Signal([]).words == "no readings"


def test_the_admin_shows_radios_by_the_same_policy(air: Air) -> None:
    node = air.hello(17, "truck-1")
    mine = signed_in("ada", fleet=air.fleet, role=Role.FLEET_ADMIN, is_staff=True)
    other = signed_in("sid", fleet=fleet_make("south"), role=Role.FLEET_ADMIN, is_staff=True)
    for model, pk in (("radionode", node.pk), ("radioframe", RadioFrame.objects.get().pk)):
        address = f"/admin/radio/{model}/{pk}/change/"
        assert mine.get(address).status_code == 200
        assert other.get(address).status_code == 302
        assert mine.get(f"/admin/radio/{model}/").status_code == 200

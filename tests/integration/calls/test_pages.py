"""The list of calls and the drawer of one, as the console's pages show them: rights, filters, parts, what waits."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.integration.people import fleet_make, user_make, vehicle_make
from v2v.calls.listing import PAGE
from v2v.calls.models import CallEvent, CallSession
from v2v.fleets.models import Role
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db

PART = {"HX-Request": "true"}


class World:
    """Fleet north with a truck and a dispatcher who is signed in, and fleet south of others."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.north, self.south = fleet_make("north"), fleet_make("south")
        self.truck = vehicle_make(self.north, "truck-1", driver_name="Amina")
        self.van = vehicle_make(self.south, "van-1")
        self.ann = user_make("ann", fleet=self.north, role=Role.DISPATCHER)
        client.force_login(self.ann)

    def call(self, vehicle: Vehicle, state: str, reason: str = "", *, ago_s: float = 60, **more: Any) -> CallSession:
        """A call of the vehicle to dispatch, so long ago; from dispatch where `more` names a `caller_user`."""
        began = timezone.now() - timedelta(seconds=ago_s)
        if "caller_user" in more:
            more |= {"callee_vehicle": vehicle, "caller_name": more["caller_user"].username}
        else:
            more |= {"caller_vehicle": vehicle, "caller_name": vehicle.driver_name}
        over = {} if state in ("ringing", "active") else {"ended_at": began + timedelta(seconds=20)}
        call = CallSession.objects.create(
            fleet=vehicle.fleet,
            state=state,
            end_reason=reason,
            started_at=began,
            ring_until=began + timedelta(seconds=30),
            caller_seen_at=began,
            caller_device="phone",
            media="audio",
            **over,
            **more,
        )
        CallEvent.objects.create(call=call, kind="initiated", at=began, by=call.caller_name)
        return call

    def get(self, address: str, **query: Any) -> str:
        answer = self.client.get(address, query, headers=PART)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def listed(self, **query: Any) -> list[str]:
        return re.findall(r'data-call-id="([^"]+)"', self.get("/calls/rows/", **query))

    def waiting(self) -> str:
        found = re.search(r'id="calls-waiting"[^>]*>(\d*)<', self.get("/calls/waiting/"))
        assert found is not None
        return found[1]


@pytest.fixture
def world(client: Client) -> World:
    return World(client)


def test_live_calls_stand_before_those_that_are_over(world: World) -> None:
    old = world.call(world.truck, "ended", "hangup", ago_s=20, answered_at=timezone.now())
    live = world.call(world.truck, "ringing", ago_s=90)
    assert world.listed() == [str(live.pk), str(old.pk)]
    html = world.get("/calls/rows/")
    assert html.index("Live") < html.index(str(live.pk)) < html.index("Before") < html.index(str(old.pk))


def test_calls_of_others_fleets_have_no_place_in_it(world: World) -> None:
    theirs = world.call(world.van, "missed", "timeout")
    assert world.listed() == []
    assert world.waiting() == ""
    assert world.client.get("/drawer/", {"call": str(theirs.pk)}, headers=PART).status_code == 404
    assert world.client.post(f"/calls/{theirs.pk}/end/").status_code == 404
    assert "van-1" not in world.client.get("/", {"tab": "calls", "call": str(theirs.pk)}).content.decode()
    assert world.listed(before=theirs.pk) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"calls": "missed"}, ["missed"]),
        ({"calls": "answered"}, ["answered"]),
        ({"who": "AMINA"}, ["missed", "answered"]),
        ({"who": "bob"}, ["answered"]),
        ({"who": "nothing of it"}, []),
        ({"calls": "'; DROP", "before": "x", "count": "-1", "who": "x" * 65}, ["missed", "answered"]),
    ],
)
def test_the_filter(world: World, query: dict[str, str], found: list[str]) -> None:
    answered_at = timezone.now() - timedelta(seconds=70)
    calls = {
        "missed": world.call(world.truck, "missed", "timeout"),
        "answered": world.call(world.truck, "ended", "hangup", ago_s=80, answered_at=answered_at, callee_name="bob"),
    }
    assert world.listed(**query) == [str(calls[name].pk) for name in found]


def test_pages_leave_nothing_out_and_double_nothing(world: World) -> None:
    calls = [world.call(world.truck, "missed", "timeout", ago_s=100 + number // 2) for number in range(PAGE + 3)]
    first = world.listed()
    assert len(first) == PAGE
    assert set(first) | set(world.listed(before=first[-1])) == {str(call.pk) for call in calls}
    assert len(world.listed(before=first[-1])) == 3
    assert len(world.listed(count=PAGE + 2)) == PAGE + 2


@pytest.mark.parametrize("reason", ["timeout", "cancelled", "offline", "connection_lost"])
def test_a_missed_call_waits_until_somebody_calls_back(world: World, reason: str) -> None:
    world.call(world.truck, "missed", reason, ago_s=90)
    world.call(world.truck, "missed", reason, ago_s=60)
    assert world.waiting() == "1"  # of one vehicle
    assert world.get("/calls/rows/").count("Call back") == 2 * 2  # its word and its name
    world.call(world.truck, "missed", "timeout", ago_s=30, caller_user=world.ann)
    assert world.waiting() == ""
    assert "Call back" not in world.get("/calls/rows/")


def test_a_missed_call_waits_no_longer_once_the_vehicle_was_answered(world: World) -> None:
    world.call(world.truck, "missed", "timeout", ago_s=90)
    world.call(world.truck, "active", ago_s=10, callee_user=world.ann, answered_at=timezone.now())
    assert world.waiting() == ""


def test_what_was_declined_or_is_old_does_not_wait(world: World) -> None:
    world.call(world.truck, "rejected", "declined")
    world.call(world.truck, "missed", "closed")
    world.call(world.truck, "missed", "timeout", ago_s=25 * 3600)
    assert world.waiting() == ""


def test_a_viewer_sees_calls_and_can_neither_call_back_nor_end_one(world: World) -> None:
    missed, live = world.call(world.truck, "missed", "timeout"), world.call(world.truck, "ringing", ago_s=5)
    world.client.force_login(user_make("vera", fleet=world.north, role=Role.VIEWER))
    assert set(world.listed()) == {str(missed.pk), str(live.pk)}
    assert "data-call=" not in world.get("/calls/rows/") + world.get("/drawer/", call=missed.pk)
    assert "End this call" not in world.get("/drawer/", call=live.pk)
    assert world.client.post(f"/calls/{live.pk}/end/").status_code == 403
    live.refresh_from_db()
    assert live.is_live


def test_a_dispatcher_ends_a_call_of_others(world: World) -> None:
    live = world.call(world.truck, "active", ago_s=50, callee_user=world.ann, answered_at=timezone.now())
    assert "End this call" in world.get("/drawer/", call=live.pk)
    answer = world.client.post(f"/calls/{live.pk}/end/")
    assert answer.headers["Location"] == f"/?tab=calls&call={live.pk}"
    assert world.client.post(f"/calls/{live.pk}/end/", headers=PART).status_code == 204  # once more: nothing changes
    html = world.get("/drawer/", call=live.pk)
    assert "Closed by somebody else" in html
    assert html.count("timeline-entry") == 2


@pytest.mark.parametrize("name", ["not-a-uuid", "6a0b8534-6a61-4280-93a3-7b2413b3e43b"])
def test_there_is_no_drawer_of_no_call(world: World, name: str) -> None:
    assert world.client.get("/drawer/", {"call": name}, headers=PART).status_code == 404


def test_without_a_session_the_parts_lead_to_the_login(client: Client) -> None:
    for address in ("/calls/rows/", "/calls/waiting/"):
        assert client.get(address, headers=PART).headers["HX-Redirect"] == "/login/"
    assert client.get("/drive/").status_code == 200  # who drives is proved on the socket

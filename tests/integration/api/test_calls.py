"""Calls over REST."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests.integration.api.conftest import ClientOf, World, problem_of
from tests.integration.calls.test_services import EverybodyIsThere
from v2v.calls import services
from v2v.calls.models import CallSession
from v2v.calls.parties import Party
from v2v.fleets.policy import actor_of_vehicle
from v2v.vehicles import live
from v2v.vehicles.models import Vehicle


def party(vehicle: Vehicle) -> Party:
    actor = actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id)
    return Party(actor, "default")


def begin(vehicle: Vehicle, callee_id: str, media: str = "audio") -> CallSession:
    return services.call_initiate(
        party=party(vehicle), callee_id=callee_id, media=media, client_id=callee_id, now=timezone.now()
    )


@pytest.fixture(autouse=True)
def connected() -> Iterator[None]:
    before = live.engine_get()
    live.engine_set(EverybodyIsThere())
    yield
    live.engine_set(before)


def test_a_call_is_shown_with_its_history(client_of: ClientOf, world: World) -> None:
    call = begin(world.truck_1, "truck-2")
    services.call_answer(party=party(world.truck_2), call_id=str(call.pk), now=timezone.now())
    services.call_end(party=party(world.truck_1), call_id=str(call.pk), reason="hangup", now=timezone.now())
    shown = client_of("viewer@north").get(f"calls/{call.pk}")
    assert (shown["callerId"], shown["calleeId"], shown["state"], shown["endReason"]) == (
        *("truck-1", "truck-2", "ended"),
        "hangup",
    )
    assert (shown["callerName"], shown["answeredBy"], shown["endedBy"]) == ("Amal", "default", "truck-1")
    assert shown["startedAt"] <= shown["answeredAt"] <= shown["endedAt"]
    assert [event["kind"] for event in shown["history"]] == ["initiated", "ringing", "answered", "ended"]


def test_calls_are_filtered_and_paged(client_of: ClientOf, world: World) -> None:
    begin(world.truck_1, "dispatch", "video")
    over = begin(world.truck_2, "dispatch")
    services.call_end(party=party(world.truck_2), call_id=str(over.pk), reason="hangup", now=timezone.now())
    desk = client_of("viewer@north")

    def callers(**query: Any) -> list[str]:
        return [call["callerId"] for call in desk.get("calls", **query)["results"]]

    assert callers() == ["truck-2", "truck-1"]
    assert callers(ordering="startedAt") == ["truck-1", "truck-2"]
    assert callers(state="ringing") == callers(media="video") == callers(vehicleId="truck-1") == ["truck-1"]
    assert callers(state=["missed", "failed"]) == callers(endReason="cancelled") == ["truck-2"]
    assert callers(vehicleId="nobody") == callers(until=1) == callers(fleet="south") == []
    assert callers(search="truck-2", since=1) == ["truck-2"]
    page = desk.get("calls", pageSize=1)
    assert len(page["results"]) == 1
    assert page["next"]
    problem_of(desk("GET", "calls", state="smelling"), 400, "validation_error")


def test_fleets_are_apart_a_vehicle_sees_its_own_and_roles_count(client_of: ClientOf, world: World) -> None:
    call = begin(world.truck_1, "dispatch")
    assert [each["callId"] for each in client_of("truck-1").get("calls")["results"]] == [str(call.pk)]
    for stranger in ("fleet_admin@south", "van-1", "truck-2"):
        assert client_of(stranger).get("calls")["results"] == []
        problem_of(client_of(stranger)("GET", f"calls/{call.pk}"), 404, "not_found")
    for name, status, code in (("viewer@north", 403, "forbidden"), ("fleet_admin@south", 404, "not_found")):
        problem_of(client_of(name)("POST", f"calls/{call.pk}/end"), status, code)
    problem_of(client_of("truck-1")("POST", f"calls/{call.pk}/end"), 403, "forbidden")
    problem_of(client_of("stranger")("GET", "calls"), 403, "forbidden")


def test_a_dispatcher_ends_a_call_that_is_not_his_own_once(client_of: ClientOf, world: World) -> None:
    call = begin(world.truck_1, "truck-2")
    desk = client_of("dispatcher@north")
    for _ in range(2):
        ended = desk("POST", f"calls/{call.pk}/end").json()
        assert (ended["state"], ended["endReason"], ended["endedBy"]) == ("missed", "closed", "dispatcher@north")
    assert len(ended["history"]) == 3


def test_ice_servers_carry_credentials_that_coturn_takes(client_of: ClientOf, settings: Any) -> None:
    settings.TURN_URL = ["turn:turn.example.com:3478", "turns:turn.example.com:5349?transport=tcp"]
    settings.TURN_SECRET = "between the two"
    given = client_of("truck-1").get("ice-servers")
    stun, turn = given["iceServers"]
    assert stun == {"urls": ["stun:turn.example.com:3478"]}
    assert turn["urls"] == settings.TURN_URL
    expiry, _, identity = turn["username"].partition(":")
    assert identity == "truck-1"
    assert given["expiresAt"] // 1000 == int(expiry)
    assert 4 * 3600 < int(expiry) - timezone.now().timestamp() < 4.5 * 3600
    digest = hmac.new(b"between the two", turn["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn["credential"]) == digest
    problem_of(client_of("viewer@north")("GET", "ice-servers"), 403, "forbidden")
    settings.TURN_URL = []
    assert client_of("dispatcher@north").get("ice-servers")["iceServers"] == []

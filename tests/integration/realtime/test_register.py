"""Who may register, with what, and what a refusal tells."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, vehicle, vehicle_socket

LNG = 56.0


async def test_a_device_token_opens_its_own_vehicle_and_the_answer_says_how_to_go_on(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server) as socket:
        await socket.send("register", {"vehicleId": vehicle_id, "token": token}, id="r1")
        snapshot = await socket.next("registered")
        assert (snapshot["vehicleId"], snapshot["deviceId"]) == (vehicle_id, "default")
        assert snapshot["heartbeatIntervalMs"] == 15_000
        assert snapshot["limits"]["locationHz"] == 5.0
        assert (snapshot["alerts"], snapshot["calls"], snapshot["messages"], snapshot["nearby"]) == ([], [], [], [])
        assert (await socket.next("ack")) == {"id": "r1"}


async def test_the_token_may_come_with_the_upgrade(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        await socket.send("register", {"vehicleId": vehicle_id})
        assert (await socket.next("registered"))["vehicleId"] == vehicle_id


async def test_a_connection_is_one_vehicles_for_good_and_may_bring_a_fresh_token(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    other_id, other_token = server.vehicle()
    async with vehicle_socket(server) as socket:
        first = await socket.register(vehicle_id, token)
        assert (await socket.register(vehicle_id, token))["sessionId"] == first["sessionId"]
        await socket.send("register", {"vehicleId": other_id, "token": other_token}, id="r2")
        assert (await socket.next("error"))["code"] == "conflict"


@asynccontextmanager
async def refused(server: V2VServer, data: dict[str, Any]) -> AsyncIterator[tuple[dict[str, Any], Socket]]:
    """The error that answers a register."""
    async with vehicle_socket(server) as socket:
        await socket.send("register", data, id="r")
        yield await socket.next("error"), socket


async def test_all_that_is_wrong_with_a_token_gets_one_answer_and_4401_and_then_the_address_has_to_wait(
    start_server: Callable[..., V2VServer], database_url: str
) -> None:
    server = start_server(database_url=database_url)
    vehicle_id, token = server.vehicle()
    other_id, _ = server.vehicle("beta")
    revoked_id, revoked = server.vehicle()
    expired_id, expired = server.vehicle()
    server.shell(
        "from django.utils.timezone import now; from v2v.vehicles.models import DeviceToken as T;"
        f"T.objects.filter(device__vehicle__vehicle_id='{revoked_id}').update(revoked_at=now());"
        f"T.objects.filter(device__vehicle__vehicle_id='{expired_id}').update(expires_at=now())"
    )
    wrong = [
        {"vehicleId": vehicle_id},
        {"vehicleId": vehicle_id, "token": token[:-1] + ("a" if token[-1] != "a" else "b")},
        {"vehicleId": vehicle_id, "token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."},
        {"vehicleId": other_id, "token": token},
        {"vehicleId": "nobody-has-this", "token": token},
        {"vehicleId": revoked_id, "token": revoked},
        {"vehicleId": expired_id, "token": expired},
    ]
    answers = []
    for data in wrong:
        async with refused(server, data) as (error, socket):
            answers.append((error["code"], error["message"], error["id"], sorted(error)))
            assert await socket.closed() == 4401
    assert len(set(map(str, answers))) == 1
    assert answers[0][0] == "auth_failed"

    async with refused(server, wrong[1]), refused(server, wrong[1]), refused(server, wrong[1]):
        pass  # that makes ten
    async with refused(server, {"vehicleId": vehicle_id, "token": token}) as (error, socket):
        assert (error["code"], error["id"]) == ("rate_limited", "r")
        assert 0 < error["details"]["retryAfterMs"] <= 6_000
        assert await socket.closed() == 4429
    assert server.metrics()["v2v_auth_failures_total"] == 10
    reasons = {json.loads(line).get("reason") for line in server.log().splitlines() if "refused" in line}
    assert {"unknown_token", "not_its_vehicle", "token_revoked", "token_expired"} <= reasons  # the log knows better


async def test_all_devices_of_a_vehicle_hear_of_its_neighbors(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server) as phone, vehicle_socket(server) as tablet, vehicle(server) as (peer, peer_id):
        ids = [(await s.register(vehicle_id, token, deviceId=d))["deviceId"] for s, d in ((phone, "p"), (tablet, "t"))]
        assert ids == ["p", "t"]
        await phone.send("location_update", {"lat": -15.0, "lng": LNG})
        await peer.send("location_update", {"lat": -15.0, "lng": LNG})
        for device in (phone, tablet):
            assert (await device.next("peer_locations"))["peers"][0]["vehicleId"] == peer_id
            assert (await device.next("proximity_event"))["type"] == "enter"


async def test_a_device_that_connects_again_replaces_its_older_connection_alone(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server) as phone, vehicle_socket(server) as tablet, vehicle_socket(server) as again:
        await phone.register(vehicle_id, token, deviceId="phone")
        await tablet.register(vehicle_id, token, deviceId="tablet")
        await again.register(vehicle_id, token, deviceId="phone")
        assert await phone.closed() == 4409
        for socket in (tablet, again):
            await socket.send("heartbeat", id="h")
            assert (await socket.next("ack"))["id"] == "h"


async def _first_answer(server: V2VServer, address: str, vehicle_id: str, token: str) -> str:
    """What a register from that address, through a proxy, is answered with."""
    async with vehicle_socket(server, additional_headers={"X-Forwarded-For": address}) as socket:
        await socket.send("register", {"vehicleId": vehicle_id, "token": token})
        message = json.loads(await socket.connection.recv())
        return str(message["data"].get("code", message["event"]))


async def test_guesses_side_by_side_do_not_pass_the_limit_of_their_network(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    one_customer = [f"2001:db8:7:7:{n:x}::1" for n in range(30)]
    answers = await asyncio.gather(*(_first_answer(server, here, vehicle_id, "v2v_guess") for here in one_customer))
    assert Counter(answers) == {"auth_failed": 10, "rate_limited": 20}
    assert await _first_answer(server, "2001:db8:7:8::1", vehicle_id, token) == "registered"


async def test_the_vehicles_of_a_depot_come_in_side_by_side(start_server: Callable[..., V2VServer]) -> None:
    server = await asyncio.to_thread(start_server)
    depot = [server.vehicle() for _ in range(60)]
    answers = await asyncio.gather(*(_first_answer(server, "192.0.2.77", *who) for who in depot))
    assert Counter(answers) == {"registered": 60}


async def test_sockets_that_do_not_register_are_counted_by_network(start_server: Callable[..., V2VServer]) -> None:
    server = await asyncio.to_thread(start_server, CONNECTIONS_PER_ADDRESS="2")
    vehicle_id, token = server.vehicle()
    async with (
        vehicle_socket(server, additional_headers={"X-Forwarded-For": "2001:db8:9:9::1"}),
        vehicle_socket(server, additional_headers={"X-Forwarded-For": "2001:db8:9:9::2"}),
    ):
        async with vehicle_socket(server, additional_headers={"X-Forwarded-For": "2001:db8:9:9::3"}) as third:
            assert await third.closed() == 1013
        assert await _first_answer(server, "2001:db8:9:a::1", vehicle_id, token) == "registered"

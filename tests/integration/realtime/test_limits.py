"""How often a vehicle may report, and what it is told when it reports more often."""

import asyncio
import time
from typing import Any

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, vehicle, vehicle_socket

LNG = 58.0
HERE = {"lat": -18.0, "lng": LNG}


async def test_a_client_at_exactly_5_hz_is_never_refused(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        begin = time.monotonic()
        for number in range(50):
            await asyncio.sleep(max(0.0, begin + number * 0.2 - time.monotonic()))
            await socket.send("location_update", HERE)
        await socket.send("heartbeat", id="end")
        await socket.next("ack", id="end")
        assert not [m for m in socket.seen if m["event"] == "error"]


async def test_ten_at_once_are_taken_and_the_next_is_told_when_to_come_again(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        answers = await _burst(socket, 40)
        assert [m["event"] for m in answers[:10]] == ["ack"] * 10
        refused = [m["data"] for m in answers if m["event"] == "error"]
        assert refused
        for error in refused:
            assert error["code"] == "rate_limited"
            assert 1 <= error["details"]["retryAfterMs"] <= 200
        await asyncio.sleep(refused[-1]["details"]["retryAfterMs"] / 1000)
        await socket.send("location_update", HERE, id="again")
        await socket.next("ack", id="again")


async def test_refusals_without_an_id_are_told_of_once_a_second(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        for _ in range(40):
            await socket.send("location_update", HERE)
        await socket.send("heartbeat", id="end")
        await socket.next("ack", id="end")
        errors = [m["data"] for m in socket.seen if m["event"] == "error"]
        assert [error["code"] for error in errors] == ["rate_limited"] * len(errors)
        assert 1 <= len(errors) <= 3  # of about 30


async def test_two_devices_of_one_vehicle_share_its_limit(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server) as phone, vehicle_socket(server) as tablet:
        await phone.register(vehicle_id, token, deviceId="phone")
        await phone.send("location_update", HERE, id="first")
        await phone.next("ack")
        await asyncio.sleep(6)  # long enough for the limit to be full, and for a sweep to forget it
        await tablet.register(vehicle_id, token, deviceId="tablet")
        begin = time.monotonic()
        answers = await _burst(phone, 10) + await _burst(tablet, 10)
        refilled = 5 * (time.monotonic() - begin)
        acked = len([m for m in answers if m["event"] == "ack"])
        assert 10 <= acked <= 10 + refilled + 1


async def test_the_limit_outlives_a_connection(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    begin = time.monotonic()
    acked = 0
    for _ in range(3):
        async with vehicle_socket(server) as socket:
            await socket.register(vehicle_id, token)
            acked += len([m for m in await _burst(socket, 10) if m["event"] == "ack"])
    assert 10 <= acked <= 10 + 5 * (time.monotonic() - begin) + 1


async def test_refreshes_have_a_limit_of_their_own(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        for number in range(12):
            await socket.send("nearby_refresh", id=f"n{number}")
        errors = [await socket.next("error") for _ in range(5)]
        assert {error["code"] for error in errors} == {"rate_limited"}
        assert all(error["details"]["retryAfterMs"] <= 500 for error in errors)
        await socket.send("location_update", HERE, id="other")
        await socket.next("ack", id="other")


async def _burst(socket: Socket, count: int) -> list[dict[str, Any]]:
    """Send so many positions at once; their answers in order."""
    begin = len(socket.seen)
    for number in range(count):
        await socket.send("location_update", HERE, id=f"b{number}")
    await socket.send("heartbeat", id="end")
    await socket.next("ack", id="end")
    return [m for m in socket.seen[begin:] if m["event"] in ("ack", "error") and m["data"]["id"] != "end"]

"""Who is connected where, and who may be, is known to all processes."""

import asyncio
import json
import urllib.request
from typing import Any

from tests.servers.v2v import V2VServer
from tests.sockets import WAIT_S, dispatcher, vehicle, vehicle_socket


def ask(server: V2VServer, path: str, **headers: str) -> Any:
    request = urllib.request.Request(f"{server.url}/api/v1/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


async def until(server: V2VServer, path: str, holds: Any, **headers: str) -> None:
    """Ask again until the answer is right."""
    async with asyncio.timeout(WAIT_S):
        while not holds(await asyncio.to_thread(ask, server, path, **headers)):  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.1)


async def test_a_dispatcher_hears_of_a_vehicle_that_comes_to_another_process_and_goes(
    two: list[V2VServer],
) -> None:
    async with dispatcher(two[1]) as (console, _):
        async with vehicle(two[0]) as (_, vehicle_id):
            await console.next("presence_update", vehicleId=vehicle_id, status="online")
            cookie = await asyncio.to_thread(two[1].login, "alpha_dispatcher")
            found = await asyncio.to_thread(ask, two[1], f"presence?vehicleId={vehicle_id}", Cookie=cookie)
            assert [vehicle["status"] for vehicle in found["results"]] == ["online"]
        await console.next("presence_update", vehicleId=vehicle_id, status="offline")
        updates = [m["data"] for m in console.seen if m["event"] == "presence_update"]
        assert [u["status"] for u in updates if u["vehicleId"] == vehicle_id] == ["online", "offline"]


async def test_a_vehicle_with_devices_on_two_processes_is_online_until_both_are_gone(two: list[V2VServer]) -> None:
    vehicle_id, token = two[0].vehicle()
    async with dispatcher(two[0]) as (console, _), vehicle_socket(two[1]) as tablet:
        async with vehicle_socket(two[0]) as phone:
            await phone.register(vehicle_id, token, deviceId="phone")
            await tablet.register(vehicle_id, token, deviceId="tablet")
        assert await tablet.drain(1.0) == []
        await tablet.connection.close()
        await console.next("presence_update", vehicleId=vehicle_id, status="offline")
        updates = [m["data"]["status"] for m in console.seen if m["event"] == "presence_update"]
        assert updates == ["online", "offline"]


async def test_a_device_that_connects_to_another_process_is_replaced_on_the_first(two: list[V2VServer]) -> None:
    vehicle_id, token = two[0].vehicle()
    async with vehicle_socket(two[0]) as older, vehicle_socket(two[1]) as newer:
        await older.register(vehicle_id, token, deviceId="phone")
        await newer.register(vehicle_id, token, deviceId="phone")
        assert await older.closed() == 4409
        await newer.send("heartbeat")
        await newer.next("heartbeat_ack")


async def test_a_right_that_is_taken_away_by_a_command_ends_sessions_on_every_process(three: list[V2VServer]) -> None:
    vehicle_id, token = three[0].vehicle()
    async with vehicle_socket(three[1]) as phone, vehicle_socket(three[2]) as tablet:
        await phone.register(vehicle_id, token, deviceId="phone")
        await tablet.register(vehicle_id, token, deviceId="tablet")
        await asyncio.to_thread(
            three[0].shell,
            "from django.utils import timezone; from v2v.vehicles.models import Vehicle; "
            "from v2v.vehicles.services import vehicle_disable; "
            f"vehicle_disable(vehicle=Vehicle.objects.get(vehicle_id='{vehicle_id}'), now=timezone.now())",
        )
        assert await phone.closed() == 4410
        assert await tablet.closed() == 4410


async def test_counts_are_of_all_processes(three: list[V2VServer]) -> None:
    cookie = await asyncio.to_thread(three[2].login, "alpha_dispatcher")
    async with vehicle(three[0]), vehicle(three[1]), dispatcher(three[1]):
        await until(
            three[2],
            "websocket/stats",
            lambda found: found["uniqueVehicles"] >= 2 and found["totalConnections"] >= 3 and found["uniqueUsers"] >= 1,
            Cookie=cookie,
        )

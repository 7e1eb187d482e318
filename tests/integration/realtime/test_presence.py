"""Who is there: the server finds out by itself, and tells those whom it concerns."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

LNG = 59.0
TIMEOUT_S, STALE_S = 2.0, 4.0  # of the impatient server


@asynccontextmanager
async def beating(*sockets: Socket) -> AsyncIterator[None]:
    """Signs of life of these sockets meanwhile."""

    async def beat() -> None:
        while True:
            for socket in sockets:
                await socket.send("heartbeat")
            await asyncio.sleep(0.5)

    task = asyncio.create_task(beat())
    yield
    task.cancel()


async def test_a_silent_vehicle_times_out_and_goes_offline_and_who_may_know_is_told(impatient: V2VServer) -> None:
    stale = impatient.metrics().get("v2v_stale_connections_total", 0)
    vehicle_id, token = impatient.vehicle()
    async with (
        dispatcher(impatient) as (alpha, _),
        dispatcher(impatient, "beta_dispatcher") as (beta, _),
        vehicle(impatient) as (near, near_id),
        vehicle(impatient) as (far, _),
        vehicle_socket(impatient) as silent,
        beating(alpha, beta, near, far),
    ):
        await silent.register(vehicle_id, token, driverName="Amal")
        assert (await alpha.next("presence_update", vehicleId=vehicle_id))["status"] == "online"
        for socket, lat in ((near, -19.0), (far, -20.0), (silent, -19.0)):
            await socket.send("location_update", {"lat": lat, "lng": LNG})
        await near.next("proximity_event", peerVehicleId=vehicle_id)
        await silent.send("heartbeat")
        heard_ms = (await silent.next("heartbeat_ack"))["ts"]
        begin = time.monotonic()

        late = await alpha.next("presence_update", vehicleId=vehicle_id)
        assert time.monotonic() - begin > TIMEOUT_S - 0.1
        assert (late["status"], late["driverName"]) == ("timeout", "Amal")
        assert abs(late["lastSeen"] - heard_ms) <= 50
        assert (await near.next("presence_update", vehicleId=vehicle_id))["status"] == "timeout"

        gone = await alpha.next("presence_update", vehicleId=vehicle_id)
        assert time.monotonic() - begin > STALE_S - 0.1
        assert gone["status"] == "offline"
        assert abs(gone["lastSeen"] - heard_ms) <= 50
        assert await silent.closed() == 4408
        assert (await near.next("presence_update", vehicleId=vehicle_id))["status"] == "offline"
        for other in (far, beta):
            await other.drain(0.2)
            assert not [
                m for m in other.seen if m["event"] == "presence_update" and m["data"]["vehicleId"] == vehicle_id
            ]
        assert {m["data"]["vehicleId"] for m in beta.seen if m["event"] == "presence_update"} == set()
        assert near_id != vehicle_id
    assert impatient.metrics()["v2v_stale_connections_total"] == stale + 1
    assert impatient.metrics()["v2v_sweep_seconds_count"] > 10


async def test_a_vehicle_that_is_heard_again_is_online_again(impatient: V2VServer) -> None:
    async with dispatcher(impatient) as (console, _), vehicle(impatient) as (socket, vehicle_id), beating(console):
        for status in ("online", "timeout"):
            assert (await console.next("presence_update", vehicleId=vehicle_id))["status"] == status
        await socket.send("location_update", {"lat": -21.0, "lng": LNG})
        assert (await console.next("presence_update", vehicleId=vehicle_id))["status"] == "online"


async def test_a_vehicle_is_online_as_long_as_one_of_its_devices_is(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with dispatcher(server) as (console, _):
        async with vehicle_socket(server) as phone:
            await phone.register(vehicle_id, token, deviceId="phone")
            assert (await console.next("presence_update", vehicleId=vehicle_id))["status"] == "online"
            async with vehicle_socket(server) as tablet:
                await tablet.register(vehicle_id, token, deviceId="tablet")
            assert not [
                m for m in await console.drain(0.5)
                if m["event"] == "presence_update" and m["data"]["vehicleId"] == vehicle_id
            ]  # fmt: skip
        assert (await console.next("presence_update", vehicleId=vehicle_id))["status"] == "offline"

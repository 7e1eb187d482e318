"""Who connects again needs nothing that it missed; and a restart forgets nobody."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer
from tests.sockets import dispatcher, vehicle, vehicle_socket

LNG = 60.0
METERS = 1 / 111_195  # in degrees of latitude


def state_of(snapshot: dict[str, Any], vehicle_id: str) -> dict[str, Any]:
    [state] = [state for state in snapshot["vehicles"] if state["vehicleId"] == vehicle_id]
    return dict(state)


async def test_a_vehicle_that_connects_again_gets_everybody_near_as_they_are_now(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle(server) as (near, near_id), vehicle(server) as (gone, _), vehicle(server) as (new, new_id):
        async with vehicle_socket(server) as socket:
            await socket.register(vehicle_id, token)
            for one in (socket, near, gone):
                await one.send("location_update", {"lat": -22.0, "lng": LNG})
            await socket.next("peer_locations")
        await gone.connection.close()
        await near.send("location_update", {"lat": -22.0 + 100 * METERS, "lng": LNG, "speed": 7})
        await new.send("location_update", {"lat": -22.0 + 50 * METERS, "lng": LNG})
        await new.next("proximity_event", peerVehicleId=near_id)
        async with vehicle_socket(server) as again:
            snapshot = await again.register(vehicle_id, token)
    peers = snapshot["nearby"]
    assert [(peer["vehicleId"], round(peer["distanceM"]), peer.get("speed")) for peer in peers] == [
        (new_id, 50, None),
        (near_id, 100, 7.0),
    ]
    assert all(peer["bearing"] == 0.0 and peer["lastSeen"] > 0 for peer in peers)
    assert all(isinstance(snapshot[part], list) for part in ("alerts", "calls", "messages"))


async def test_a_dispatcher_who_connects_again_gets_every_vehicle_of_the_fleet_as_it_is_now(server: V2VServer) -> None:
    async with vehicle(server, driverName="Sana") as (there, there_id), vehicle(server) as (gone, gone_id):
        async with dispatcher(server) as (console, _):
            for socket in (there, gone):
                await socket.send("location_update", {"lat": -23.0, "lng": LNG, "speed": 3, "heading": 90})
            await console.next("locations")
        await gone.connection.close()
        await there.send("location_update", {"lat": -23.5, "lng": LNG, "speed": 4}, id="moved")
        await there.next("ack")
        await asyncio.sleep(0.5)
        async with dispatcher(server) as (_, snapshot):
            pass
    assert [fleet["slug"] for fleet in snapshot["fleets"]] == ["alpha"]
    assert {state["vehicleId"] for state in snapshot["vehicles"]} == set(server.tokens["alpha"])
    now, before = state_of(snapshot, there_id), state_of(snapshot, gone_id)
    assert (now["status"], now["lat"], now["speed"], now["driverName"]) == ("online", -23.5, 4.0, "Sana")
    assert "heading" not in now
    assert (before["status"], before["lat"], before["heading"]) == ("offline", -23.0, 90.0)


async def test_telemetry_is_there_only_when_it_was_reported(server: V2VServer) -> None:
    async with (
        dispatcher(server) as (console, _),
        vehicle(server) as (plain, plain_id),
        vehicle(server) as (rich, rich_id),
    ):
        await plain.send("location_update", {"lat": -24.0, "lng": LNG})
        await rich.send("location_update", {"lat": -24.5, "lng": LNG, "battery": 80})
        told: dict[str, dict[str, Any]] = {}
        while not {plain_id, rich_id} <= set(told):
            told |= {peer["vehicleId"]: peer for peer in (await console.next("locations"))["peers"]}
        assert not {"battery", "signal"} & set(told[plain_id])
        assert (told[rich_id]["battery"], "signal" in told[rich_id]) == (80.0, False)
        await plain.send("heartbeat", {"signal": 40})
        await plain.next("heartbeat_ack")
        async with dispatcher(server) as (_, snapshot):
            state = state_of(snapshot, plain_id)
            assert (state["signal"], "battery" in state) == (40.0, False)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_last_states_survive_a_restart(
    run: Run, start_server: Callable[..., V2VServer], database_url: str, end: signal.Signals
) -> None:
    first = start_server(database_url=database_url, LAST_STATES_MS="300")
    async with vehicle(first) as (socket, vehicle_id):
        await socket.send("location_update", {"lat": -24.0, "lng": LNG, "speed": 9, "battery": 55}, id="p")
        await socket.next("ack")
        token = first.tokens["alpha"][vehicle_id]
        if end is signal.SIGKILL:
            await _stored(first, vehicle_id)
        os.kill(first.pid, end)
        assert await socket.closed() == (1012 if end is signal.SIGTERM else 1006)
    second = await asyncio.to_thread(v2v.start_again, run, first)
    async with dispatcher(second) as (console, snapshot):
        state = state_of(snapshot, vehicle_id)
        assert (state["status"], state["lat"], state["speed"], state["battery"]) == ("offline", -24.0, 9.0, 55.0)
        async with vehicle_socket(second) as again:
            await again.register(vehicle_id, token)
            await console.next("presence_update", vehicleId=vehicle_id)
            await asyncio.sleep(1.0)  # it is stored as online, though it has not said where it is
            async with dispatcher(second) as (_, later):
                state = state_of(later, vehicle_id)
                assert (state["status"], state["lat"], state["battery"]) == ("online", -24.0, 55.0)
            assert second.shell(_STATUS.format(vehicle_id)) == "online -24.0 55.0"
            others = (
                "from v2v.vehicles.models import VehicleStatus as S; print(S.objects.exclude(status='offline').count())"
            )
            assert second.shell(others) == "1"


_STATUS = (
    "from v2v.vehicles.models import VehicleStatus as S;"
    "s = S.objects.filter(vehicle__vehicle_id='{}').first(); print(s and s.status, s and s.lat, s and s.battery)"
)


async def _stored(server: V2VServer, vehicle_id: str) -> None:
    async with asyncio.timeout(30):
        while await asyncio.to_thread(server.shell, _STATUS.format(vehicle_id)) != "online -24.0 55.0":
            pass

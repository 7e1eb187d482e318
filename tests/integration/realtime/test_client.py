"""The client library and the demo fleet, against a running server."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers.v2v import ROOT, V2VServer
from tests.sockets import WAIT_S
from v2v.client import CommandRefused, DispatchClient, Stopped, VehicleClient
from v2v.client.stream import EventStream
from v2v.protocol.commands import MessageRead, MessageReadData, NearbyRefresh, NearbyRefreshData
from v2v.protocol.events import Event, Locations, NearbySnapshot, PeerLocations

LNG = 54.0
EventT = TypeVar("EventT", bound=Event)


def client_of(server: V2VServer) -> VehicleClient:
    vehicle_id, token = server.vehicle()
    return VehicleClient(f"{server.ws_url}/ws/vehicle/", vehicle_id=vehicle_id, token=token)


async def first(stream: EventStream, kind: type[EventT]) -> EventT:
    """The next event of that kind."""
    async with asyncio.timeout(WAIT_S):
        async for event in stream:
            if isinstance(event, kind):
                return event
    raise AssertionError("the client was closed")


async def test_two_clients_hear_where_the_other_is(server: V2VServer) -> None:
    async with client_of(server) as a, client_of(server) as b:
        snapshot = await a.wait_online()
        await b.wait_online()
        assert snapshot.vehicle_id == a.vehicle_id
        events = b.events()
        a.report(-41.0, LNG, speed=12.5, heading=90)
        b.report(-41.001, LNG)
        (peer,) = (await first(events, PeerLocations)).data.peers
        assert (peer.vehicle_id, peer.lat, peer.speed, peer.heading) == (a.vehicle_id, -41.0, 12.5, 90)
        ack = await b.command(NearbyRefresh(data=NearbyRefreshData(radius_m=200)))
        assert ack.data.id
        nearby = (await first(events, NearbySnapshot)).data.peers
        assert [near.vehicle_id for near in nearby] == [a.vehicle_id]
        assert nearby[0].distance_m == pytest.approx(111.2, abs=0.5)


async def test_a_dispatchers_client_sees_the_vehicles_of_the_fleet(server: V2VServer) -> None:
    headers = {"Cookie": server.login("alpha_dispatcher"), "Origin": server.url}
    async with DispatchClient(f"{server.ws_url}/ws/dispatch/", headers=headers) as desk, client_of(server) as vehicle:
        snapshot = await desk.wait_online()
        assert snapshot.vehicles is not None
        assert vehicle.vehicle_id in {known.vehicle_id for known in snapshot.vehicles}
        await vehicle.wait_online()
        events = desk.events()
        vehicle.report(-42.0, LNG, battery=80)
        async with asyncio.timeout(WAIT_S):
            while True:
                peers = {peer.vehicle_id: peer for peer in (await first(events, Locations)).data.peers}
                if vehicle.vehicle_id in peers:
                    break
        assert peers[vehicle.vehicle_id].battery == 80


async def test_a_wrong_token_stops_the_client_for_good(server: V2VServer) -> None:
    vehicle_id, _ = server.vehicle()
    client = VehicleClient(f"{server.ws_url}/ws/vehicle/", vehicle_id=vehicle_id, token="wrong")
    with pytest.raises(Stopped) as caught:
        await asyncio.wait_for(client.run(), WAIT_S)
    assert caught.value.code == "auth_failed"


async def test_an_unknown_message_is_refused(server: V2VServer) -> None:
    async with client_of(server) as vehicle:
        await vehicle.wait_online()
        with pytest.raises(CommandRefused):
            await vehicle.command(MessageRead(data=MessageReadData(message_id="nobody's")))


def test_the_demo_fleet_drives_and_ends_when_it_is_told(server: V2VServer, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps(dict(server.vehicle("beta") for _ in range(5))))
    command = ["manage.py", "simulate", "--url", f"{server.ws_url}/ws/vehicle/"]
    options = ["--token-file", str(tokens), "--prefix", "beta-", "--vehicles", "5", "--hz", "5"]
    process = subprocess.Popen(
        [sys.executable, *command, *options], cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = iter(process.stdout)
    assert next(lines).startswith("5 vehicles set off")
    assert next(lines).startswith("5 of 5 online")
    process.send_signal(signal.SIGTERM)
    assert "every connection is closed" in next(lines)
    assert process.wait(WAIT_S) == 0


def test_the_demo_fleet_makes_its_own_vehicles(server: V2VServer) -> None:
    said = server.manage("simulate", "--url", f"{server.ws_url}/ws/vehicle/", "--vehicles", "3", "--seconds", "2")
    assert "In all 0 reports" not in said
    with pytest.raises(subprocess.CalledProcessError) as caught:
        server.manage("simulate", "--vehicles", "0")
    assert "--vehicles must be 1 or more" in caught.value.stderr

"""Sound and telemetry between two WebRTC peers that find each other through our server, directly and by a relay."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.integration.calls.softphone import Softphone
from tests.servers.coturn import Turn
from tests.servers.v2v import V2VServer
from v2v.client import DispatchClient, VehicleClient

WAIT_S = 30.0


@asynccontextmanager
async def truck(server: V2VServer, hertz: float) -> AsyncIterator[Softphone]:
    """The telephone of a fresh vehicle."""
    vehicle_id, token = server.vehicle()
    async with VehicleClient(f"{server.ws_url}/ws/vehicle/", vehicle_id=vehicle_id, token=token) as client:
        await client.wait_online()
        yield Softphone(client, hertz)


@asynccontextmanager
async def desk(server: V2VServer, hertz: float) -> AsyncIterator[Softphone]:
    """A dispatcher's telephone."""
    headers = {"Cookie": await asyncio.to_thread(server.login, "alpha_dispatcher"), "Origin": server.url}
    async with DispatchClient(f"{server.ws_url}/ws/dispatch/", headers=headers) as client:
        await client.wait_online()
        yield Softphone(client, hertz)


async def talk(caller: Softphone, callee: Softphone, callee_id: str, *, relay_only: bool = False) -> None:
    """Call, answer, and listen to each other for a second."""
    await caller.call(callee_id, relay_only=relay_only)
    async with asyncio.timeout(WAIT_S):
        await callee.take(relay_only=relay_only)
        for phone in (caller, callee):
            await phone.first_heard.wait()
        while min(len(caller.heard), len(callee.heard)) < 60:  # noqa: ASYNC110 - frames of 20 ms
            await asyncio.sleep(0.05)


def codec_of(phone: Softphone) -> str:
    """The audio codec that was agreed on: the first payload type of the answer."""
    lines = phone.connection.remoteDescription.sdp.splitlines()
    payload = next(line.split()[3] for line in lines if line.startswith("m=audio"))
    return next(line.split()[1] for line in lines if line.startswith(f"a=rtpmap:{payload} "))


@pytest.mark.timeout(120)
async def test_two_vehicles_hear_each_other_in_opus(server: V2VServer) -> None:
    async with truck(server, 440) as a, truck(server, 880) as b:
        assert isinstance(b.client, VehicleClient)
        await talk(a, b, b.client.vehicle_id)
        assert codec_of(a) == "opus/48000/2"
        assert (abs(b.loudest_hertz() - 440) < 5, abs(a.loudest_hertz() - 880) < 5) == (True, True)
        await a.hang_up()
        await b.close()


@pytest.mark.timeout(120)
async def test_a_vehicle_and_dispatch_hear_each_other_and_telemetry_goes_beside(server: V2VServer) -> None:
    async with truck(server, 440) as a, desk(server, 880) as dispatch:
        await talk(a, dispatch, "dispatch")
        assert abs(dispatch.loudest_hertz() - 440) < 5
        assert abs(a.loudest_hertz() - 880) < 5
        assert a.channel is not None
        a.channel.send(json.dumps({"rpm": 1450, "coolantC": 88.5}))
        async with asyncio.timeout(WAIT_S):
            assert await dispatch.telemetry.get() == {"rpm": 1450, "coolantC": 88.5}
        await dispatch.hang_up()
        await a.close()


@pytest.mark.timeout(180)
async def test_two_that_reach_each_other_by_the_relay_alone_hear_each_other(
    turn: Turn, start_server: Callable[..., V2VServer]
) -> None:
    server = start_server(TURN_URL=turn.url, TURN_SECRET=turn.secret)
    async with truck(server, 440) as a, truck(server, 880) as b:
        assert isinstance(b.client, VehicleClient)
        await talk(a, b, b.client.vehicle_id, relay_only=True)
        assert a.candidate_types() == b.candidate_types() == {"relay"}
        assert abs(b.loudest_hertz() - 440) < 5
        assert abs(a.loudest_hertz() - 880) < 5
        await b.hang_up()
        await a.close()

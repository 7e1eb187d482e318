import asyncio
from collections.abc import Callable

import msgspec
import pytest

from tests.unit.client.peer import DEADLINE_S, Peer, Side
from v2v.client import VehicleClient
from v2v.client.stream import MAX_WAITING
from v2v.protocol import events
from v2v.protocol.events import EmergencyAlert, Event, PeerLocations, Registered

Make = Callable[..., VehicleClient]
PEERS = '{"event":"peer_locations","data":{"peers":[{"vehicleId":"truck-2","lat":25.5,"lng":55.5,"ts":9}]}}'


async def presence(side: Side, vehicle_id: str) -> None:
    await side.send("presence_update", vehicleId=vehicle_id, status="online", lastSeen=1)


async def test_events_come_typed_and_in_order(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept()
        stream = client.events()
        await side.register()
        await side.send(
            "emergency_alert",
            alertId="a1",
            fleet="alpha",
            state="open",
            causeCode=2,
            senderId="truck-2",
            type="crash",
            severity="critical",
            ts=5,
            via="ws",
            acknowledged=False,
            distanceM=120.5,
        )
        await side.socket.send(PEERS)
        first, alert, positions = [await anext(stream) for _ in range(3)]
    assert isinstance(first, Registered)
    assert isinstance(alert, EmergencyAlert)
    assert alert.data.distance_m == 120.5
    assert isinstance(positions, PeerLocations)
    assert positions.data.peers == [events.Peer(vehicle_id="truck-2", lat=25.5, lng=55.5, ts=9)]


async def test_what_a_newer_server_says_is_passed_over(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        stream = client.events()
        await side.send("teleported", vehicleId="truck-2")
        await side.send("presence_update", vehicleId="truck-2", status="dreaming", lastSeen=1)
        await side.send("presence_update", vehicleId="truck-3", status="online", lastSeen=1, mood="good")
        assert isinstance(await anext(stream), Registered)
        assert await anext(stream) == events.PresenceUpdate(
            data=events.PresenceUpdate.Data(vehicle_id="truck-3", status="online", last_seen=1)
        )


async def test_every_reader_gets_every_event(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        streams = [client.events(), client.events()]
        await presence(side, "truck-2")
        for stream in streams:
            assert isinstance(await anext(stream), Registered)
            assert isinstance(await anext(stream), events.PresenceUpdate)


async def test_a_callback_gets_the_events_too(peer: Peer, vehicle: Make) -> None:
    seen: asyncio.Queue[Event] = asyncio.Queue()
    async with vehicle(on_event=seen.put_nowait):
        side = await peer.accept_registered()
        await side.socket.send(PEERS)
        async with asyncio.timeout(DEADLINE_S):
            kinds = [type(await seen.get()) for _ in range(2)]
    assert kinds == [Registered, PeerLocations]


async def test_frames_of_positions_can_be_had_as_they_came(peer: Peer, vehicle: Make) -> None:
    frames: list[bytes] = []
    async with vehicle(on_positions=frames.append) as client:
        side = await peer.accept_registered()
        await client.wait_online()
        stream = client.events()
        await side.socket.send(PEERS)
        await presence(side, "truck-2")
        kinds = [type(await anext(stream)) for _ in range(2)]
    assert frames == [PEERS.encode()]
    assert kinds == [Registered, events.PresenceUpdate]


async def test_a_reader_that_falls_behind_goes_on_with_a_new_snapshot(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered(sessionId="first")
        await client.wait_online()
        stream = client.events()
        for number in range(MAX_WAITING):
            await presence(side, f"truck-{number}")
        await peer.accept_registered(sessionId="second")
        await client.wait_online()
        event = await anext(stream)
    assert isinstance(event, Registered)
    assert event.data.session_id == "second"


async def test_positions_that_a_slow_reader_has_no_room_for_cost_no_connection(peer: Peer, vehicle: Make) -> None:
    seen: asyncio.Queue[Event] = asyncio.Queue()
    async with vehicle(on_event=seen.put_nowait) as client:
        stream = client.events()
        side = await peer.accept_registered()
        for _ in range(MAX_WAITING + 10):
            await side.socket.send(PEERS)
        async with asyncio.timeout(DEADLINE_S):
            for _ in range(1 + MAX_WAITING + 10):
                await seen.get()
            await anext(stream)
            await presence(side, "truck-2")
            while not isinstance(await anext(stream), events.PresenceUpdate):
                pass


async def test_a_stream_ends_when_the_client_is_closed(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        await peer.accept_registered()
        await client.wait_online()
        stream = client.events()
    assert [type(event) async for event in stream] == [Registered]
    with pytest.raises(StopAsyncIteration):
        await anext(client.events())


def test_the_client_knows_every_event_of_the_protocol() -> None:
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)} - {Event}
    assert set(events.ServerEvent.__args__) == kinds
    msgspec.json.Decoder(events.ServerEvent)

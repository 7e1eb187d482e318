"""The client's calls: what goes out, what comes back, and what outlives a lost connection."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.client.peer import Peer
from v2v.client import CommandRefused, DispatchClient, NotConnected, VehicleClient
from v2v.protocol import events

Make = Callable[..., VehicleClient]
DO: list[tuple[str, Callable[[VehicleClient], Any], dict[str, Any]]] = [
    (
        "call_initiate",
        lambda client: client.call("dispatch", media="video"),
        {"calleeId": "dispatch", "media": "video"},
    ),
    ("call_answer", lambda client: client.answer("c1"), {"callId": "c1"}),
    ("call_reject", lambda client: client.reject("c1", reason="busy"), {"callId": "c1", "reason": "busy"}),
    ("call_end", lambda client: client.hang_up("c1"), {"callId": "c1"}),
    ("webrtc_offer", lambda client: client.send_offer("c1", "v=0\n"), {"callId": "c1", "sdp": "v=0\n"}),
    ("webrtc_answer", lambda client: client.send_answer("c1", "v=0\n"), {"callId": "c1", "sdp": "v=0\n"}),
    (
        "webrtc_ice_candidate",
        lambda client: client.send_candidate("c1", "", sdp_mid="0"),
        {"callId": "c1", "candidate": "", "sdpMid": "0"},
    ),
]


@pytest.mark.parametrize(("event", "do", "data"), DO, ids=[event for event, _, _ in DO])
async def test_each_of_them_sends_what_the_protocol_says(
    peer: Peer, vehicle: Make, event: str, do: Callable[[VehicleClient], Any], data: dict[str, Any]
) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        doing = asyncio.create_task(do(client))
        sent = await side.read(event)
        assert sent["data"] == data
        await side.send("ack", id=sent["id"], callId="c1")
        await doing


async def test_a_call_gives_its_id_its_state_and_the_servers(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        calling = asyncio.create_task(client.call("truck-2"))
        sent = await side.read("call_initiate")
        turn = {"urls": ["turn:turn.example.com"], "username": "1:truck-1", "credential": "x"}
        await side.send("ack", id=sent["id"], callId="c1", outcome="ringing", iceServers=[turn])
        ack = await calling
        assert (ack.call_id, ack.outcome) == ("c1", "ringing")
        assert ack.ice_servers == [
            events.IceServer(urls=["turn:turn.example.com"], username="1:truck-1", credential="x")
        ]


async def test_nobody_there_is_said_with_the_call_that_is_kept(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        calling = asyncio.create_task(client.call("truck-2"))
        sent = await side.read("call_initiate")
        await side.send("error", id=sent["id"], code="target_offline", message="!", ts=1, details={"callId": "c1"})
        with pytest.raises(CommandRefused) as caught:
            await calling
        assert (caught.value.code, caught.value.details) == ("target_offline", {"callId": "c1"})


async def test_to_hang_up_outlives_a_lost_connection_and_an_offer_does_not(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        hanging_up = asyncio.create_task(client.hang_up("c1"))
        offering = asyncio.create_task(client.send_offer("c1", "v=0\n"))
        first = await side.read("call_end")
        await side.drop()
        with pytest.raises(NotConnected):
            await offering
        side = await peer.accept_registered()
        again = await side.read("call_end")
        assert again["id"] == first["id"]
        await side.send("ack", id=again["id"])
        await hanging_up


async def test_a_dispatcher_comes_back_under_the_name_that_it_gave_itself(peer: Peer) -> None:
    async with DispatchClient(peer.url, device_id="desk 1/ä"):
        await (await peer.accept()).welcome()
    async with DispatchClient(peer.url):
        await (await peer.accept()).welcome()
    named, unnamed = (upgrade.path.partition("?deviceId=")[2] for upgrade in peer.upgrades)
    assert named == "desk%201%2F%C3%A4"
    assert len(unnamed) == 32

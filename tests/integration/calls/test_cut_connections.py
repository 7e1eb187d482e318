"""A vehicle calls dispatch while a connection is cut at each step in turn: one call, one end, and both know of it."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.cutting import Cut, CuttingProxy, cutting_proxy
from tests.integration.calls.phone import SDP
from tests.integration.messaging.test_cut_connections import World, worlds
from tests.servers.v2v import V2VServer
from v2v.client import CommandRefused, DispatchClient, NotConnected, VehicleClient
from v2v.client.backoff import Backoff
from v2v.client.client import Client
from v2v.client.stream import EventStream
from v2v.protocol import events

__all__ = ["worlds"]

PARTIES = ("truck", "desk")
AT_ONCE = 4
WAIT_S = 30.0


class Phone:
    """What one side knows of the call, from events and snapshots alike, as a page would."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stream: EventStream = client.events()
        self.states: dict[str, str] = {}
        self.offers = 0

    async def until(self, wanted: str) -> str:
        """Take events until a call is so; its id. A call that is no longer in the snapshot is over."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for call_id, state in self.states.items():
                    if state == wanted or (wanted == "over" and state not in ("ringing", "active")):
                        return call_id
                self.take(await anext(self.stream))

    async def until_offered(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while not self.offers:
                self.take(await anext(self.stream))

    def take(self, event: Any) -> None:
        match event:
            case events.Registered(data=data):
                live = {call.call_id: call.state for call in data.calls or ()}
                gone = {call_id: "gone" for call_id, state in self.states.items() if call_id not in live}
                self.states |= gone | live
            case events.CallIncoming(data=data):
                self.states.setdefault(data.call_id, "ringing")
            case events.CallState(data=data):
                self.states[data.call_id] = data.state
            case events.WebrtcOffer():
                self.offers += 1


async def offer_until_it_came(sender: Phone, receiver: Phone, call_id: str) -> None:
    """Signalling is not kept: who gets no answer offers again."""
    came = asyncio.create_task(receiver.until_offered())
    while not came.done():
        try:
            await sender.client.send_offer(call_id, SDP)
        except NotConnected:
            await sender.client.wait_online()
        await asyncio.wait([came], timeout=0.5)
    await came


async def conversation(server: V2VServer, world: World, party: str, cut: Cut | None) -> CuttingProxy:
    """Ring, answer, signal, hang up; the connection of one party is cut."""
    vehicle_id, token = world.vehicles[0]
    async with AsyncExitStack() as stack:
        proxies = {
            name: await stack.enter_async_context(cutting_proxy(server.ws_url, cut if name == party else None))
            for name in PARTIES
        }
        at_once: dict[str, Any] = {"backoff": Backoff(draw=lambda: 0.0)}
        truck = VehicleClient(f"{proxies['truck'].url}/ws/vehicle/", vehicle_id=vehicle_id, token=token, **at_once)
        headers = {"Cookie": f"sessionid={world.session}", "Origin": proxies["desk"].url.replace("ws", "http")}
        desk = DispatchClient(f"{proxies['desk'].url}/ws/dispatch/", headers=headers, **at_once)
        caller, callee = Phone(truck), Phone(desk)
        for client in (truck, desk):
            await stack.enter_async_context(client)
            await client.wait_online()
        try:
            call_id = (await truck.call("dispatch", deadline_s=WAIT_S)).call_id or ""
        except CommandRefused:  # target_offline: the desk's connection was cut at that moment
            await desk.wait_online()
            call_id = (await truck.call("dispatch", deadline_s=WAIT_S)).call_id or ""
        assert await callee.until("ringing") == call_id
        assert (await desk.answer(call_id, deadline_s=WAIT_S)).outcome == "active"
        assert await caller.until("active") == call_id
        await offer_until_it_came(caller, callee, call_id)
        callee.offers = 0
        await offer_until_it_came(callee, caller, call_id)
        await desk.hang_up(call_id, deadline_s=WAIT_S)
        for phone in (caller, callee):
            assert await phone.until("over") == call_id
        for client in (truck, desk):
            await client.close()
        return proxies[party]


@pytest.mark.timeout(180)
async def test_there_is_one_call_and_one_end_wherever_a_connection_is_cut(
    server: V2VServer, worlds: Iterator[World]
) -> None:
    cuts: list[tuple[str, Cut]] = []
    for party in PARTIES:
        whole = await conversation(server, next(worlds), party, None)
        cuts += [(party, Cut("up", n, where)) for n in range(whole.frames["up"]) for where in ("lost", "taken")]
        cuts += [(party, Cut("down", n, "lost")) for n in range(whole.frames["down"])]
    assert len(cuts) > 25, "the conversation has become too short to prove anything"
    has_cut = []
    for begin in range(0, len(cuts), AT_ONCE):
        some = cuts[begin : begin + AT_ONCE]
        proxies = await asyncio.gather(*(conversation(server, next(worlds), *each) for each in some))
        has_cut += [proxy.has_cut for proxy in proxies]
    # The last frames of a conversation, of which it does not wait for all, may not have come to be cut.
    assert has_cut.count(False) <= len(cuts) // 10
    live = "CallSession.objects.filter(IS_LIVE, fleet__slug__startswith='cut-').count()"
    code = f"from v2v.calls.models import IS_LIVE, CallSession; print({live})"
    assert await asyncio.to_thread(server.shell, code) == "0"

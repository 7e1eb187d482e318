"""Under load, events come in order and numbered without a gap."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle

LNG = 62.0
NEIGHBORS = 20
ROUNDS = 15


async def test_numbers_have_no_gap_and_nobody_moves_back_under_load(server: V2VServer) -> None:
    async with AsyncExitStack() as stack:
        console, _ = await stack.enter_async_context(dispatcher(server))
        me, _ = await stack.enter_async_context(vehicle(server))
        others = [await stack.enter_async_context(vehicle(server)) for _ in range(NEIGHBORS)]
        sockets = [me, *(socket for socket, _ in others)]
        for turn in range(ROUNDS):
            for socket in sockets:
                await socket.send("location_update", {"lat": -31.0, "lng": LNG, "speed": turn}, id=f"p{turn}")
            await me.send("heartbeat", id=f"h{turn}")
            await asyncio.sleep(0.21)
        await me.send("heartbeat", id="end")
        await me.next("ack", id="end")
        await asyncio.gather(me.drain(0.6), console.drain(0.6))
        _check(me, {vehicle_id for _, vehicle_id in others})
        _check(console, {vehicle_id for _, vehicle_id in others})
        acked = [m["data"]["id"] for m in me.seen if m["event"] == "ack"]
        assert acked == [f"{kind}{turn}" for turn in range(ROUNDS) for kind in "ph"] + ["end"]


def _check(socket: Socket, others: set[str]) -> None:
    numbers = [m["seq"] for m in socket.seen if "seq" in m]
    assert numbers == list(range(1, len(numbers) + 1))
    heard: dict[str, list[dict[str, Any]]] = {}
    for message in socket.seen:
        if message["event"] in ("peer_locations", "locations"):
            named = [peer["vehicleId"] for peer in message["data"]["peers"]]
            assert len(named) == len(set(named))  # one entry a vehicle and frame
            for peer in message["data"]["peers"]:
                heard.setdefault(peer["vehicleId"], []).append(peer)
    assert others <= set(heard)
    for peers in (heard[name] for name in others):
        times = [peer["ts"] for peer in peers]
        assert times == sorted(set(times))
        assert peers[-1]["speed"] == ROUNDS - 1  # the last word arrives

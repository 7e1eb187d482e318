"""What a reader gets that is slow for a while, and how one ends that stays so."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import RecordFigure
from tests.faults.engine import EngineServer, engine_server
from tests.faults.peer import Peer
from v2v.protocol import events
from v2v.realtime.session import Session

TEXT = events.Message(
    data=events.Message.Data(
        message_id="m", sender_id="s", content="x" * 500, content_type="text", ts=1, via="ws"
    )
)  # fmt: skip


def slow_peer(server: EngineServer) -> Peer:
    """A vehicle that has registered, with the small buffers of a road's network, and reads nothing more."""
    peer = Peer(server, segment=536, buffer=4096)
    peer.upgrade()
    peer.event("register", {"vehicleId": "slow"})
    peer.next("registered")
    return peer


async def fill(session: Session) -> int:
    """Send to it until its socket takes no more; how many messages that were."""
    count = 0
    while not session.outbox.is_blocked and not session.outbox.closed:
        session.send(TEXT)
        count += 1
        await asyncio.sleep(0)
    return count


def part(vehicle: int, lat: float) -> bytes:
    return events.encode_part(events.Peer(vehicle_id=f"v-{vehicle}", lat=lat, lng=0.0, ts=1))


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    opened: list[Peer] = []
    yield opened
    for peer in opened:
        peer.socket.close()


async def test_who_reads_again_gets_all_messages_in_order_and_only_the_newest_positions(peers: list[Peer]) -> None:
    async with engine_server(slow_reader_s=60.0) as server:
        peers.append(peer := await asyncio.to_thread(slow_peer, server))
        session = server.session("slow")
        sent = await fill(session)
        for lat in range(200):
            session.send_positions([1, 2], [part(1, lat / 4), part(2, -lat / 4)])
        for _ in range(100):
            session.send(TEXT)

        def read() -> tuple[list[int], list[dict[str, float]]]:
            numbers: list[int] = []
            positions: list[dict[str, float]] = []
            while not positions:
                message = peer.message()
                if message["event"] == "message":
                    numbers.append(message["seq"])
                elif message["event"] == "peer_locations":
                    positions.append({each["vehicleId"]: each["lat"] for each in message["data"]["peers"]})
            return numbers, positions

        numbers, positions = await asyncio.to_thread(read)
        assert numbers == list(range(2, sent + 102))  # the first was `registered`
        assert positions == [{"v-1": 49.75, "v-2": -49.75}]


async def test_past_the_bound_of_messages_it_is_closed(peers: list[Peer]) -> None:
    async with engine_server(slow_reader_s=60.0, control_frames=50) as server:
        peers.append(await asyncio.to_thread(slow_peer, server))
        session = server.session("slow")
        await fill(session)
        for _ in range(60):
            session.send(TEXT)
        assert session.outbox.closed
        assert await _until(lambda: "slow" not in server.engine.hub.by_vehicle, 2)


async def test_one_that_takes_nothing_is_closed_within_ten_seconds_and_its_socket_given_back(
    peers: list[Peer], record_figure: RecordFigure
) -> None:
    async with engine_server() as server:
        peers.append(await asyncio.to_thread(slow_peer, server))
        session = server.session("slow")
        wire = session.outbox._wire
        took_last = time.monotonic()
        while not wire.disconnected:  # type: ignore[attr-defined]
            assert time.monotonic() - took_last < 12
            if await fill(session):  # the kernel's buffers still grow a little
                took_last = time.monotonic()
            await asyncio.sleep(0.05)
        took = time.monotonic() - took_last
        assert server.engine.hub.sessions == set()
    assert took < 10
    record_figure("reader that takes nothing more", "closed within 10 s", f"socket given back after {took:.1f} s")


async def test_one_that_does_not_read_cannot_hold_its_socket_open_by_closing_it(peers: list[Peer]) -> None:
    async with engine_server(slow_reader_s=60.0) as server:
        peers.append(peer := await asyncio.to_thread(slow_peer, server))
        session = server.session("slow")
        wire = session.outbox._wire
        await fill(session)
        peer.send(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
        assert await _until(lambda: bool(wire.disconnected), 5)  # type: ignore[attr-defined]


async def test_it_does_not_hold_up_the_end_of_the_server(peers: list[Peer], record_figure: RecordFigure) -> None:
    async with engine_server(slow_reader_s=60.0) as server:
        peers.append(await asyncio.to_thread(slow_peer, server))
        await fill(server.session("slow"))
        began = time.monotonic()
    took = time.monotonic() - began
    assert took < 8
    record_figure("stop with a reader that does not read", "exit <= 10 s", f"{took:.1f} s")


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False

"""Alerts while the database stands still, and when the server is killed: what was acked is stored, once."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.conftest import RecordFigure
from tests.servers import postgres, v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, vehicle, vehicle_socket

LNG = 30.0
VEHICLES = 25
ROUNDS = 3
ANSWER_WITHIN_S = 3.0


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


async def test_while_the_database_stands_still_an_alert_is_unavailable_and_its_retry_is_one_alert(
    run: Run, start_server: Callable[..., V2VServer], record_figure: RecordFigure
) -> None:
    database = postgres.start(run)
    server = start_server(database_url=database.url)
    async with vehicle(server) as (sender, _), vehicle(server) as (peer, _):
        stopped = family(database.pid)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            await sender.send("emergency_alert", {"type": "crash"}, id="same")
            lat = -20.0
            while time.monotonic() - began < 2.0:  # positions flow meanwhile
                await peer.send("location_update", {"lat": lat, "lng": LNG}, id=f"p{lat}")
                await peer.next("ack", id=f"p{lat}")
                lat += 0.001
                await asyncio.sleep(0.25)
            assert (await sender.next("error", id="same"))["code"] == "unavailable"
            waited_s = time.monotonic() - began
            assert waited_s <= ANSWER_WITHIN_S
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        alert_id = await _acked(sender, "same")
        await peer.drain(0.5)
        assert [f["data"]["alertId"] for f in peer.seen if f["event"] == "emergency_alert"] == [alert_id]
    assert await asyncio.to_thread(_stored, server) == ["same"]
    record_figure("PostgreSQL stopped, an alert", "unavailable in 3 s, then once", f"{waited_s:.2f} s")


async def _acked(sender: Socket, id_: str) -> str:
    """Send it until it is taken; its alert id."""
    async with asyncio.timeout(40):
        while True:
            await sender.send("emergency_alert", {"type": "crash"}, id=id_)
            begun = len(sender.seen)
            while not any(frame["data"].get("id") == id_ for frame in sender.seen[begun:]):
                await sender.drain(0.1)
            answer = next(frame for frame in sender.seen[begun:] if frame["data"].get("id") == id_)
            if answer["event"] == "ack":
                return str(answer["data"]["alertId"])
            await asyncio.sleep(0.5)


def _stored(server: V2VServer) -> list[str]:
    ids = "Alert.objects.order_by('client_id').values_list('client_id', flat=True)"
    return server.shell(f"from v2v.alerts.models import Alert; print(*{ids})").split()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_server_that_is_killed_has_stored_each_alert_that_it_acked_and_each_once(
    run: Run, start_server: Callable[..., V2VServer], record_figure: RecordFigure, database: str
) -> None:
    url = postgres.start(run, durable=True).url if database == "postgres" else ""
    server = start_server(database_url=url)
    pick = random.Random(7)
    acked: dict[str, str] = {}
    sent: set[str] = set()
    before_kill = 0
    for number in range(ROUNDS):
        ids = {server.vehicle(): f"r{number}-{n:03d}" for n in range(VEHICLES)}
        sent |= set(ids.values())
        acked |= await _raise_and_kill(server, ids, after_s=pick.uniform(0.02, 0.5))
        before_kill += len(acked.keys() & set(ids.values()))
        assert acked.keys() <= set(await asyncio.to_thread(_stored, server))
        server = await asyncio.to_thread(v2v.start_again, run, server)
        left = {who: id_ for who, id_ in ids.items() if id_ not in acked}
        acked |= await _raise_and_kill(server, left, after_s=None)
    assert acked.keys() == sent
    stored = await asyncio.to_thread(_stored, server)
    assert stored == sorted(sent)
    assert len(set(acked.values())) == len(sent)
    figure = f"lost 0, twice 0 of {len(sent)} ({before_kill} acked before the kill)"
    record_figure(f"kill -9 the server on {database}, alerts", "acked is stored, once", figure)


async def _raise_and_kill(
    server: V2VServer, ids: dict[tuple[str, str], str], *, after_s: float | None
) -> dict[str, str]:
    """Have each vehicle raise its alert, and kill the server meanwhile; the alert ids of those that were acked."""
    async with AsyncExitStack() as stack:
        sockets = {}
        for (vehicle_id, token), id_ in ids.items():
            socket = await stack.enter_async_context(vehicle_socket(server))
            await socket.register(vehicle_id, token)
            sockets[id_] = socket
        await asyncio.gather(*(socket.send("emergency_alert", {}, id=id_) for id_, socket in sockets.items()))
        if after_s is not None:
            await asyncio.sleep(after_s)
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.gather(*(socket.closed() for socket in sockets.values()))
        else:
            await asyncio.gather(*(socket.next("ack", id=id_) for id_, socket in sockets.items()))
        return {
            id_: frame["data"]["alertId"]
            for id_, socket in sockets.items()
            for frame in socket.seen
            if frame["event"] == "ack" and frame["data"]["id"] == id_
        }

"""The database stops: who sends is told in time, and the message is stored once when it is back."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers import postgres
from tests.servers.run import Run, Server
from tests.servers.v2v import V2VServer
from tests.sockets import vehicle
from v2v.client import VehicleClient


@pytest.fixture
def database(run: Run) -> Iterator[Server]:
    """A PostgreSQL of the test's own, which it may stop."""
    own = postgres.start(run)
    yield own
    for pid in processes(own):
        os.kill(pid, signal.SIGCONT)
    os.kill(own.keeper_pid, signal.SIGTERM)


def processes(database: Server) -> list[int]:
    """The server and those that it has made for its connections."""
    with open(f"/proc/{database.pid}/task/{database.pid}/children") as children:  # noqa: PTH123
        return [database.pid, *map(int, children.read().split())]


async def test_a_stopped_database_is_said_in_time_and_the_message_is_stored_once(
    database: Server, start_server: Callable[..., V2VServer]
) -> None:
    server = start_server(database_url=database.url)
    vehicle_id, token = server.vehicle()
    client = VehicleClient(f"{server.ws_url}/ws/vehicle/", vehicle_id=vehicle_id, token=token)
    async with vehicle(server) as (a, _), client:
        await client.wait_online()
        stopped = processes(database)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        await a.send("send_message", {"recipientId": "dispatch", "content": "bare"}, id="m1")
        by_client = asyncio.create_task(client.send_message("by the client", to="dispatch", deadline_s=30))
        assert (await a.next("error", id="m1"))["code"] == "unavailable"
        assert time.monotonic() - began < 3
        await a.send("heartbeat")
        await a.next("heartbeat_ack")
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        while True:
            await a.send("send_message", {"recipientId": "dispatch", "content": "bare"}, id="m1")
            heard = await a.drain(0.5)
            if any(m["event"] == "ack" and m["data"]["id"] == "m1" for m in heard):
                break
        assert await by_client
    code = "from v2v.messaging.models import Message; print(sorted(Message.objects.values_list('content', flat=True)))"
    stored = await asyncio.to_thread(server.manage, "shell", "-v0", "-c", code)
    assert stored.strip() == "['bare', 'by the client']"

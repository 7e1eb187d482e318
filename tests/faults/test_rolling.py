"""A rolling restart under load: whatever was acked is stored, and nobody is sent away without a word."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.conftest import RecordFigure
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, vehicle_socket

SENDERS = 8
WITHIN_S = 120.0  # each process takes seconds to start on two busy cores
STORED = "from v2v.messaging.models import Message; print(list(Message.objects.values_list('content', flat=True)))"


class Sender:
    """Sends messages one after the other, and comes back as it is told; what is not acked it sends again."""

    def __init__(self, server: V2VServer) -> None:
        self.server = server
        self.vehicle_id, self.token = server.vehicle()
        self.acked: list[str] = []
        self.codes: list[int] = []
        self.is_done = False

    async def run(self) -> None:
        number = 0
        while not self.is_done:
            try:
                async with vehicle_socket(self.server) as socket:
                    await socket.register(self.vehicle_id, self.token)
                    while not self.is_done:
                        await self.send(socket, f"{self.vehicle_id}/{number}")
                        number += 1
                        await asyncio.sleep(0.5)  # within the limit of 3 a second
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else 1006)
            except (OSError, InvalidHandshake):  # it was just connecting to the one that stopped
                await asyncio.sleep(0.2)

    async def send(self, socket: Socket, name: str) -> None:
        await socket.send("send_message", {"broadcast": True, "content": name}, id=name.replace("/", "-"))
        await socket.next("ack", id=name.replace("/", "-"))
        self.acked.append(name)


@pytest.mark.timeout(300)
async def test_a_rolling_restart_loses_nothing_that_was_acked(
    start_server: Callable[..., V2VServer], redis_url: str, record_figure: RecordFigure
) -> None:
    server = start_server(WORKERS="2", REDIS_URL=redis_url, REDIS_PREFIX=f"test-{uuid.uuid4().hex}:")
    senders = [Sender(server) for _ in range(SENDERS)]
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.run())
        await reached(lambda: all(sender.acked for sender in senders))
        os.kill(server.pid, signal.SIGHUP)
        await reached(lambda: all(sender.codes for sender in senders))
        before = [len(sender.acked) for sender in senders]
        await reached(lambda: all(len(s.acked) > count for s, count in zip(senders, before, strict=True)))
        for sender in senders:
            sender.is_done = True
    assert {code for sender in senders for code in sender.codes} == {1012}
    stored = json.loads((await asyncio.to_thread(server.shell, STORED)).replace("'", '"'))
    acked = [name for sender in senders for name in sender.acked]
    assert set(acked) <= set(stored)
    assert len(stored) == len(set(stored))
    record_figure("rolling restart under load", "1012, acked lost = 0", f"lost 0 of {len(acked)}")


async def reached(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - the senders' connections change it
            await asyncio.sleep(0.05)

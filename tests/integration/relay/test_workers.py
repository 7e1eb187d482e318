"""`manage.py serve --workers`: several processes on one port."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.servers.v2v import V2VServer
from tests.sockets import vehicle

WITHIN_S = 40.0  # a process takes seconds to start on two busy cores


@pytest.fixture
def several(start_server: Callable[..., V2VServer], redis_url: str) -> V2VServer:
    return start_server(WORKERS="2", REDIS_URL=redis_url, REDIS_PREFIX=f"test-{uuid.uuid4().hex}:")


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def runs(pid: int) -> bool:
    """Whether the process has not ended; nobody may ever ask for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < until, f"not within {WITHIN_S} s: {what}"
        time.sleep(0.05)


async def test_a_dead_process_is_started_again_and_all_go_with_their_parent(
    several: V2VServer,
) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(vehicle(several)) for _ in range(12)]
        sender, _ = sockets[0]
        await sender.send("send_message", {"broadcast": True, "content": "all"}, id="b1")
        await sender.next("ack")
        for receiver, _ in sockets[1:]:
            assert (await receiver.next("message"))["content"] == "all"
    wait_until(lambda: several.metrics()["v2v_ws_process_count"] == 2, "both processes are counted")
    before = children_of(several.pid)
    assert len(before) == 2
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(children_of(several.pid)) == 2 and victim not in children_of(several.pid), "two again")
    async with vehicle(several) as (socket, _):
        await socket.send("heartbeat")
        await socket.next("heartbeat_ack")
    children = children_of(several.pid)
    os.kill(several.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(runs, children)), "the children have ended")


async def test_processes_are_replaced_on_sighup_and_stopped_on_sigterm_and_clients_are_told(several: V2VServer) -> None:
    before = children_of(several.pid)
    async with vehicle(several) as (socket, _):
        os.kill(several.pid, signal.SIGHUP)
        async with asyncio.timeout(2 * WITHIN_S):  # it may be on the one that is replaced last
            while socket.seen[-1]["event"] != "server_shutdown":
                await socket.more()
        assert await socket.closed() == 1012
        async with vehicle(several) as (again, _):
            await again.send("heartbeat")
            await again.next("heartbeat_ack")
    wait_until(lambda: len(children_of(several.pid)) == 2 and not children_of(several.pid) & before, "all are new")
    children = children_of(several.pid)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(vehicle(several)) for _ in range(6)]
        os.kill(several.pid, signal.SIGTERM)
        assert [await socket.closed() for socket, _ in sockets] == [1012] * 6
    wait_until(lambda: not any(map(runs, (*children, several.pid))), "all have ended")

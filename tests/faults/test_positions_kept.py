"""Positions of a server whose Redis stops, and of a clock that runs backwards: all are stored, none is wrong."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import RecordFigure
from tests.integration.tracking.stored import rows, until
from tests.servers import redis
from tests.servers.run import Run, Server
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, vehicle

pytestmark = pytest.mark.timeout(120)
HERE = {"lat": 25.0, "lng": 55.0}


@pytest.fixture
def own_redis(run: Run) -> Iterator[Server]:
    server = redis.start(run)
    yield server
    os.kill(server.pid, signal.SIGCONT)
    os.kill(server.keeper_pid, signal.SIGTERM)


def times_of(name: str) -> str:
    return (
        "SELECT recorded_at FROM tracking_position AS kept"
        " JOIN vehicles_vehicle ON vehicles_vehicle.id = kept.vehicle_id"
        f" WHERE vehicles_vehicle.vehicle_id = '{name}'"
    )


async def report(socket: Socket, ts: int) -> None:
    """A fix that is never coalesced, and the word that it was taken."""
    await socket.send("location_update", {**HERE, "ts": ts, "alarm": "hazard"}, id=str(ts))
    await socket.next("ack", id=str(ts))


async def test_positions_wait_in_the_server_while_redis_is_stopped(
    start_server: Callable[..., V2VServer], own_redis: Server, record_figure: RecordFigure
) -> None:
    server = start_server(REDIS_URL=own_redis.url)
    async with vehicle(server) as (socket, name):
        slowest = 0.0
        taken = 0
        for number in range(40):
            if number == 10:
                os.kill(own_redis.pid, signal.SIGSTOP)
            if number == 30:
                os.kill(own_redis.pid, signal.SIGCONT)
            began = time.monotonic()
            await report(socket, int(time.time() * 1000))
            slowest = max(slowest, time.monotonic() - began)
            taken += 1
            await asyncio.sleep(0.22)
        stored = await until(server, times_of(name), taken)
    assert len(stored) == len(set(stored)) == taken
    record_figure(
        "SIGSTOP Redis for 4.4 s under a server",
        "lost 0, twice 0",
        f"of {taken} taken 0 lost; slowest answer {slowest * 1000:.0f} ms",
    )


async def test_time_that_runs_backwards_never_moves_the_live_position_back(
    start_server: Callable[..., V2VServer], record_figure: RecordFigure
) -> None:
    server = start_server(LAST_STATES_MS="300")
    now = int(time.time() * 1000)
    async with vehicle(server) as (socket, name):
        for number in range(20):
            await report(socket, now - number * 1_000)
            await asyncio.sleep(0.22)
        stored = await until(server, times_of(name), 20)
        latest = await until(server, "SELECT fix_at FROM vehicles_vehiclestatus WHERE fix_at IS NOT NULL", 1)
    assert latest == [max(stored)]
    conflicts = rows(server, "SELECT kind, count(*) FROM tracking_positionconflict GROUP BY kind")
    assert conflicts == [("late", 19)]
    record_figure("time runs backwards by 19 s", "wrong latest 0", "20 stored in their place, 19 listed as late")
